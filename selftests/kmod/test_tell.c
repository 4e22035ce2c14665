// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver tells: sysfs and INFO agree, debugfs has every byte of every
 * arena once, fdinfo counts, tracepoints say what happened; and nobody without
 * rights learns a physical address.
 */
#include "dmabuf.h"
#include "admin.h"
#include <ctype.h>
#include <ftw.h>
#include "kselftest_harness.h"

#define SIZE_2M (2 * MIB)
#define ARENAS "/sys/kernel/debug/aclkm/arenas"
#define TRACING "/sys/kernel/tracing/"
#define USER_A 1001

FIXTURE(tell) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(tell)
{
	if (geteuid())
		SKIP(return, "needs root");
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(tell)
{
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

static void wait_until_clean(int fd)
{
	struct aclkm_info info;
	int i;

	for (i = 0; i < 500; i++) {
		info = dev_info(fd);
		if (info.clean == info.free)
			return;
		usleep(20 * 1000);
	}
}

static bool sysfs_as_info(int fd)
{
	struct aclkm_info info = dev_info(fd);
	const struct { const char *name; uint64_t value; } files[] = {
		{ "arenas", info.nr_arenas }, { "total", info.total }, { "free", info.free },
		{ "largest_free", info.largest_free }, { "clean", info.clean },
		{ "dirty", info.free - info.clean }, { "held", info.held },
		{ "regions", info.nr_regions }, { "pinned", info.pinned },
	};
	bool same = true;
	int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		uint64_t got = sysfs_get(files[i].name);

		if (got == files[i].value)
			continue;
		printf("# %s: %llu in sysfs, %llu by INFO\n", files[i].name,
		       (unsigned long long)got, (unsigned long long)files[i].value);
		same = false;
	}
	return same;
}

TEST_F(tell, sysfs_agrees_with_info)
{
	struct aclkm_alloc alloc[4];
	struct aclkm_pin pin;
	void *mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, dev_alloc(self->fd, (i + 1) * 3 * PAGE, 0, &alloc[i]));
	pin = (struct aclkm_pin){ .addr = (uintptr_t)mem, .len = MIB };
	ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_PIN, &pin));
	wait_until_clean(self->fd);
	EXPECT_TRUE(sysfs_as_info(self->fd));
	EXPECT_EQ(self->before.nr_regions + 4, sysfs_get("regions"));
	EXPECT_EQ(self->before.free - 30 * PAGE, sysfs_get("free"));
	EXPECT_EQ(self->before.pinned + MIB, sysfs_get("pinned"));
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, dev_free(self->fd, alloc[i].handle));
	wait_until_clean(self->fd);
	EXPECT_TRUE(sysfs_as_info(self->fd));
	munmap(mem, MIB);
}

/* One extent of the map. */
struct line {
	uint64_t start, len, clean, align, entries;	/* bytes; start in the arena */
	uint64_t phys;
	bool taken;
	unsigned int uid;
	int pid;
	char cache[8];
};

#define LINES 4096
static struct line lines[LINES];

/*
 * Reads the map into lines[]. Checks that extents follow each other without gap or
 * overlap, fill the arena, and add up to what its first line says. Number of
 * extents, or negative.
 */
