// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a mapping is cut, moved and inherited, times every order in
 * which those who keep a region let go of it, times how they end. The bytes are
 * right and the accounts exact after each step.
 */
#include "dmabuf.h"
#include "admin.h"
#include <pthread.h>
#include <signal.h>
#include "kselftest_harness.h"

#define SIZE_2M (2 * MIB)

struct part {
	char *addr;
	uint64_t off, len;
	bool inherited;
};

enum shape { WHOLE, MOVED, MOVED_ALIGNED, NO_FRONT, NO_MIDDLE, NO_BACK, PROTECTED, ADVISED,
	     MIDDLE_MOVED, CUT_AND_MOVED, SHAPES };

static const char * const shape_names[] = {
	"whole", "moved", "moved, aligned", "front unmapped", "middle unmapped", "back unmapped",
	"middle protected", "middle not inherited", "middle moved away", "cut, then moved",
};

enum keeper { HANDLE, MAPPING, CHILD, PEER, KEEPERS };

#define ORDERS 24
#define RUNS (SHAPES * ORDERS * 2)

FIXTURE(matrix) {
	int watch;
	struct aclkm_info before;
	uint64_t size, unit;
	int forever;		/* a dma-buf that stands in for ALLOC, or -1 */
	struct aclkm_alloc alloc;
	int alloc_fd;
};

FIXTURE_VARIANT(matrix) {
	uint32_t flags;
	uint64_t feature;
	uint64_t size;
	uint64_t unit;
};

FIXTURE_VARIANT_ADD(matrix, small) { .flags = ACLKM_ALLOC_SMALL, .size = 8 * PAGE, .unit = PAGE };
FIXTURE_VARIANT_ADD(matrix, best) { .size = 2 * SIZE_2M + 3 * PAGE, .unit = SIZE_2M };
FIXTURE_VARIANT_ADD(matrix, huge_2m) {
	.flags = ACLKM_ALLOC_HUGE_2M, .feature = ACLKM_FEATURE_HUGE_2M, .size = 2 * SIZE_2M,
	.unit = SIZE_2M
};
FIXTURE_VARIANT_ADD(matrix, huge_1g) {
	.flags = ACLKM_ALLOC_HUGE_1G, .feature = ACLKM_FEATURE_HUGE_1G, .size = GIB, .unit = GIB
};
FIXTURE_VARIANT_ADD(matrix, wc) {
	.flags = ACLKM_ALLOC_WC, .feature = ACLKM_FEATURE_CACHE, .size = 8 * PAGE, .unit = PAGE
};

FIXTURE_SETUP(matrix)
{
	self->watch = dev_open(O_RDWR);
	ASSERT_LE(0, self->watch);
	self->before = dev_info(self->watch);
	self->size = variant->size;
	self->unit = variant->unit;
	self->forever = -1;
}

FIXTURE_TEARDOWN(matrix)
{
	EXPECT_TRUE(accounts_back(self->watch, &self->before));
	close(self->watch);
}

#define NEED_MODE() do { \
	if (!dev_has(self->watch, variant->feature)) \
		SKIP(return, "this driver has not feature %#llx", \
		     (unsigned long long)variant->feature); \
	if (self->before.largest_free < variant->size) \
		SKIP(return, "no free piece of %llu bytes", (unsigned long long)variant->size); \
} while (0)

/*
 * The first page is written everywhere: where the core takes a large entry for a
 * table, it takes this page for the table.
 */
static void fill(char *mem, uint64_t size)
{
	uint64_t step = size > 64 * MIB ? SIZE_2M : PAGE, at;

	pattern_fill(mem, 0, PAGE, 1);
	for (at = PAGE; at < size; at += at % step ? step - at % step : step)
		pattern_fill(mem + at, at, 8, 1);
}

static bool part_right(const struct part *part)
{
	uint64_t end = part->off + part->len, at;
	uint64_t step = part->len > 64 * MIB ? SIZE_2M : PAGE;

	if (!part->off && !pattern_is(part->addr, 0, PAGE, 1))
		return false;
	for (at = (part->off + SIZE_2M - 1) / SIZE_2M * SIZE_2M; at < end; at += SIZE_2M)
		if (!pattern_is(part->addr + at - part->off, at, 8, 1))
			return false;
	if (step == PAGE)
		for (at = part->off; at < end; at += PAGE)
			if (end <= 64 * MIB && !pattern_is(part->addr + at - part->off, at, 8, 1))
				return false;
	return true;
}

