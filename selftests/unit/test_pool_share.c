// SPDX-License-Identifier: MIT
/*
 * Pools in two real processes: this program starts itself again as the other one, by
 * exec, and sends it the pool's file over a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "client.h"

/* What goes to the other side, beside the file, and what comes back. */
struct order {
	char what; /* i import, w wait for the release, q quit */
	uint64_t offset, len;
	uint64_t expected; /* first word of the segment */
};

struct report {
	int import, copies, release, again;
	uint64_t size, first, last;
	int writable;
};

static int side; /* this process's end of the socket */
static pid_t other;

static void send_order(const struct order *order, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)order, sizeof(*order)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	}
	if (sendmsg(side, &message, 0) != (ssize_t)sizeof(*order))
		bail_out("the order was not sent");
}

static int receive_order(struct order *order)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {order, sizeof(*order)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.room)};
	int fd = -1;

	if (recvmsg(side, &message, 0) != (ssize_t)sizeof(*order))
		exit(3);
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* Whether the address can be written, without a fault where it cannot. */
static bool can_write(void *addr)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	bool can = read(zero, addr, 8) == 8;

	close(zero);
	return can;
}

/* The imported pool is device memory: a stream copies out of it and into it. */
static int copy_by_stream(uint64_t *segment, uint64_t len)
{
	aclrtStream stream;
	uint64_t *host;
	int code = aclrtMallocHost((void **)&host, len) | aclrtCreateStream(&stream);

	if (code)
		return code;
	code = aclrtMemcpyAsync(host, len, segment, len, ACL_MEMCPY_DEVICE_TO_HOST,
				stream);
	code |= aclrtSynchronizeStream(stream);
	if (host[0] != segment[0])
		code |= 1;
	host[0] = ~host[0];
	code |= aclrtMemcpyAsync(segment, len, host, len, ACL_MEMCPY_HOST_TO_DEVICE,
				 stream);
	return code | aclrtSynchronizeStream(stream) | aclrtDestroyStream(stream) |
	       aclrtFreeHost(host);
}

static struct report use(int fd, const struct order *order)
{
	struct report report = {0};
	uint64_t *segment;
	void *base = NULL;

	report.import = aclkm_pool_import(fd, &base, &report.size);
	close(fd);
	if (report.import)
		return report;
	segment = (uint64_t *)(void *)((char *)base + order->offset);
	report.first = segment[0];
	report.last = segment[order->len / 8 - 1];
	/* The last word: what the owner does not look at. */
	report.writable = can_write((char *)base + report.size - 8);
	if (report.writable)
		report.copies = copy_by_stream(segment, order->len);
	report.release = aclkm_pool_release(base);
	report.again = aclkm_pool_release(base);
	return report;
}

static int other_side(int fd)
{
	struct report report;
	struct order order;

	side = fd;
	if (aclrtSetDevice(0))
		return 4;
	for (;;) {
		int file = receive_order(&order);

		if (order.what == 'q')
			return 0;
		report = use(file, &order);
		if (write(side, &report, sizeof(report)) != (ssize_t)sizeof(report))
			return 5;
	}
}

