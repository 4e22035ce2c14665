// SPDX-License-Identifier: MIT
#include "backend/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21U << 26)
#define MFD_HUGE_1GB (30U << 26)
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define MEMFILE_NAME "aclkm"
#define MEMFILE_SIZE                                                                     \
	(1ULL << 46)	/* of a file of many pieces: nearly all of it a hole             \
			 */
#define MEMFILE_STEP 32 /* files after which new ones hold twice as many */
#define MEMFILE_MOST_PIECES (1U << 20)

struct memfile {
	struct memfile *next;
	int fd;
	struct fd_id id;
	pid_t owner; /* a child's frees must not reach the parent's bytes */
	uint64_t size;
	uint64_t end; /* where the next piece starts: offsets are not used again */
	uint64_t page_size;
	uint32_t pieces; /* that exist */
	uint32_t most;
	enum memfile_pages pages;
	bool foreign; /* another process's */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct memfile *files;
static uint32_t file_count;

/* ftruncate beyond RLIMIT_FSIZE raises SIGXFSZ, which would end the program. */
static int memfile_resize(int fd, uint64_t size)
{
	const struct timespec now = {0};
	sigset_t one, before, waiting;
	int err;

	sigemptyset(&one);
	sigaddset(&one, SIGXFSZ);
	sigpending(&waiting);
	pthread_sigmask(SIG_BLOCK, &one, &before);
	err = ftruncate(fd, (off_t)size) ? errno : 0;
	if (err == EFBIG && !sigismember(&waiting, SIGXFSZ))
		sigtimedwait(&one, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return err ? -1 : 0;
}

int memfile_new(const char *name, uint64_t size, unsigned int flags)
{
	int fd, err;

	/* Kernels before 6.3 do not know the flag; with vm.memfd_noexec=2 it must be. */
	fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL | flags);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	fd = fd_lift(fd);
	if (fd < 0)
		return -1;
	if (!memfile_resize(fd, size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static uint64_t memfile_page(enum memfile_pages pages)
{
	if (pages == MEMFILE_SMALL)
		return va_page_size();
	return pages == MEMFILE_2M ? 2ULL << 20 : 1ULL << 30;
}

static unsigned int memfile_flags(enum memfile_pages pages)
{
	if (pages == MEMFILE_SMALL)
		return 0;
	return MFD_HUGETLB | (pages == MEMFILE_2M ? MFD_HUGE_2MB : MFD_HUGE_1GB);
}

static uint32_t memfile_most_locked(void)
{
	struct rlimit limit = {.rlim_cur = MEMFILE_STEP * MEMFILE_STEP};
	uint64_t step;

	getrlimit(RLIMIT_NOFILE, &limit);
	step = limit.rlim_cur / MEMFILE_STEP;
	if (step > MEMFILE_STEP)
		step = MEMFILE_STEP;
	if (!step)
		step = 1;
	if (file_count / step >= 20)
		return MEMFILE_MOST_PIECES;
	return 1U << (file_count / step);
}

/* Where a piece of @size bytes starts in @file; UINT64_MAX: it does not fit. */
static uint64_t memfile_place(const struct memfile *file, uint64_t size)
{
	uint64_t align = size >= 2ULL << 20 ? 2ULL << 20 : file->page_size;
	uint64_t start;

	if (align < file->page_size)
		align = file->page_size;
	start = (file->end + align - 1) & ~(align - 1);
	if (start > file->size || size > file->size - start)
		return UINT64_MAX;
	return start;
}

/* A file with room. @any: one that holds enough pieces already, too. */
static struct memfile *memfile_find_locked(enum memfile_pages pages, uint64_t size,
					   bool any)
{
	struct memfile *file;

	for (file = files; file; file = file->next) {
		if (file->foreign || file->most == 1 || file->pages != pages ||
		    (!any && file->pieces >= file->most) ||
		    memfile_place(file, size) == UINT64_MAX ||
		    !fd_is(file->fd, &file->id))
			continue;
		return file;
	}
	return NULL;
}

static struct memfile *memfile_add_locked(int fd, uint64_t size, uint64_t page_size)
{
	struct memfile *file = calloc(1, sizeof(*file));

	if (!file || !fd_know(fd, &file->id)) {
		free(file);
		return NULL;
	}
	file->fd = fd;
	file->owner = getpid();
	file->size = size;
	file->page_size = page_size;
	file->most = 1;
	file->next = files;
	files = file;
	file_count++;
	return file;
}

static int memfile_refused(uint64_t size)
{
	struct rlimit limit = {0};

	if (errno == EMFILE || errno == ENFILE)
		return fd_refused("a file for memory");
	if (errno == EFBIG && !getrlimit(RLIMIT_FSIZE, &limit))
		return error_set(ACLKM_ERR_UNSUPPORTED,
				 "no file of %llu bytes: RLIMIT_FSIZE is %llu",
				 (unsigned long long)size,
				 (unsigned long long)limit.rlim_cur);
	return error_set(ACLKM_ERR_UNSUPPORTED, "no file of %llu bytes: %s",
			 (unsigned long long)size, strerror(errno));
}

static int memfile_open_locked(enum memfile_pages pages, uint64_t size, bool alone,
			       struct memfile **out)
{
	uint32_t most = alone ? 1 : memfile_most_locked();
	uint64_t bytes = most > 1 ? MEMFILE_SIZE : size;
	int fd = memfile_new(MEMFILE_NAME, bytes, memfile_flags(pages));

	if (fd < 0 && errno == EFBIG && most > 1) {
		most = 1;
		bytes = size;
		fd = memfile_new(MEMFILE_NAME, bytes, memfile_flags(pages));
	}
	if (fd < 0)
		return memfile_refused(size);
	*out = memfile_add_locked(fd, bytes, memfile_page(pages));
	if (!*out) {
		close(fd);
		return error_no_records();
	}
	(*out)->most = most;
	(*out)->pages = pages;
	return ACLKM_OK;
}

static void memfile_put_locked(struct memfile *file)
{
	struct memfile **at = &files;

	if (--file->pieces)
		return;
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	file_count--;
	fd_close(file->fd, &file->id);
	free(file);
}

int memfile_take(enum memfile_pages pages, uint64_t size, bool alone,
		 struct memfile_piece *out)
{
	struct memfile *file;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	file = alone ? NULL : memfile_find_locked(pages, size, false);
	if (!file)
		err = memfile_open_locked(pages, size, alone, &file);
	if (err == ACLKM_ERR_LIMIT && !alone) {
		file = memfile_find_locked(pages, size, true);
		if (file)
			err = ACLKM_OK;
	}
	if (!err) {
		*out = (struct memfile_piece){
			.file = file, .offset = memfile_place(file, size), .size = size};
		file->pieces++;
		/* Neighbours in the file never become one mapping: to unmap one of
		 * them would need one more, which vm.max_map_count may refuse.
		 */
		file->end = out->offset + size + file->page_size;
	}
	pthread_mutex_unlock(&lock);
	if (err || pages == MEMFILE_SMALL || memfile_fill(out))
		return err;
	memfile_give(out, NULL);
	return ACLKM_ERR_NOMEM;
}

/* A file that another process sent before; NULL: it is a new one. */
static struct memfile *memfile_known_locked(int fd)
{
	struct memfile *file;

	for (file = files; file; file = file->next) {
		if (file->foreign && fd_is(file->fd, &file->id) && fd_is(fd, &file->id))
			return file;
	}
	return NULL;
}

int memfile_adopt(const struct file_part *part, struct memfile_piece *out)
{
	struct memfile *known, *file;

	pthread_mutex_lock(&lock);
	known = memfile_known_locked(part->fd);
	file = known ?: memfile_add_locked(part->fd, UINT64_MAX, part->page_size);
	if (file) {
		file->foreign = true;
		file->pieces++;
	}
	pthread_mutex_unlock(&lock);
	if (!file)
		return error_no_records();
	if (known)
		close(part->fd);
	*out = (struct memfile_piece){
		.file = file, .offset = part->offset, .size = part->size, .shared = true};
	return ACLKM_OK;
}

void memfile_give(struct memfile_piece *piece, void *addr)
{
	struct memfile *file = piece->file;
	bool punch;

	if (!file)
		return;
	pthread_mutex_lock(&lock);
	punch = file->pieces > 1 && !piece->shared && file->owner == getpid();
	if (punch && fd_is(file->fd, &file->id))
		fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)piece->offset, (off_t)piece->size);
	else if (punch && addr)
		madvise(addr, piece->size, MADV_REMOVE);
	memfile_put_locked(file);
	pthread_mutex_unlock(&lock);
	piece->file = NULL;
}

bool memfile_fill(const struct memfile_piece *piece)
{
	const struct memfile *file = piece->file;

	if (!fd_is(file->fd, &file->id)) {
		errno = EBADF;
		return false;
	}
	return !fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)piece->offset,
			  (off_t)piece->size);
}