/* Address space for @len bytes, at @odd bytes behind a multiple of 1 GiB. */
static char *place(uint64_t len, uint64_t odd)
{
	uint64_t want = len + 2 * GIB;
	char *all = mmap(NULL, want, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at;

	if (all == MAP_FAILED)
		abort();
	at = (char *)(((uintptr_t)all + GIB - 1) & -GIB) + odd;
	munmap(all, want);
	return at;
}

static bool move(struct part *part, uint64_t odd)
{
	char *to = place(part->len, odd);
	char *got = mremap(part->addr, part->len, part->len, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (got != to) {
		printf("# mremap: %s\n", strerror(errno));
		return false;
	}
	part->addr = to;
	return true;
}

/* Shapes the one mapping of a region; fills the parts that are left. */
static int shape_mapping(enum shape shape, char *mem, uint64_t size, uint64_t unit,
			 struct part *part)
{
	/* Not at the edge of an entry. */
	uint64_t a = (size / 4 & -PAGE) + (unit > PAGE ? PAGE : 0), b = 3 * (size / 4) & -PAGE;
	struct part whole = { mem, 0, size, true };
	struct part front = { mem, 0, a, true };
	struct part middle = { mem + a, a, b - a, true };
	struct part back = { mem + b, b, size - b, true };
	int n = 0;

	switch (shape) {
	case MOVED:
		if (!move(&whole, 3 * PAGE))
			return -1;
		break;
	case MOVED_ALIGNED:
		if (!move(&whole, 0))
			return -1;
		break;
	case NO_FRONT:
	case CUT_AND_MOVED:
		munmap(mem, a);
		whole = (struct part){ mem + a, a, size - a, true };
		if (shape == CUT_AND_MOVED && !move(&whole, a))
			return -1;
		break;
	case NO_BACK:
		munmap(mem + b, size - b);
		whole.len = b;
		break;
	case NO_MIDDLE:
		munmap(mem + a, b - a);
		part[n++] = front;
		part[n++] = back;
		return n;
	case PROTECTED:
		if (mprotect(mem + a, b - a, PROT_READ))
			return -1;
		break;
	case ADVISED:
		if (madvise(mem + a, b - a, MADV_DONTFORK))
			return -1;
		middle.inherited = false;
		part[n++] = front;
		part[n++] = middle;
		part[n++] = back;
		return n;
	case MIDDLE_MOVED:
		if (!move(&middle, 5 * PAGE))
			return -1;
		part[n++] = back;
		part[n++] = middle;
		part[n++] = front;
		return n;
	default:
		break;
	}
	part[n++] = whole;
	return n;
}

struct keeper_process {
	pid_t pid;
	int sock;
};

static bool say(int sock, char what)
{
	return write(sock, &what, 1) == 1;
}

static char hear(int sock)
{
	char what = 0;

	return read(sock, &what, 1) == 1 ? what : 0;
}

/* A process that had the file sent, and maps it afresh. */
static struct keeper_process start_peer(uint64_t offset, uint64_t size, int watch)
{
	struct keeper_process peer;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	peer.pid = fork();
	if (!peer.pid) {
		struct part part = { .len = size };
		int fd;

		close(pair[0]);
		close(watch);
		fd = fd_receive(pair[1]);
		part.addr = dev_map(fd, offset, size);
		/* Another order of close and unmap than in the parent. */
		close(fd);
		say(pair[1], part.addr != MAP_FAILED && part_right(&part) ? 'y' : 'n');
		hear(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	peer.sock = pair[0];
	return peer;
}

static struct keeper_process start_child(const struct part *part, int parts)
{
	struct keeper_process child;
	int pair[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	child.pid = fork();
	if (!child.pid) {
		bool ok = true;

		close(pair[0]);
		for (i = 0; i < parts; i++)
			ok = ok && (!part[i].inherited || part_right(&part[i]));
		say(pair[1], ok ? 'y' : 'n');
		hear(pair[1]);
		/* What is inherited is right to the end. */
		for (i = 0; i < parts; i++)
			ok = ok && (!part[i].inherited || part_right(&part[i]));
		_exit(ok ? 0 : 1);
	}
	close(pair[1]);
	child.sock = pair[0];
	return child;
}

static bool end_process(const struct keeper_process *process, bool killed)
{
	int status;

	if (killed)
		kill(process->pid, SIGKILL);
	else
		say(process->sock, 'e');
	close(process->sock);
	if (waitpid(process->pid, &status, 0) != process->pid)
		abort();
	return killed ? WIFSIGNALED(status) : !status;
}

/* Takes the region, or another handle of the one that stays. */
static bool take(FIXTURE_DATA(matrix) *self, uint32_t flags, int *fd, uint32_t *handle,
		 uint64_t *offset)
{
	struct aclkm_import import;
	struct aclkm_alloc alloc;

	*fd = dev_open(O_RDWR);
	if (self->forever >= 0) {
		if (dev_import(*fd, self->forever, &import))
			return false;
		*handle = import.handle;
		*offset = import.offset;
		return true;
	}
	if (dev_alloc_flags(*fd, self->size, 0, flags, &alloc))
		return false;
	*handle = alloc.handle;
	*offset = alloc.offset;
	return true;
}

static const char *run(FIXTURE_DATA(matrix) *self, uint32_t flags, enum shape shape,
		       int order_number, bool killed)
{
	struct aclkm_info start = dev_info(self->watch);
	uint64_t held = start.free - (self->forever < 0 ? self->size : 0), offset;
	int order[KEEPERS], i, j, n, fd;
	struct keeper_process child, peer;
	struct part part[3];
	uint32_t handle;
	char *mem;

	permutation(order_number, KEEPERS, order);
	if (!take(self, flags, &fd, &handle, &offset))
		return "take";
	/* Before there is a mapping, so that it inherits none. */
	peer = start_peer(offset, self->size, self->watch);
	mem = dev_map(fd, offset, self->size);
	if (mem == MAP_FAILED)
		return "mmap";
	fill(mem, self->size);
	if (fd_send(peer.sock, fd) || hear(peer.sock) != 'y')
		return "bytes in the other process";
	n = shape_mapping(shape, mem, self->size, self->unit, part);
	if (n < 0)
		return "shape";
	child = start_child(part, n);
	if (hear(child.sock) != 'y')
		return "bytes in the child";
	for (i = 0; i < n; i++)
		if (!part_right(&part[i]))
			return "bytes";

	for (i = 0; i < KEEPERS; i++) {
		switch (order[i]) {
		case HANDLE:
			if (dev_free(fd, handle))
				return "FREE";
			close(fd);
			break;
		case MAPPING:
			for (j = 0; j < n; j++) {
				if (!part_right(&part[j]))
					return "bytes before unmap";
				munmap(part[j].addr, part[j].len);
			}
			break;
		case CHILD:
			if (!end_process(&child, killed))
				return "end of the child";
			break;
		case PEER:
			if (!end_process(&peer, killed))
				return "end of the other process";
			break;
		}
		if (i < KEEPERS - 1 && dev_info(self->watch).free != held)
			return "free bytes while somebody keeps it";
	}
	return accounts_as(self->watch, &start) ? NULL : "accounts at the end";
}

static int runs_wanted(void)
{
	int n = rounds(RUNS);

	return n < RUNS ? n : RUNS;
}

/* Each shape with each order, once with processes that exit, once killed. */
static int run_all(FIXTURE_DATA(matrix) *self, uint32_t flags)
{
	int i, n = runs_wanted();

	for (i = 0; i < n; i++) {
		/* A part of them, too, is of all kinds. */
		int at = i * 7 % RUNS, shape = at / 2 / ORDERS, order = at / 2 % ORDERS;
		const char *wrong = run(self, flags, shape, order, at & 1);

		if (wrong) {
			printf("# %s, order %d, %s: %s\n", shape_names[shape], order,
			       at & 1 ? "killed" : "exit", wrong);
			return -1;
		}
	}
	return n;
}

TEST_F_TIMEOUT(matrix, every_shape_and_order, 180)
{
	int runs;

	NEED_MODE();
	if (self->size < GIB) {
		runs = run_all(self, variant->flags);
		TH_LOG("%d runs", runs);
		EXPECT_EQ(runs_wanted(), runs);
		return;
	}
	/*
	 * A GiB that becomes free must be cleared before it can be taken again, which
	 * takes longer than all the rest: all orders with one region that stays, then
	 * one order with regions that go.
	 */
	self->alloc_fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_alloc_flags(self->alloc_fd, self->size, 0, variant->flags, &self->alloc));
	self->forever = dev_export(self->alloc_fd, self->alloc.handle, 0, 0, ACLKM_EXPORT_CLOEXEC);
	ASSERT_LE(0, self->forever);
	runs = run_all(self, variant->flags);
	TH_LOG("%d runs", runs);
	EXPECT_EQ(runs_wanted(), runs);
	close(self->forever);
	close(self->alloc_fd);
	self->forever = -1;
	EXPECT_TRUE(accounts_back(self->watch, &self->before));
	for (int shape = 0; shape < SHAPES && runs > 0; shape++)
		EXPECT_EQ(NULL, run(self, variant->flags, shape, 5 + shape, shape & 1));
}

/* S1, S2, S3: no page but the region's, whichever way it is asked for. */
TEST_F(matrix, offsets_and_growth)
{
	struct aclkm_alloc alloc;
	uint64_t n = variant->size / PAGE, i;
	char *mem, *more;
	int fd;
	const struct { uint64_t at, pages; bool good; } table[] = {
		{ 0, 1, true }, { 0, n, true }, { n - 1, 1, true }, { 1, n - 1, true },
		{ 0, n + 1, false }, { 1, n, false }, { n - 1, 2, false }, { n, 1, false },
		{ n + 1, 1, false }, { n + n, 1, false }, { n - 1, 1ULL << 34, false },
		{ (1ULL << 28) - 1, 1, false }, { (1ULL << 28) - 1, 2, false },
		{ 1ULL << 28, 1, false }, { (1ULL << 50) - 1, 1, false },
		{ (1ULL << 51) - 1, 1, false },
	};

	NEED_MODE();
	fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_alloc_flags(fd, variant->size, 0, variant->flags, &alloc));
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mem = mmap(NULL, table[i].pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   (alloc.offset + table[i].at * PAGE) & INT64_MAX);
		EXPECT_EQ(table[i].good, mem != MAP_FAILED) {
			TH_LOG("page %llu + %llu of %llu", (unsigned long long)table[i].at,
			       (unsigned long long)table[i].pages, (unsigned long long)n);
		}
		if (mem == MAP_FAILED)
			continue;
		/* Its last byte is there. */
		mem[table[i].pages * PAGE - 1] = 1;
		munmap(mem, table[i].pages * PAGE);
	}
	/* Larger than it was mapped, in place or elsewhere, whole or its end. */
	mem = dev_map(fd, alloc.offset, variant->size);
	ASSERT_NE(MAP_FAILED, mem);
	mem[0] = 1;
	more = mremap(mem, variant->size, variant->size + PAGE, 0);
	EXPECT_EQ(MAP_FAILED, more);
	more = mremap(mem, variant->size, 2 * variant->size, MREMAP_MAYMOVE);
	EXPECT_EQ(MAP_FAILED, more);
	more = mremap(mem + variant->size - PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	EXPECT_EQ(MAP_FAILED, more);
	munmap(mem, variant->size);
	/* A part of it does not grow into what follows in the region either. */
	mem = dev_map(fd, alloc.offset, variant->size - PAGE);
	ASSERT_NE(MAP_FAILED, mem);
	more = mremap(mem, variant->size - PAGE, variant->size, MREMAP_MAYMOVE);
	EXPECT_EQ(MAP_FAILED, more);
	munmap(mem, variant->size - PAGE);
	close(fd);
}

/* Advice that makes the core walk, drop, cut or try to move the entries. */
TEST_F(matrix, advice)
{
	static const int advice[] = { MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT, MADV_SEQUENTIAL,
				      MADV_WILLNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_FREE,
				      MADV_REMOVE, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
				      MADV_MERGEABLE, MADV_WIPEONFORK, 25 /* MADV_COLLAPSE */ };
	uint64_t odd = variant->unit > PAGE ? variant->unit / 2 + PAGE : PAGE;
	unsigned char *seen = malloc(variant->size / PAGE);
	struct aclkm_alloc alloc;
	struct part part;
	int fd, i;
	char *mem;

	NEED_MODE();
	fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_alloc_flags(fd, variant->size, 0, variant->flags, &alloc));
	mem = dev_map(fd, alloc.offset, variant->size);
	ASSERT_NE(MAP_FAILED, mem);
	part = (struct part){ mem, 0, variant->size, true };
	fill(mem, variant->size);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		/* Whether it is taken is the kernel's affair; the bytes are not. */
		madvise(mem, variant->size, advice[i]);
		EXPECT_TRUE(part_right(&part))
			TH_LOG("advice %d", advice[i]);
		madvise(mem + odd, variant->size - odd, advice[i]);
		EXPECT_TRUE(part_right(&part))
			TH_LOG("advice %d to a part", advice[i]);
	}
	EXPECT_EQ(0, mincore(mem, variant->size, seen));
	EXPECT_EQ(0, mprotect(mem + odd, PAGE, PROT_NONE));
	EXPECT_EQ(0, mprotect(mem + odd, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_TRUE(part_right(&part));
	mlock(mem, variant->size);
	munlock(mem, variant->size);
	EXPECT_TRUE(part_right(&part));
	munmap(mem, variant->size);
	close(fd);
	free(seen);
}

/*
 * The entries of a large mapping are dropped when it is cut. Whoever has another
 * region mapped must not notice.
 */
TEST(cutting_one_leaves_others_alone)
{
	static const uint32_t flags[] = { ACLKM_ALLOC_WC, ACLKM_ALLOC_UC, ACLKM_ALLOC_SMALL,
					  ACLKM_ALLOC_HUGE_2M };
	int watch = dev_open(O_RDWR), fd = dev_open(O_RDWR), other = dev_open(O_RDWR), i;
	struct aclkm_info before = dev_info(watch);
	struct aclkm_alloc alloc;
	struct part part[4];
	char *mem;

	if (!dev_has(watch, ACLKM_FEATURE_HUGE_1G) || before.largest_free < GIB)
		SKIP(return, "no entries of 1 GiB");
	ASSERT_EQ(0, dev_alloc_flags(fd, GIB, 0, ACLKM_ALLOC_HUGE_1G, &alloc));
	mem = dev_map(fd, alloc.offset, GIB);
	ASSERT_NE(MAP_FAILED, mem);
	for (i = 0; i < 4; i++) {
		struct aclkm_alloc small;

		ASSERT_EQ(0, dev_alloc_flags(other, SIZE_2M, 0, flags[i], &small));
		part[i] = (struct part){ dev_map(other, small.offset, SIZE_2M), 0, SIZE_2M, true };
		ASSERT_NE(MAP_FAILED, part[i].addr);
		fill(part[i].addr, SIZE_2M);
	}
	mem[0] = 1;
	ASSERT_EQ(0, mprotect(mem + SIZE_2M / 2, 4 * PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(mem + SIZE_2M / 4, 4 * PAGE));
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(part_right(&part[i]));
		munmap(part[i].addr, SIZE_2M);
	}
	munmap(mem, GIB);
	close(fd);
	close(other);
	EXPECT_TRUE(accounts_back(watch, &before));
	close(watch);
}

static volatile bool touching;

static void *toucher(void *mem)
{
	uint64_t at;

	while (touching)
		for (at = SIZE_2M; at < GIB; at += 64 * SIZE_2M)
			(void)*(volatile char *)(mem + at);
	return NULL;
}

/* The entry that the cut takes away comes back by the next touch: not before the cut. */
TEST(cutting_what_another_thread_touches)
{
	int watch = dev_open(O_RDWR), fd = dev_open(O_RDWR), i;
	struct aclkm_info before = dev_info(watch);
	struct part part = { .len = GIB };
	struct aclkm_alloc alloc;
	pthread_t thread;

	if (!dev_has(watch, ACLKM_FEATURE_HUGE_1G) || before.largest_free < GIB)
		SKIP(return, "no entries of 1 GiB");
	ASSERT_EQ(0, dev_alloc_flags(fd, GIB, 0, ACLKM_ALLOC_HUGE_1G, &alloc));
	for (i = 0; i < rounds(200); i++) {
		part.addr = dev_map(fd, alloc.offset, GIB);
		ASSERT_NE(MAP_FAILED, part.addr);
		if (!i)
			fill(part.addr, GIB);
		touching = true;
		ASSERT_EQ(0, pthread_create(&thread, NULL, toucher, part.addr));
		usleep(i % 8 * 50);
		EXPECT_EQ(0, mprotect(part.addr + SIZE_2M - PAGE, PAGE, PROT_READ));
		EXPECT_EQ(0, munmap(part.addr + GIB - PAGE, PAGE));
		touching = false;
		pthread_join(thread, NULL);
		EXPECT_TRUE(pattern_is(part.addr, 0, PAGE, 1));
		munmap(part.addr, GIB);
	}
	close(fd);
	EXPECT_TRUE(accounts_back(watch, &before));
	close(watch);
}

/* rmmod is refused as long as anything is there, whatever goes last. */
TEST(unload_in_every_order)
{
	int order[KEEPERS], o, i, fd, buf, status;
	char reserve[128], params[160];
	struct aclkm_alloc alloc;
	uint32_t flags;
	pid_t pid;
	char *mem;

	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "needs root and the module as " MODULE);
	ASSERT_LT(0, file_read("/sys/module/aclkm/parameters/reserve", reserve, sizeof(reserve)));
	reserve[strcspn(reserve, "\n")] = 0;
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load("reserve=8M"));
	for (o = 0; o < ORDERS; o++) {
		permutation(o, KEEPERS, order);
		fd = dev_open(O_RDWR);
		ASSERT_LE(0, fd);
		flags = o & 1 && dev_has(fd, ACLKM_FEATURE_CACHE) ? ACLKM_ALLOC_WC : 0;
		ASSERT_EQ(0, dev_alloc_flags(fd, SIZE_2M, 0, flags, &alloc));
		buf = dev_export(fd, alloc.handle, 0, 0, ACLKM_EXPORT_CLOEXEC);
		ASSERT_LE(0, buf);
		mem = dev_map(fd, alloc.offset, SIZE_2M);
		ASSERT_NE(MAP_FAILED, mem);
		memset(mem, 1, SIZE_2M);
		pid = fork();
		if (!pid) {
			close(fd);
			close(buf);
			munmap(mem + PAGE, PAGE);
			pause();
			_exit(0);
		}
		for (i = 0; i < KEEPERS; i++) {
			EXPECT_EQ(-EAGAIN, module_unload());
			switch (order[i]) {
			case HANDLE:
				close(fd);
				break;
			case MAPPING:
				munmap(mem, SIZE_2M);
				break;
			case CHILD:
				kill(pid, SIGKILL);
				ASSERT_EQ(pid, waitpid(pid, &status, 0));
				break;
			case PEER:
				close(buf);
				break;
			}
		}
		if (o % 6 == 5) {
			/* A dma-buf's file goes a moment after its descriptor. */
			for (i = 0; i < 50 && (status = module_unload()) == -EAGAIN; i++)
				usleep(10 * 1000);
			ASSERT_EQ(0, status);
			ASSERT_EQ(0, module_load("reserve=8M"));
		}
	}
	for (i = 0; i < 50 && (status = module_unload()) == -EAGAIN; i++)
		usleep(10 * 1000);
	EXPECT_EQ(0, status);
	snprintf(params, sizeof(params), "reserve=%s", reserve);
	ASSERT_EQ(0, module_load(params));
}

TEST_HARNESS_MAIN