static void start_other(void)
{
	int pair[2];
	char number[16];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		bail_out("no socket");
	other = fork();
	if (other < 0)
		bail_out("no process");
	if (!other) {
		close(pair[0]);
		snprintf(number, sizeof(number), "%d", pair[1]);
		execl("/proc/self/exe", "test_pool_share", number, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	side = pair[0];
}

static struct report ask(uint64_t offset, uint64_t len, int fd)
{
	const struct order order = {.what = 'i', .offset = offset, .len = len};
	struct report report = {0};

	send_order(&order, fd);
	if (read(side, &report, sizeof(report)) != (ssize_t)sizeof(report))
		bail_out("the other side has ended");
	return report;
}

static struct aclkm_pool *make(struct aclkm_pool_options options)
{
	struct aclkm_pool *pool = NULL;

	options.flags |= ACLKM_POOL_SHARED;
	if (aclkm_pool_make(&options, &pool))
		bail_out(aclkm_last_error());
	return pool;
}

/* Two segments; the second is named to the other process by its place. */
static void share(struct aclkm_pool_options options, size_t len, const char *what)
{
	struct aclkm_pool *pool = make(options);
	uint64_t offset = 0, asked = 0, *first, *second;
	struct report report;
	int fd;

	is(aclkm_segment_alloc(pool, len, (void **)&first), 0, "%s: a segment", what);
	is(aclkm_segment_alloc(pool, len, (void **)&second), 0, "%s: and another", what);
	memset(first, 1, len);
	second[0] = 0xabcdef;
	second[len / 8 - 1] = 0xfedcba;
	is(aclkm_segment_place(pool, second, &offset, &asked), 0, "%s: its place", what);
	is(asked, len, "%s: as long as asked", what);
	is(offset, (char *)second - (char *)aclkm_pool_base(pool), "%s: is its offset",
	   what);
	is(aclkm_pool_export(pool, 0, &fd), 0, "%s: export", what);
	is(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "%s: close on exec", what);
	report = ask(offset, len, fd);
	is(report.import, 0, "%s: the other process imports", what);
	ok(report.size >= options.size, "%s: all of it", what);
	ok(report.first == 0xabcdef && report.last == 0xfedcba, "%s: the same bytes",
	   what);
	is(report.copies, 0, "%s: its streams copy from and to it", what);
	is(second[0], ~0xabcdefUL, "%s: and this process sees it", what);
	is(first[0], 0x0101010101010101, "%s: the other segment is as it was", what);
	is(report.release, 0, "%s: release", what);
	is(report.again, ACLKM_ERR_FOREIGN, "%s: release again", what);

	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "%s: destroy", what);
	report = ask(offset, len, fd);
	is(report.import, 0, "%s: the file keeps the memory", what);
	is(report.last, 0xfedcba, "%s: and its bytes", what);
	close(fd);
}

static void read_only(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = MIB});
	struct report report;
	uint64_t *segment;
	int fd;

	is(aclkm_segment_alloc(pool, 4096, (void **)&segment), 0, "a segment");
	segment[0] = 5;
	is(aclkm_pool_export(pool, ACLKM_POOL_READ_ONLY, &fd), 0, "export to read");
	ok(mmap(NULL, MIB, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED,
	   "cannot be mapped writable");
	report = ask(0, 4096, fd);
	is(report.import, 0, "import");
	is(report.first, 5, "reads");
	is(report.writable, 0, "and cannot write");
	close(fd);
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "destroy");
}

/* The file has nothing of other blocks in it, nor of what was freed before. */
static void only_its_own(void)
{
	struct aclkm_pool *pool;
	uint64_t size = 0, i;
	void *block, *near, *base;
	const char *bytes;
	int fd;

	is(aclkm_memory_alloc(4 * MIB, 0, ACLKM_PAGES_NORMAL, &block), 0, "a block");
	is(aclkm_memory_alloc(4096, 0, ACLKM_PAGES_NORMAL, &near), 0, "and another");
	memset(block, 's', 4 * MIB);
	memset(near, 's', 4096);
	is(aclkm_memory_free(block), 0, "free it");
	pool = make((struct aclkm_pool_options){.size = 4 * MIB,
						.pages = ACLKM_PAGES_NORMAL});
	is(aclkm_pool_export(pool, 0, &fd), 0, "export");
	is(aclkm_pool_import(fd, &base, &size), 0, "import in the same process");
	bytes = base;
	for (i = 0; i < size && !bytes[i]; i++)
		;
	is(i, size, "nothing but zeros");
	is(aclkm_pool_release(base), 0, "release");
	close(fd);
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
	is(aclkm_memory_free(near), 0, "free");
}

