// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of 32-bit programs, made from this 64-bit one: int $0x80 enters the kernel
 * as they do. Pointers have 32 bits, so arguments are static, in a program that is
 * not position-independent; mmap2() counts its offset in pages, in 32 bits.
 */
#include "dmabuf.h"
#include "kselftest_harness.h"
#include <pthread.h>

#define REGIONS 40
#define SIZE (16 * PAGE)

static union {
	struct aclkm_info info;
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_import import;
	struct aclkm_free free;
	struct aclkm_map map;
} arg;

/* The bytes of a piece of kernel interface that 32-bit programs see. */
#if defined(__x86_64__)
#define NR32_IOCTL 54
#define NR32_MMAP2 192
static long call32(long nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	long result;

	asm volatile("push %%rbp\n\t"
		     "mov %[f], %%ebp\n\t"
		     "int $0x80\n\t"
		     "pop %%rbp"
		     : "=a"(result)
		     : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
		     : "memory", "r8", "r9", "r10", "r11", "cc");
	return (int32_t)result < 0 && (int32_t)result > -4096 ? (int32_t)result :
							       (long)(uint32_t)result;
}

static bool has_calls32(void)
{
	/* getpid() */
	return call32(20, 0, 0, 0, 0, 0, 0) == getpid();
}
#else
#define NR32_IOCTL 0
#define NR32_MMAP2 0
static long call32(long nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	return -ENOSYS;
}

static bool has_calls32(void)
{
	return false;
}
#endif

static int ioctl32(int fd, unsigned long cmd)
{
	return call32(NR32_IOCTL, fd, cmd, (uintptr_t)&arg, 0, 0, 0);
}

static char *map32(int fd, uint64_t offset, uint32_t len)
{
	long at;

	if (offset >> 12 >> 32) {
		printf("# the offset %#llx needs more than 32 bits of pages\n",
		       (unsigned long long)offset);
		return NULL;
	}
	at = call32(NR32_MMAP2, 0, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset >> 12);
	if (at < 0) {
		printf("# mmap2: %ld\n", at);
		return NULL;
	}
	return (char *)at;
}

static int alloc32(int fd, uint64_t size)
{
	memset(&arg, 0, sizeof(arg));
	arg.alloc.size = size;
	arg.alloc.node = ACLKM_NODE_ANY;
	return ioctl32(fd, ACLKM_IOC_ALLOC);
}

FIXTURE(compat) {
	int fd;
	int file;
	struct aclkm_info before;
};

FIXTURE_SETUP(compat)
{
	self->fd = dev_open(O_RDWR);
	self->file = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->file);
	self->before = dev_info(self->fd);
	if (!has_calls32())
		SKIP(return, "this kernel has no 32-bit system calls");
}

FIXTURE_TEARDOWN(compat)
{
	close(self->file);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

TEST_F(compat, every_handle_has_an_offset_that_mmap2_can_name)
{
	uint64_t offset[REGIONS];
	char *mem[REGIONS];
	int i;

	for (i = 0; i < REGIONS; i++) {
		ASSERT_EQ(0, alloc32(self->file, SIZE));
		offset[i] = arg.alloc.offset;
		mem[i] = map32(self->file, offset[i], SIZE);
		ASSERT_NE(NULL, mem[i]);
		pattern_fill(mem[i], 0, SIZE, i);
	}
	for (i = 0; i < REGIONS; i++) {
		EXPECT_TRUE(pattern_is(mem[i], 0, SIZE, i));
		munmap(mem[i], SIZE);
	}
	/* A part, up to the last page and not beyond. */
	mem[0] = map32(self->file, offset[30] + SIZE - PAGE, PAGE);
	ASSERT_NE(NULL, mem[0]);
	EXPECT_TRUE(pattern_is(mem[0], SIZE - PAGE, PAGE, 30));
	munmap(mem[0], PAGE);
	EXPECT_EQ(NULL, map32(self->file, offset[30] + SIZE - PAGE, 2 * PAGE));
	EXPECT_EQ(NULL, map32(self->file, offset[REGIONS - 1] + SIZE, PAGE));
}

TEST_F(compat, offsets_of_a_freed_handle_name_nothing)
{
	uint64_t first, offset;
	uint32_t handle;

	ASSERT_EQ(0, alloc32(self->file, SIZE));
	first = arg.alloc.offset;
	ASSERT_EQ(0, alloc32(self->file, SIZE));
	offset = arg.alloc.offset;
	handle = arg.alloc.handle;
	EXPECT_NE(first, offset);
	ASSERT_EQ(0, dev_free(self->file, handle));
	EXPECT_EQ(NULL, map32(self->file, offset, SIZE));
	EXPECT_EQ(MAP_FAILED, dev_map(self->file, offset, SIZE));
	EXPECT_EQ(EINVAL, errno);
	/* Offsets come back: a handle gets what the freed one had. */
	ASSERT_EQ(0, alloc32(self->file, SIZE));
	EXPECT_EQ(offset, arg.alloc.offset);
}

TEST_F(compat, both_offsets_of_a_handle_map_the_same_memory)
{
	struct aclkm_alloc alloc;
	char *wide, *low;
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, dev_alloc(self->file, SIZE, 0, &alloc));
	wide = dev_map(self->file, alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, wide);
	pattern_fill(wide, 0, SIZE, 7);
	/* A 32-bit program that inherited the file asks for its own offset. */
	memset(&arg, 0, sizeof(arg));
	arg.query.handle = alloc.handle;
	ASSERT_EQ(0, ioctl32(self->file, ACLKM_IOC_QUERY));
	low = map32(self->file, arg.query.offset, SIZE);
	ASSERT_NE(NULL, low);
	EXPECT_TRUE(pattern_is(low, 0, SIZE, 7));
	munmap(low, SIZE);
	munmap(wide, SIZE);
}