static int read_map(void)
{
	uint64_t start = 0, size = 0, at = 0, free = 0, regions = 0;
	unsigned long long said_free = 0, said_clean = 0, said_regions = 0, clean = 0;
	unsigned long long a, b, c, d;
	char text[512], state[16];
	int n = 0, arenas = 0, node, id, consumed;
	FILE *f = fopen(ARENAS, "re");
	bool more = f;

	while (more) {
		struct line *l = &lines[n];

		more = fgets(text, sizeof(text), f);
		if (!more || !strncmp(text, "arena ", 6)) {
			if (arenas && (at != size || free != said_free || clean != said_clean ||
				       regions != said_regions)) {
				printf("# the map of an arena of %llu bytes ends at %llu, free %llu of %llu, clean %llu of %llu, regions %llu of %llu\n",
				       (unsigned long long)size, (unsigned long long)at,
				       (unsigned long long)free, said_free, clean, said_clean,
				       (unsigned long long)regions, said_regions);
				fclose(f);
				return -1;
			}
			at = free = clean = regions = 0;
			if (!more)
				break;
			if (sscanf(text, "arena %d: %llu KiB at 0x%llx, node %d, free %llu KiB, clean %llu KiB, held %*u KiB, regions %llu",
				   &id, &a, &b, &node, &said_free, &said_clean,
				   &said_regions) != 7) {
				printf("# %s", text);
				return -2;
			}
			size = a * KIB;
			start = b;
			said_free *= KIB;
			said_clean *= KIB;
			arenas++;
			continue;
		}
		memset(l, 0, sizeof(*l));
		if (sscanf(text, " 0x%llx %llu KiB %15s %n", &a, &b, state, &consumed) != 3) {
			printf("# %s", text);
			return -3;
		}
		l->start = a;
		l->len = b * KIB;
		l->phys = start + a;
		if (l->start != at || !l->len) {
			printf("# after %llu: %s", (unsigned long long)at, text);
			return -4;
		}
		at += l->len;
		if (!strcmp(state, "free")) {
			if (sscanf(text + consumed, "clean %llu KiB", &c) != 1)
				return -5;
			l->clean = c * KIB;
			free += l->len;
			clean += l->clean;
		} else if (!strcmp(state, "region")) {
			if (sscanf(text + consumed,
				   "uid %u pid %d align %llu KiB entries %llu KiB %7s",
				   &l->uid, &l->pid, &c, &d, l->cache) != 5)
				return -6;
			l->taken = true;
			l->align = c * KIB;
			l->entries = d * KIB;
			regions++;
		} else if (strcmp(state, "held")) {
			return -7;
		}
		if (++n == LINES)
			return -8;
	}
	if (f)
		fclose(f);
	return arenas ? n : -9;
}

static const struct line *line_at(int n, uint64_t phys)
{
	int i;

	for (i = 0; i < n; i++)
		if (lines[i].phys == phys)
			return &lines[i];
	return NULL;
}

TEST_F(tell, debugfs_maps_every_byte)
{
	struct aclkm_alloc alloc[64];
	struct aclkm_query query;
	int i, n, taken = 0;
	bool modes = dev_has(self->fd, ACLKM_FEATURE_CACHE);

	ASSERT_LT(0, read_map());
	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, dev_alloc_flags(self->fd, PAGE * (1 + i * 7 % 50), PAGE << i % 6,
					     !modes ? 0 :
					     i % 9 == 8 ? ACLKM_ALLOC_WC :
					     i % 9 == 7 ? ACLKM_ALLOC_UC : 0, &alloc[i]));
	for (i = 0; i < 64; i += 3)
		ASSERT_EQ(0, dev_free(self->fd, alloc[i].handle));
	n = read_map();
	ASSERT_LT(0, n);
	for (i = 0; i < 64; i++) {
		const struct line *l;

		if (i % 3 == 0)
			continue;
		ASSERT_EQ(0, dev_query(self->fd, alloc[i].handle, &query));
		l = line_at(n, query.phys);
		ASSERT_NE(NULL, l);
		EXPECT_TRUE(l->taken);
		EXPECT_EQ(query.size, l->len);
		EXPECT_EQ(query.align, l->align);
		EXPECT_EQ(query.map_page, l->entries);
		EXPECT_EQ(0, l->uid);
		EXPECT_EQ(getpid(), l->pid);
		EXPECT_STREQ(query.cache == ACLKM_CACHE_WC ? "wc" :
			     query.cache == ACLKM_CACHE_UC ? "uc" : "wb", l->cache);
	}
	for (i = 0; i < n; i++)
		taken += lines[i].taken;
	EXPECT_EQ(self->before.nr_regions + 42, taken);
	for (i = 0; i < 64; i++)
		if (i % 3)
			ASSERT_EQ(0, dev_free(self->fd, alloc[i].handle));
	ASSERT_LT(0, read_map());
}

/* While scrubbers have pieces in hand, and memory comes and goes. */
TEST_F(tell, debugfs_while_others_work)
{
	struct aclkm_alloc alloc;
	int i;
	char *mem;

	for (i = 0; i < 15; i++) {
		ASSERT_EQ(0, dev_alloc(self->fd, 6 * MIB, 0, &alloc));
		mem = dev_map(self->fd, alloc.offset, 6 * MIB);
		ASSERT_NE(MAP_FAILED, mem);
		memset(mem, 1, 6 * MIB);
		munmap(mem, 6 * MIB);
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
		usleep(i * 4000);
		ASSERT_LT(0, read_map());
	}
}