static void bad_arguments(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = 100});
	struct aclkm_pool *plain = NULL, *child = NULL;
	struct aclkm_pool_stats stats;
	struct aclkm_pool_options in = {.size = 4096, .flags = ACLKM_POOL_SHARED};
	uint64_t offset = 7, size;
	void *segment, *base;
	int fd = -7, file = memfd_create("test", MFD_CLOEXEC);

	is(aclkm_pool_stats(pool, &stats), 0, "stats");
	is(stats.size % 4096, 0, "whole pages");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, SIZE_MAX - 5, 0, ACLKM_POOL_SHARED,
			     &child),
	   ACLKM_ERR_OVERFLOW, "2^64 - 6 bytes");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, 0, 8, &child), ACLKM_ERR_INVALID,
	   "flag 8");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, 0, 0, &plain), 0, "a plain pool");
	is(aclkm_pool_export(NULL, 0, &fd), ACLKM_ERR_INVALID, "export NULL");
	is(aclkm_pool_export(pool, 0, NULL), ACLKM_ERR_INVALID, "export to NULL");
	is(aclkm_pool_export(pool, 2, &fd), ACLKM_ERR_INVALID, "export: flags");
	is(aclkm_pool_export(plain, 0, &fd), ACLKM_ERR_UNSUPPORTED,
	   "export what was not made for it");
	ok(strstr(aclkm_last_error(), "ACLKM_POOL_SHARED"), "the text says how");
	is(fd, -7, "nothing is written");
	in.parent = plain;
	is(aclkm_pool_make(&in, &child), ACLKM_ERR_INVALID, "shared, in a pool");
	ok(strstr(aclkm_last_error(), "parent"), "the text says why");

	is(aclkm_pool_import(-1, &base, &size), ACLKM_ERR_INVALID, "import -1");
	is(aclkm_pool_import(file, &base, &size), ACLKM_ERR_INVALID,
	   "import an empty memfd");
	is(ftruncate(file, 8192), 0, "make it longer");
	is(aclkm_pool_import(file, &base, &size), ACLKM_ERR_INVALID,
	   "import somebody's memfd");
	is(aclkm_pool_import(side, &base, &size), ACLKM_ERR_INVALID, "import a socket");
	is(aclkm_pool_import(file, NULL, &size), ACLKM_ERR_INVALID, "import to NULL");
	is(aclkm_pool_import(file, &base, NULL), ACLKM_ERR_INVALID,
	   "import without a size");
	is(ask(0, 8, file).import, ACLKM_ERR_INVALID, "in the other process as well");
	is(aclkm_pool_release(NULL), ACLKM_ERR_INVALID, "release NULL");
	is(aclkm_pool_release(aclkm_pool_base(pool)), ACLKM_ERR_FOREIGN,
	   "release the pool's own");
	close(file);

	is(aclkm_segment_alloc(plain, 1000, &segment), 0, "a segment");
	is(aclkm_segment_place(NULL, segment, &offset, NULL), ACLKM_ERR_INVALID,
	   "place: no pool");
	is(aclkm_segment_place(plain, NULL, &offset, NULL), ACLKM_ERR_INVALID,
	   "place: no segment");
	is(aclkm_segment_place(plain, segment, NULL, NULL), ACLKM_ERR_INVALID,
	   "place: no room");
	is(aclkm_segment_place(plain, (char *)segment + 64, &offset, NULL),
	   ACLKM_ERR_INTERIOR, "place: inside");
	is(aclkm_segment_place(plain, (char *)segment + 65536, &offset, NULL),
	   ACLKM_ERR_NOTALIVE, "place: free");
	is(aclkm_segment_place(pool, segment, &offset, NULL), ACLKM_ERR_FOREIGN,
	   "place: another pool's");
	is(offset, 7, "nothing is written");
	in.flags = 0;
	is(aclkm_pool_make(&in, &child), 0, "a pool in it");
	is(aclkm_segment_place(plain, aclkm_pool_base(child), &offset, NULL),
	   ACLKM_ERR_KIND, "place: a pool");
	is(aclkm_pool_destroy(child, 0), 0, "destroy");
	is(aclkm_pool_destroy(plain, ACLKM_POOL_FORCE), 0, "destroy");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

/* Out of open files: the call says so, and the pool is as before. */
static void no_more_files(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool *none = NULL;
	struct rlimit before, now;
	int fd = -7, kept;

	/* What is kept would be given back, and its files closed. */
	aclkm_memory_trim(0);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	kept = dup(0);
	close(kept);
	now.rlim_cur = (rlim_t)kept;
	setrlimit(RLIMIT_NOFILE, &now);
	is(aclkm_pool_export(pool, 0, &fd), ACLKM_ERR_LIMIT, "no files left");
	is(aclkm_pool_export(pool, ACLKM_POOL_READ_ONLY, &fd), ACLKM_ERR_LIMIT,
	   "nor to read");
	is(fd, -7, "nothing is written");
	ok(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, ACLKM_PAGES_NORMAL,
			     ACLKM_POOL_SHARED, &none) < 0,
	   "and no shared pool: %s", aclkm_last_error());
	setrlimit(RLIMIT_NOFILE, &before);
	is(aclkm_pool_export(pool, 0, &fd), 0, "with files again");
	close(fd);
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

static void test_end(size_t before)
{
	int status = -1;

	send_order(&(struct order){.what = 'q'}, -1);
	waitpid(other, &status, 0);
	is(status, 0, "the other side ends well");
	aclkm_memory_trim(0);
	is(free_bytes(), before, "all memory is back");
}

int main(int argc, char **argv)
{
	size_t before;

	small_device();
	if (argc == 2)
		return other_side(atoi(argv[1]));
	start_other();
	need_device();
	before = free_bytes();
	share((struct aclkm_pool_options){.size = MIB}, 1000, "any length");
	share((struct aclkm_pool_options){.size = 4 * MIB}, MIB, "2 MiB pages");
	share((struct aclkm_pool_options){.size = MIB, .flags = ACLKM_POOL_THREADS}, 1000,
	      "threads");
	share((struct aclkm_pool_options){.size = MIB, .block = 4000}, 4000, "blocks");
	share((struct aclkm_pool_options){.size = MIB, .kind = ACLKM_POOL_MEDIA}, 800,
	      "media");
	read_only();
	only_its_own();
	bad_arguments();
	no_more_files();
	test_end(before);
	return done_testing();
}
