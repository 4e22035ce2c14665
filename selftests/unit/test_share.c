// SPDX-License-Identifier: MIT
/* Blocks as dma-bufs: parts, other processes, other drivers. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "client.h"

#define PAGE 4096UL
#define SIZE (4 * MIB)

static bool last_has(const char *word)
{
	return strstr(aclkm_last_error(), word);
}

static void bad_arguments(char *block)
{
	static const struct {
		size_t at, size;
		unsigned int flags;
		const char *word;
	} bad[] = {
		{1, PAGE, 0, "page size"},   {512, PAGE, 0, "page size"},
		{0, 0, 0, "not 0"},	     {0, PAGE + 1, 0, "page size"},
		{0, SIZE * 2, 0, "only"},    {SIZE - PAGE, 2 * PAGE, 0, "only"},
		{0, PAGE, 2, "flags"},	     {0, PAGE, ~0U, "flags"},
		{0, ~0UL - 4095, 0, "only"},
	};
	size_t i, size;
	void *addr;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is(aclkm_dmabuf_export(block + bad[i].at, bad[i].size, bad[i].flags, &fd),
		   ACLKM_ERR_INVALID, "export %zu + %zu, flags %u", bad[i].at,
		   bad[i].size, bad[i].flags);
		ok(last_has(bad[i].word), "the text: %s", aclkm_last_error());
	}
	is(aclkm_dmabuf_export(NULL, PAGE, 0, &fd), ACLKM_ERR_INVALID, "export NULL");
	is(aclkm_dmabuf_export(block, PAGE, 0, NULL), ACLKM_ERR_INVALID,
	   "export to NULL");
	addr = (void *)((uintptr_t)&fd & ~(PAGE - 1));
	is(aclkm_dmabuf_export(addr, PAGE, 0, &fd), ACLKM_ERR_FOREIGN,
	   "export the stack");
	is(aclkm_dmabuf_import(0, NULL, &size), ACLKM_ERR_INVALID, "import to NULL");
	is(aclkm_dmabuf_import(0, &addr, NULL), ACLKM_ERR_INVALID,
	   "import without a size");
	is(aclkm_dmabuf_release(NULL), ACLKM_ERR_INVALID, "release NULL");
	is(aclkm_dmabuf_release(block), ACLKM_ERR_FOREIGN, "release a block");
	is(aclkm_drm_import(-1, block, PAGE, 0, NULL), ACLKM_ERR_INVALID, "DRM: to NULL");
}

static void on_the_user_backend(char *block)
{
	size_t size;
	void *addr;
	int fd;

	is(aclkm_dmabuf_export(block, PAGE, 0, &fd), ACLKM_ERR_UNSUPPORTED, "export");
	ok(last_has("user"), "the text names the backend");
	is(aclkm_dmabuf_import(0, &addr, &size), ACLKM_ERR_UNSUPPORTED, "import");
}

static void parts(char *block)
{
	static const struct {
		size_t at, size;
	} part[] = {
		{0, SIZE}, {0, PAGE}, {SIZE - PAGE, PAGE}, {2 * MIB - PAGE, 2 * PAGE}};
	size_t i, size;
	char *there;
	void *addr;
	int fd;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		memset(block, (int)i + 1, SIZE);
		is(aclkm_dmabuf_export(block + part[i].at, part[i].size, 0, &fd), 0,
		   "export %zu + %zu", part[i].at, part[i].size);
		is(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "close on exec");
		if (!is(aclkm_dmabuf_import(fd, &addr, &size), 0, "import"))
			return;
		is(size, part[i].size, "as long as exported");
		there = addr;
		is(there[size - 1], i + 1, "the same bytes");
		there[0] = 'x';
		is(block[part[i].at], 'x', "both ways");
		is(aclkm_dmabuf_release(addr), 0, "release");
		is(aclkm_dmabuf_release(addr), ACLKM_ERR_FOREIGN, "release again");
		close(fd);
	}
}

static void read_only(char *block)
{
	size_t size;
	void *addr;
	int fd;

	is(aclkm_dmabuf_export(block, PAGE, ACLKM_SHARE_READ_ONLY, &fd), 0, "read-only");
	ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED,
	   "cannot be mapped writable");
	is(aclkm_dmabuf_import(fd, &addr, &size), 0, "import");
	is(mprotect(addr, size, PROT_READ | PROT_WRITE), -1, "cannot be made writable");
	is(aclkm_dmabuf_release(addr), 0, "release");
	close(fd);
}

/* Another process has no library in use: it maps the descriptor. */
static void other_process(void)
{
	size_t before = free_bytes();
	int fd, status = -1;
	char *mem;
	void *block;
	pid_t pid;

	is(aclkm_memory_alloc(SIZE, 0, ACLKM_PAGES_HUGE_FIRST, &block), 0, "a block");
	memset(block, 7, SIZE);
	is(aclkm_dmabuf_export(block, SIZE, 0, &fd), 0, "export");
	is(aclkm_memory_free(block), 0, "free, while the dma-buf has it");
	pid = fork();
	if (!pid) {
		mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		_exit(mem == MAP_FAILED || mem[0] != 7 || mem[SIZE - 1] != 7);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "a child sees the bytes");
	close(fd);
	aclkm_memory_trim(0);
	is(free_bytes(), before, "all memory is back");
}