static uint64_t fdinfo(int fd, const char *name)
{
	char path[64];
	long long value;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	value = proc_number(path, name);
	return value < 0 ? ~0ULL : value;
}

TEST_F(tell, fdinfo_counts)
{
	void *own = mmap(NULL, 12 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct aclkm_pin pin = { .addr = (uintptr_t)own, .len = 12 * PAGE };
	struct aclkm_alloc a, b;
	struct aclkm_import import;
	int buf, other = dev_open(O_RDWR);

	ASSERT_EQ(0, dev_alloc(self->fd, 3 * PAGE, 0, &a));
	ASSERT_EQ(0, dev_alloc(self->fd, 5 * PAGE, 0, &b));
	ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_PIN, &pin));
	buf = dev_export(self->fd, b.handle, PAGE, 2 * PAGE, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, dev_import(self->fd, buf, &import));
	EXPECT_EQ(4, fdinfo(self->fd, "aclkm-handles"));
	EXPECT_EQ(32, fdinfo(self->fd, "aclkm-allocated"));
	EXPECT_EQ(8, fdinfo(self->fd, "aclkm-imported"));
	EXPECT_EQ(48, fdinfo(self->fd, "aclkm-pinned"));
	/* Another open file has nothing. */
	EXPECT_EQ(0, fdinfo(other, "aclkm-handles"));
	EXPECT_EQ(0, fdinfo(other, "aclkm-allocated"));
	ASSERT_EQ(0, dev_free(self->fd, a.handle));
	ASSERT_EQ(0, dev_free(self->fd, b.handle));
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
	EXPECT_EQ(1, fdinfo(self->fd, "aclkm-handles"));
	EXPECT_EQ(0, fdinfo(self->fd, "aclkm-allocated"));
	EXPECT_EQ(8, fdinfo(self->fd, "aclkm-imported"));
	EXPECT_EQ(0, fdinfo(self->fd, "aclkm-pinned"));
	ASSERT_EQ(0, dev_free(self->fd, import.handle));
	close(buf);
	close(other);
	munmap(own, 12 * PAGE);
}

static char trace[1 << 20];

/* Lines of the trace that have both texts. */
static int traced(const char *event, const char *text)
{
	char *line, *rest = NULL, *copy = strdup(trace);
	int n = 0;

	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		n += strstr(line, event) && strstr(line, text);
	free(copy);
	return n;
}

#define TRACED(count, event, ...) do { \
	char text_[256]; \
	snprintf(text_, sizeof(text_), __VA_ARGS__); \
	EXPECT_EQ(count, traced(event ": ", text_)) \
		TH_LOG("%s: %s", event, text_); \
} while (0)