TEST_F(compat, imports_have_such_offsets_too)
{
	struct aclkm_alloc alloc;
	char *mem, *low;
	int i, buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, dev_alloc(self->file, SIZE, 0, &alloc));
	mem = dev_map(self->file, alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	pattern_fill(mem, 0, SIZE, 9);
	buf = dev_export(self->file, alloc.handle, PAGE, 2 * PAGE, 0);
	ASSERT_LE(0, buf);
	for (i = 0; i < 30; i++) {
		memset(&arg, 0, sizeof(arg));
		arg.import.fd = buf;
		ASSERT_EQ(0, ioctl32(self->file, ACLKM_IOC_IMPORT));
	}
	low = map32(self->file, arg.import.offset, 2 * PAGE);
	ASSERT_NE(NULL, low);
	EXPECT_TRUE(pattern_is(low, PAGE, 2 * PAGE, 9));
	EXPECT_EQ(NULL, map32(self->file, arg.import.offset, 3 * PAGE));
	munmap(low, 2 * PAGE);
	munmap(mem, SIZE);
	close(buf);
}

TEST_F(compat, map_is_the_same_call)
{
	static struct aclkm_map_extent low[64], wide[64];
	struct aclkm_map map = {};

	ASSERT_EQ(0, alloc32(self->file, SIZE));
	memset(&arg, 0, sizeof(arg));
	arg.map.extents = (uintptr_t)low;
	arg.map.count = 64;
	ASSERT_EQ(0, ioctl32(self->file, ACLKM_IOC_MAP));
	map.extents = (uintptr_t)wide;
	map.count = 64;
	ASSERT_EQ(0, dev_ioctl(self->file, ACLKM_IOC_MAP, &map));
	EXPECT_EQ(map.size, arg.map.size);
	EXPECT_EQ(map.phys, arg.map.phys);
	EXPECT_LT(0, arg.map.count);
	EXPECT_EQ(wide[0].len, low[0].len);
	EXPECT_EQ(wide[0].state, low[0].state);
}

/* Asks for the offset of handle 1 until told to stop; 32-bit calls need static memory. */
static volatile bool query_stop;
static unsigned long queries_answered;

static void *query_handle_1(void *file)
{
	static struct aclkm_query query;

	while (!query_stop) {
		query = (struct aclkm_query){ .handle = 1 };
		if (!call32(NR32_IOCTL, *(int *)file, ACLKM_IOC_QUERY, (uintptr_t)&query, 0, 0, 0))
			queries_answered++;
	}
	return NULL;
}

TEST_F_TIMEOUT(compat, query_leaves_no_offset_of_a_handle_that_is_freed_meanwhile, 120)
{
	struct aclkm_alloc alloc;
	pthread_t thread;
	uint64_t first;
	int i, n = rounds(20000);

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one processor");
	ASSERT_EQ(0, alloc32(self->file, SIZE));
	ASSERT_EQ(1, arg.alloc.handle);
	first = arg.alloc.offset;
	ASSERT_EQ(0, dev_free(self->file, 1));

	/* ALLOC takes the lowest free number: the handles are all number 1. */
	query_stop = false;
	queries_answered = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, query_handle_1, &self->file));
	for (i = 0; i < n; i++) {
		if (dev_alloc(self->file, PAGE, 0, &alloc) || alloc.handle != 1 ||
		    dev_free(self->file, 1))
			break;
	}
	query_stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(n, i);
	EXPECT_LT(0, queries_answered);
	TH_LOG("%lu of the queries met a handle", queries_answered);

	/* No offset is taken: the next handle gets the first one again. */
	ASSERT_EQ(0, alloc32(self->file, SIZE));
	EXPECT_EQ(first, arg.alloc.offset);
}

TEST_F(compat, a_program_of_64_bits_sees_the_old_offsets)
{
	struct aclkm_alloc alloc;

	ASSERT_EQ(0, alloc32(self->file, SIZE));
	ASSERT_EQ(0, dev_alloc(self->file, SIZE, 0, &alloc));
	EXPECT_EQ((uint64_t)alloc.handle << 40, alloc.offset);
}

TEST_HARNESS_MAIN
