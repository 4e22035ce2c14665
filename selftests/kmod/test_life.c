// SPDX-License-Identifier: GPL-2.0
/* Who keeps a region alive, and that nothing is lost whichever way they go. */
#include "common.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define SIZE (4 * MIB)

FIXTURE(life) {
	int fd;		/* watches the accounts, owns nothing */
	int owner;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
	char *mem;
};

FIXTURE_SETUP(life)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	self->owner = dev_open(O_RDWR);
	ASSERT_LE(0, self->owner);
	ASSERT_EQ(0, dev_alloc(self->owner, SIZE, 0, &self->alloc));
	self->mem = dev_map(self->owner, self->alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, self->mem);
	memset(self->mem, 0x5a, SIZE);
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	close(self->fd);
}

/* Takes all that is free; true if none of it is the watched region's memory. */
static bool rest_is_elsewhere(int fd, const char *watched, uint64_t watched_len)
{
	uint64_t first = pagemap_phys(watched);
	struct aclkm_query query;
	struct aclkm_alloc alloc;
	bool elsewhere = true;
	int other = dev_open(O_RDWR);

	while (elsewhere && !dev_alloc(other, dev_info(fd).largest_free, 0, &alloc)) {
		if (dev_query(other, alloc.handle, &query))
			abort();
		elsewhere = query.phys + query.size <= first ||
			    first + watched_len <= query.phys;
	}
	elsewhere = elsewhere && !dev_info(fd).free;
	close(other);
	return elsewhere;
}

TEST_F(life, mapping_outlives_free_and_close)
{
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	EXPECT_TRUE(rest_is_elsewhere(self->fd, self->mem, SIZE));
	close(self->owner);
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	EXPECT_TRUE(rest_is_elsewhere(self->fd, self->mem, SIZE));
	EXPECT_TRUE(all_bytes(self->mem, SIZE, 0x5a));
	munmap(self->mem, SIZE);
}

TEST_F(life, handle_outlives_mapping)
{
	munmap(self->mem, SIZE);
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	self->mem = dev_map(self->owner, self->alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, self->mem);
	EXPECT_TRUE(all_bytes(self->mem, SIZE, 0x5a));
	munmap(self->mem, SIZE);
	close(self->owner);
}

TEST_F(life, partial_unmap_in_every_order)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	size_t part = SIZE / 4;
	int o, i;

	munmap(self->mem, SIZE);
	for (o = 0; o < 6; o++) {
		self->mem = dev_map(self->owner, self->alloc.offset, 3 * part);
		ASSERT_NE(MAP_FAILED, self->mem);
		if (o == 5)
			ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
			ASSERT_EQ(0, munmap(self->mem + orders[o][i] * part, part));
		}
	}
	close(self->owner);
}

TEST_F(life, moved_and_shrunk)
{
	char *moved, *place;

	place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, place);
	moved = mremap(self->mem, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_EQ(place, moved);
	EXPECT_TRUE(all_bytes(moved, SIZE, 0x5a));
	ASSERT_EQ(moved, mremap(moved, SIZE, SIZE / 2, 0));
	close(self->owner);
	EXPECT_TRUE(all_bytes(moved, SIZE / 2, 0x5a));
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	munmap(moved, SIZE / 2);
}

TEST_F(life, child_keeps_it)
{
	int up[2], down[2];
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, pipe(down));
	pid = fork();
	if (!pid) {
		/* Shared with the parent, not copied. */
		self->mem[0] = 1;
		if (write(up[1], "r", 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(1);
		_exit(all_bytes(self->mem + 1, SIZE - 1, 0x5a) ? 0 : 2);
	}
	ASSERT_EQ(1, read(up[0], &byte, 1));
	EXPECT_EQ(1, self->mem[0]);
	munmap(self->mem, SIZE);
	close(self->owner);
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	ASSERT_EQ(1, write(down[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, (int *)&up[0], 0));
	EXPECT_EQ(0, up[0]);
}

static int take_half_and_die(void *arg)
{
	int fd = dev_open(O_RDWR);
	struct aclkm_alloc alloc;
	uint64_t half = dev_info(fd).free / 2;
	char *mem;

	/* Several regions, some mapped, some with the handle gone. */
	for (int i = 0; i < 4; i++) {
		if (dev_alloc(fd, half / 4, MIB, &alloc))
			return 1;
		mem = dev_map(fd, alloc.offset, half / 4);
		if (mem == MAP_FAILED)
			return 2;
		memset(mem, 1, half / 4);
		if (i & 1 && dev_free(fd, alloc.handle))
			return 3;
	}
	if (dev_info(fd).free > half + MIB)
		return 4;
	kill(getpid(), SIGKILL);
	return 5;
}

TEST_F(life, killed_with_half_the_arena)
{
	struct aclkm_info before;

	munmap(self->mem, SIZE);
	close(self->owner);
	before = dev_info(self->fd);
	EXPECT_EQ(-SIGKILL, in_child(take_half_and_die, NULL));
	EXPECT_TRUE(accounts_as(self->fd, &before));
}

/* A pipe holds the pages after unmap, FREE and close: they must not be handed out. */
TEST_F(life, pinned_pages_are_held_back)
{
	struct iovec iov = { self->mem + PAGE, 4 * PAGE };
	uint64_t first = pagemap_phys(self->mem);
	struct aclkm_query query;
	struct aclkm_alloc alloc;
	struct aclkm_info info;
	char copy[4 * PAGE];
	int pipes[2], other;

	ASSERT_NE(0, first);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(4 * PAGE, vmsplice(pipes[1], &iov, 1, 0));
	munmap(self->mem, SIZE);
	close(self->owner);

	info = dev_info(self->fd);
	EXPECT_EQ(SIZE, info.held);
	EXPECT_EQ(self->before.free - SIZE, info.free);
	EXPECT_EQ(self->before.nr_regions, info.nr_regions);

	other = dev_open(O_RDWR);
	while (!dev_alloc(other, dev_info(self->fd).largest_free, 0, &alloc)) {
		ASSERT_EQ(0, dev_query(other, alloc.handle, &query));
		EXPECT_TRUE(query.phys + query.size <= first || first + SIZE <= query.phys);
	}
	close(other);

	ASSERT_EQ(4 * PAGE, read(pipes[0], copy, sizeof(copy)));
	EXPECT_TRUE(all_bytes(copy, sizeof(copy), 0x5a));
	close(pipes[0]);
	close(pipes[1]);
}

static int send_fd(int sock, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

TEST_F(life, file_passed_to_another_process)
{
	int pair[2], status;
	pid_t pid;

	munmap(self->mem, SIZE);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		char *mem;
		int fd;

		close(self->owner);
		close(pair[0]);
		fd = receive_fd(pair[1]);
		mem = dev_map(fd, self->alloc.offset, SIZE);
		if (mem == MAP_FAILED)
			_exit(1);
		if (!all_bytes(mem, SIZE, 0x5a))
			_exit(2);
		_exit(dev_free(fd, self->alloc.handle) ? 3 : 0);
	}
	close(pair[1]);
	ASSERT_EQ(0, send_fd(pair[0], self->owner));
	close(self->owner);
	close(pair[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