TEST_F(tell, tracepoints)
{
	struct aclkm_alloc alloc, none;
	struct aclkm_query query;
	const struct line *l;
	int n, buf, tries;
	uint64_t at;
	char *mem;

	if (access(TRACING "events/aclkm/enable", W_OK))
		SKIP(return, "no tracefs at " TRACING);
	wait_until_clean(self->fd);
	ASSERT_EQ(0, file_write(TRACING "trace", "\n"));
	ASSERT_EQ(0, file_write(TRACING "events/aclkm/enable", "1"));
	ASSERT_EQ(0, dev_alloc_flags(self->fd, SIZE_2M, 0,
				     dev_has(self->fd, ACLKM_FEATURE_HUGE_2M) ?
				     ACLKM_ALLOC_HUGE_2M : 0, &alloc));
	ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
	n = read_map();
	ASSERT_LT(0, n);
	l = line_at(n, query.phys);
	ASSERT_NE(NULL, l);
	at = l->start;
	mem = dev_map(self->fd, alloc.offset, SIZE_2M);
	ASSERT_NE(MAP_FAILED, mem);
	mem[PAGE] = 1;
	buf = dev_export(self->fd, alloc.handle, PAGE, 3 * PAGE, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-ENOSPC, dev_alloc(self->fd, 1ULL << 40, 64 * KIB, &none));
	close(buf);
	munmap(mem, SIZE_2M);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	/* Mapped through WC, at an offset in the region. */
	ASSERT_EQ(0, dev_alloc_flags(self->fd, 4 * PAGE, 0,
				     dev_has(self->fd, ACLKM_FEATURE_CACHE) ?
				     ACLKM_ALLOC_WC : 0, &none));
	mem = dev_map(self->fd, none.offset + PAGE, 2 * PAGE);
	ASSERT_NE(MAP_FAILED, mem);
	munmap(mem, 2 * PAGE);
	ASSERT_EQ(0, dev_query(self->fd, none.handle, &query));
	n = read_map();
	l = line_at(n, query.phys);
	ASSERT_NE(NULL, l);
	ASSERT_EQ(0, dev_free(self->fd, none.handle));
	for (tries = 0; tries < 50; tries++) {
		ASSERT_LT(0, file_read(TRACING "trace", trace, sizeof(trace)));
		if (traced("aclkm_scrub: ", "") && traced("aclkm_release: ", "len=0x4000"))
			break;
		usleep(20 * 1000);
	}
	ASSERT_EQ(0, file_write(TRACING "events/aclkm/enable", "0"));
	ASSERT_LT(0, file_read(TRACING "trace", trace, sizeof(trace)));

	TRACED(1, "aclkm_alloc", "offset=0x%llx len=0x200000", (unsigned long long)at);
	TRACED(1, "aclkm_alloc", "len=0x4000");
	TRACED(1, "aclkm_release", "offset=0x%llx len=0x200000", (unsigned long long)at);
	TRACED(1, "aclkm_map", "offset=0x%llx", (unsigned long long)at);
	TRACED(1, "aclkm_map", "offset=0x%llx", (unsigned long long)(l->start + PAGE));
	TRACED(1, "aclkm_map", "len=0x200000 err=0");
	TRACED(1, "aclkm_map", "len=0x2000 err=0");
	if (dev_has(self->fd, ACLKM_FEATURE_HUGE_2M)) {
		TRACED(1, "aclkm_fault", "offset=0x%llx order=9", (unsigned long long)at);
		TRACED(1, "aclkm_fault", "order=");
	}
	TRACED(1, "aclkm_export", "offset=0x%llx len=0x3000 err=0",
	       (unsigned long long)(at + PAGE));
	TRACED(1, "aclkm_alloc_fail",
	       "size=0x10000000000 align=0x10000 node=-1 reason=1 err=-28");
	EXPECT_LT(0, traced("aclkm_scrub: ", ""));
}

/* S21. What nobody may know: addresses of this memory, as bytes and as page numbers. */
static char secrets[8][24];
static int nr_secrets;

/* As a number of its own, with any zeros before it. */
static const char *find_secret(const char *text, size_t len)
{
	const char *end = text + len, *at, *first;
	int i;

	for (i = 0; i < nr_secrets; i++) {
		size_t n = strlen(secrets[i]);

		for (at = text; (at = memmem(at, end - at, secrets[i], n)); at++) {
			for (first = at; first > text && first[-1] == '0'; first--)
				;
			if ((first == text || !isxdigit(first[-1])) &&
			    (at + n == end || !isxdigit(at[n])))
				return secrets[i];
		}
	}
	return NULL;
}

static char content[1 << 20];

static int check_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	ssize_t len;
	const char *secret;

	if (type != FTW_F)
		return 0;
	len = file_read(path, content, sizeof(content));
	if (len <= 0)
		return 0;
	secret = find_secret(content, len);
	if (secret)
		printf("# %s has %s\n", path, secret);
	return secret ? 1 : 0;
}

/* Any 64-bit word of an answer that is one of the addresses or page numbers. */
static bool words_tell(const void *answer, size_t size, uint64_t phys, uint64_t len)
{
	const uint64_t *word = answer;
	size_t i;

	for (i = 0; i < size / 8; i++) {
		if (word[i] >= phys && word[i] < phys + len)
			return true;
		if (word[i] >= phys / PAGE && word[i] < (phys + len) / PAGE)
			return true;
	}
	return false;
}

struct spy {
	int fd, buf;
	uint64_t phys;
	uint64_t offset;
	uint32_t handle;
};

#define TELLS(x) words_tell(&(x), sizeof(x), spy->phys, SIZE_2M)