int memfile_map(const struct memfile_piece *piece, void *addr, int protection)
{
	const struct memfile *file = piece->file;

	if (!fd_is(file->fd, &file->id))
		return fd_lost(file->fd, "mapping memory");
	if (mmap(addr, piece->size, protection, MAP_SHARED | MAP_FIXED, file->fd,
		 (off_t)piece->offset) != MAP_FAILED)
		return ACLKM_OK;
	return error_set(errno == ENOMEM ? ACLKM_ERR_NOMEM : ACLKM_ERR_IO,
			 "mapping %llu bytes: %s", (unsigned long long)piece->size,
			 strerror(errno));
}

int memfile_share(struct memfile_piece *piece, uint64_t offset, uint64_t size,
		  struct file_part *out)
{
	const struct memfile *file = piece->file;

	if (!file)
		return error_set(ACLKM_ERR_UNSUPPORTED,
				 "this process may have no files for memory (see "
				 "RLIMIT_FSIZE): its memory cannot be shared");
	if (!fd_is(file->fd, &file->id))
		return fd_lost(file->fd, "sharing memory");
	*out = (struct file_part){.fd = fd_dup(file->fd),
				  .offset = piece->offset + offset,
				  .size = size,
				  .page_size = file->page_size};
	if (out->fd < 0)
		return fd_refused("sharing memory");
	piece->shared = true;
	return ACLKM_OK;
}