static void not_dma_bufs(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	size_t size;
	void *addr;

	is(aclkm_dmabuf_import(-1, &addr, &size), ACLKM_ERR_INVALID, "import -1");
	is(aclkm_dmabuf_import(fd, &addr, &size), ACLKM_ERR_INVALID, "import a memfd");
	close(fd);
}

static void drm(char *block)
{
	int card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	uint32_t gem = 0;
	size_t size;
	char *there;
	void *addr;
	int err;

	err = aclkm_drm_import(card, block, 2 * MIB, 0, &gem);
	if (err == ACLKM_ERR_UNSUPPORTED || card < 0) {
		ok(err == ACLKM_ERR_UNSUPPORTED || err == ACLKM_ERR_IO, "no DRM: %s",
		   aclkm_last_error());
		skip("DRM", "no libdrm, or no /dev/dri/card0");
		return;
	}
	is(err, 0, "a DRM device takes a block");
	is(aclkm_drm_export(card, gem, &addr, &size), 0, "and gives it back");
	if (err)
		return;
	is(size, 2 * MIB, "as long");
	there = addr;
	there[MIB] = 'y';
	is(block[MIB], 'y', "the same bytes");
	is(aclkm_dmabuf_release(addr), 0, "release");
	is(aclkm_drm_export(card, 12345, &addr, &size), ACLKM_ERR_IO, "no such object");
	close(card);
}

/* Many threads need libdrm first at the same time. */
static void *export_nothing(void *arg)
{
	void *addr = NULL;
	size_t size;
	long i, odd = 0;

	(void)arg;
	for (i = 0; i < 50; i++) {
		int err = aclkm_drm_export(-1, 1, &addr, &size);

		odd += err != ACLKM_ERR_IO && err != ACLKM_ERR_UNSUPPORTED;
	}
	return (void *)odd;
}

static void drm_threads(void)
{
	pthread_t threads[4];
	long all = 0;
	void *odd;
	int i;

	for (i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, export_nothing, NULL))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "four threads ask a DRM device that is none");
}

int main(void)
{
	void *block;

	small_device();
	need_device();
	is(aclkm_memory_alloc(SIZE, PAGE, ACLKM_PAGES_HUGE_FIRST, &block), 0, "a block");
	drm_threads();
	bad_arguments(block);
	if (on_kmod()) {
		parts(block);
		read_only(block);
		other_process();
		not_dma_bufs();
		drm(block);
	} else {
		on_the_user_backend(block);
	}
	is(aclkm_memory_free(block), 0, "free");
	aclrtResetDevice(0);
	return done_testing();
}