static int spy_child(void *arg)
{
	static const char * const own[] = { "/proc/self/maps", "/proc/self/smaps",
					    "/proc/self/numa_maps", "/proc/self/status" };
	const struct spy *spy = arg;
	struct aclkm_import import;
	struct aclkm_phys phys = {};
	struct aclkm_phys_extent extents[4] = {};
	struct aclkm_query query;
	struct aclkm_alloc alloc;
	struct aclkm_info info;
	char *mem, path[64];
	int i;

	become(NOBODY);
	/* Not only root's: its own, of the same memory. */
	mem = dev_map(spy->fd, spy->offset, SIZE_2M);
	if (mem == MAP_FAILED)
		return 1;
	mem[0] = 1;
	for (i = 0; i < 4; i++)
		if (check_file(own[i], NULL, FTW_F, NULL))
			return 2;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", spy->fd);
	if (check_file(path, NULL, FTW_F, NULL))
		return 3;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", spy->buf);
	if (check_file(path, NULL, FTW_F, NULL))
		return 4;
	if (nftw("/sys/class/misc/aclkm/", check_file, 16, FTW_PHYS) ||
	    nftw("/sys/module/aclkm/", check_file, 16, FTW_PHYS))
		return 5;
	if (file_read(ARENAS, content, sizeof(content)) != -EACCES)
		return 6;
	if (file_read(TRACING "trace", content, sizeof(content)) >= 0)
		return 7;

	info = dev_info(spy->fd);
	if (TELLS(info) || dev_query(spy->fd, spy->handle, &query) || TELLS(query) || query.phys ||
	    query.flags & ACLKM_QUERY_PHYS)
		return 8;
	if (dev_alloc(spy->fd, PAGE, 0, &alloc) || TELLS(alloc))
		return 9;
	if (dev_free(spy->fd, alloc.handle))
		return 10;
	if (dev_alloc(spy->fd, 1ULL << 40, 0, &alloc) != -ENOSPC || TELLS(alloc))
		return 11;
	if (dev_import(spy->fd, spy->buf, &import) || TELLS(import) ||
	    dev_free(spy->fd, import.handle))
		return 12;
	phys = (struct aclkm_phys){ .handle = spy->handle, .count = 4,
				    .extents = (uintptr_t)extents };
	if (dev_ioctl(spy->fd, ACLKM_IOC_PHYS, &phys) != -EPERM || TELLS(phys) || TELLS(extents))
		return 13;
	/* The kernel's own file hides page numbers from nobody but root. */
	if (pagemap_phys(mem))
		return 14;
	return 0;
}

TEST_F(tell, no_address_for_nobody)
{
	struct aclkm_alloc alloc, before;
	struct aclkm_query query;
	struct spy spy;
	char all[4096];

	/* No round number, which other files might have by chance. */
	ASSERT_EQ(0, dev_alloc(self->fd, 7 * SIZE_2M, 0, &before));
	ASSERT_EQ(0, dev_alloc(self->fd, SIZE_2M + PAGE, 0, &alloc));
	ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
	ASSERT_NE(0, query.phys);
	nr_secrets = 0;
	/* As numbers are printed: hexadecimal and decimal; the first and last page. */
	snprintf(secrets[nr_secrets++], 24, "%llx", (unsigned long long)query.phys);
	snprintf(secrets[nr_secrets++], 24, "%llx",
		 (unsigned long long)(query.phys + SIZE_2M - PAGE));
	snprintf(secrets[nr_secrets++], 24, "%llu", (unsigned long long)query.phys);
	snprintf(secrets[nr_secrets++], 24, "%llx", (unsigned long long)query.phys / PAGE);
	snprintf(secrets[nr_secrets++], 24, "%llu", (unsigned long long)query.phys / PAGE);
	spy = (struct spy){ self->fd, dev_export(self->fd, alloc.handle, 0, 0, 0), query.phys,
			    alloc.offset, alloc.handle };
	ASSERT_LE(0, spy.buf);
	EXPECT_EQ(0, in_child(spy_child, &spy));
	/* The means of finding it would find it. */
	snprintf(all, sizeof(all), "at 0x%010llx", (unsigned long long)query.phys);
	EXPECT_NE(NULL, find_secret(all, strlen(all)));
	EXPECT_TRUE(words_tell(&query, sizeof(query), query.phys, SIZE_2M));
	close(spy.buf);
	ASSERT_EQ(0, dev_free(self->fd, before.handle));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

TEST_HARNESS_MAIN
