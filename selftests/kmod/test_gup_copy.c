// SPDX-License-Identifier: GPL-2.0
/* get_user_pages() by process_vm_readv(), process_vm_writev() and vmsplice(). */
#include "gup.h"
#include <sys/uio.h>
#include <sys/ptrace.h>
#include "kselftest_harness.h"

GUP_FIXTURE

static char *ordinary(size_t len)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* ------------------------------------------------------- process_vm_readv() */

static int vm_call(ssize_t (*call)(pid_t, const struct iovec *, unsigned long,
				   const struct iovec *, unsigned long, unsigned long),
		   void *mem, size_t len, void *copy)
{
	struct iovec here = { copy, len }, there = { mem, len };
	ssize_t n = call(getpid(), &here, 1, &there, 1, 0);

	if (n < 0)
		return -errno;
	return n == len ? 0 : -EFAULT;
}

static int vm_out(struct mover *m, void *mem, size_t len, void *copy)
{
	return vm_call(process_vm_readv, mem, len, copy);
}

static int vm_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	return vm_call(process_vm_writev, mem, len, (void *)copy);
}

TEST_F_TIMEOUT(gup, process_vm, 300)
{
	struct mover m = { .out = vm_out, .in = vm_in, .align = 1, .longest = LONGEST,
			   .copy = ordinary(LONGEST) };

	NEED_MODE();
	ASSERT_NE(NULL, m.copy);
	EXPECT_TRUE(gup_walk(&m, self->fd, variant->flags, variant->unit));
}

/* ----------------------------------------------------------------- vmsplice() */

struct piper {
	struct mover m;
	int pipe[2];
	size_t room;
};

/* The pages themselves go into the pipe; reading it is what copies. */
static int pipe_out(struct mover *m, void *mem, size_t len, void *copy)
{
	struct piper *p = (struct piper *)m;
	size_t at, got;
	ssize_t n, k;

	for (at = 0; at < len; at += n) {
		struct iovec iov = { (char *)mem + at, len - at };

		n = vmsplice(p->pipe[1], &iov, 1, SPLICE_F_NONBLOCK);
		if (n <= 0)
			return n ? -errno : -EIO;
		for (got = 0; got < n; got += k) {
			k = read(p->pipe[0], (char *)copy + at + got, n - got);
			if (k <= 0)
				return -EIO;
		}
	}
	return 0;
}

/* And out of a pipe into the region. */
static int pipe_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	struct piper *p = (struct piper *)m;
	size_t at, got, part;
	ssize_t k;

	for (at = 0; at < len; at += part) {
		part = len - at < p->room ? len - at : p->room;
		if (write(p->pipe[1], (const char *)copy + at, part) != part)
			return -EIO;
		for (got = 0; got < part; got += k) {
			struct iovec iov = { (char *)mem + at + got, part - got };

			k = vmsplice(p->pipe[0], &iov, 1, 0);
			if (k <= 0)
				return k ? -errno : -EIO;
		}
	}
	return 0;
}

TEST_F_TIMEOUT(gup, vmsplice, 300)
{
	struct piper p = { .m = { .out = pipe_out, .in = pipe_in, .align = 1, .longest = LONGEST,
				  .copy = ordinary(LONGEST) } };

	NEED_MODE();
	ASSERT_NE(NULL, p.m.copy);
	ASSERT_EQ(0, pipe2(p.pipe, O_CLOEXEC));
	p.room = fcntl(p.pipe[1], F_SETPIPE_SZ, 1 * MIB);
	ASSERT_EQ(MIB, p.room);
	EXPECT_TRUE(gup_walk(&p.m, self->fd, variant->flags, variant->unit));
	close(p.pipe[0]);
	close(p.pipe[1]);
}

/*
 * The debugger's way, access_process_vm(): one page at a time, and with
 * FOLL_FORCE. Readable also where pages are not counted; what is written must
 * arrive, what is refused must change nothing.
 */
TEST_F(gup, proc_self_mem)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint64_t size = variant->unit > 2 * SIZE_2M ? variant->unit : 2 * SIZE_2M;
	uint64_t at = (size > 2 * SIZE_2M ? size / 2 : SIZE_2M) - 100;
	struct gup_region r;
	char copy[200];

	NEED_MODE();
	ASSERT_LE(0, fd);
	ASSERT_TRUE(gup_open(&r, self->fd, size, variant->flags));
	pattern_fill(r.mem + at, at, 200, 1);
	if (r.gup) {
		ASSERT_EQ(200, pread(fd, copy, 200, (uintptr_t)r.mem + at));
		EXPECT_TRUE(pattern_is(copy, at, 200, 1));
		pattern_fill(copy, at, 200, 2);
		ASSERT_EQ(200, pwrite(fd, copy, 200, (uintptr_t)r.mem + at));
		EXPECT_TRUE(pattern_is(r.mem + at, at, 200, 2));
	} else {
		bool written;

		pattern_fill(copy, at, 200, 2);
		written = pwrite(fd, copy, 200, (uintptr_t)r.mem + at) == 200;

		EXPECT_TRUE(pattern_is(r.mem + at, at, 200, written ? 2 : 1));
	}
	gup_close(&r);
	close(fd);
}

/* A page in a pipe outlives the region's process; its bytes stay what they were. */
TEST_F(gup, pages_held_by_a_pipe)
{
	uint64_t size = variant->unit > 2 * SIZE_2M ? variant->unit : 2 * SIZE_2M;
	char copy[2 * PAGE];
	struct gup_region r;
	struct iovec iov;
	int pipes[2];
	int owner = dev_open(O_RDWR);

	NEED_MODE();
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	ASSERT_TRUE(gup_open(&r, owner, size, variant->flags));
	pattern_fill(r.mem + SIZE_2M - PAGE, 0, 2 * PAGE, 3);
	iov = (struct iovec){ r.mem + SIZE_2M - PAGE, 2 * PAGE };
	if (!r.gup) {
		EXPECT_EQ(-1, vmsplice(pipes[1], &iov, 1, 0));
		EXPECT_EQ(EFAULT, errno);
		gup_close(&r);
		close(owner);
		return;
	}
	ASSERT_EQ(2 * PAGE, vmsplice(pipes[1], &iov, 1, 0));
	gup_close(&r);
	close(owner);
	EXPECT_EQ(self->before.held + size, dev_info(self->fd).held);
	EXPECT_EQ(self->before.free - size, dev_info(self->fd).free);
	/* One of the two pages is not enough. */
	ASSERT_EQ(PAGE, read(pipes[0], copy, PAGE));
	usleep(300 * 1000);
	EXPECT_EQ(self->before.held + size, dev_info(self->fd).held);
	ASSERT_EQ(PAGE, read(pipes[0], copy + PAGE, PAGE));
	EXPECT_TRUE(pattern_is(copy, 0, 2 * PAGE, 3));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(pipes[0]);
	close(pipes[1]);
}

TEST_HARNESS_MAIN
