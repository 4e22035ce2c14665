// SPDX-License-Identifier: MIT
#include "ipc/share_wire.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/base.h"

#define DMABUF_TYPE 0x444d4142 /* f_type of files */
#define TMPFS_TYPE 0x01021994
#define HUGETLBFS_TYPE 0x958458f6

#define MOST_PAGE (1ULL << 30)

socklen_t share_abstract_name(uint64_t number, struct sockaddr_un *name)
{
	int n;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	/* The name ends with the process, and needs no folder. */
	n = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "aclkm-share-%06llx",
		     (unsigned long long)(number >> SHARE_SECRET_BITS));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

socklen_t share_file_name(uint64_t number, const char *folder, struct sockaddr_un *name)
{
	int n;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	n = snprintf(name->sun_path, sizeof(name->sun_path), "%s/aclkm-share-%06llx",
		     folder, (unsigned long long)(number >> SHARE_SECRET_BITS));
	if (n < 0 || (size_t)n >= sizeof(name->sun_path))
		return 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* A number from a file of one line; @otherwise: it cannot be read. */
static unsigned long read_number(const char *path, const char *format,
				 unsigned long otherwise)
{
	FILE *file = fopen(path, "re");
	unsigned long value = otherwise;
	char line[128];

	if (file &&
	    (!fgets(line, sizeof(line), file) || sscanf(line, format, &value) != 1))
		value = otherwise;
	if (file)
		fclose(file);
	return value;
}

bool share_uid_is_unknown(uid_t uid)
{
	unsigned long overflow, count;

	overflow = read_number("/proc/sys/kernel/overflowuid", "%lu", 65534);
	if (uid != overflow)
		return false;
	/* "inside outside count": with all users mapped the number is a user's own. */
	count = read_number("/proc/self/uid_map", "%*u %*u %lu", 0);
	return count != UINT32_MAX;
}

bool share_trusts(int fd, struct ucred *peer)
{
	socklen_t length = sizeof(*peer);

	*peer = (struct ucred){.uid = (uid_t)-1};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length))
		return false;
	if (peer->uid != geteuid() && peer->uid != 0)
		return false;
	return !share_uid_is_unknown(peer->uid);
}

static bool is_page(uint64_t page)
{
	return page >= va_page_size() && page <= MOST_PAGE && is_power_of_two(page);
}

/* The bytes that can be mapped; 0: not a file of this kind. */
static uint64_t file_size(int fd, uint64_t *page, const char **why)
{
	struct statfs system;
	struct stat info;
	off_t end;
	int seals;

	if (fstatfs(fd, &system) || fstat(fd, &info)) {
		*why = "no file came with it";
		return 0;
	}
	if ((uint32_t)system.f_type == DMABUF_TYPE) {
		end = lseek(fd, 0, SEEK_END);
		*page = va_page_size();
		return end > 0 ? (uint64_t)end : 0;
	}
	*why = "its file is neither a memfd nor a dma-buf";
	if (((uint32_t)system.f_type != TMPFS_TYPE &&
	     (uint32_t)system.f_type != HUGETLBFS_TYPE) ||
	    !S_ISREG(info.st_mode))
		return 0;
	/* A file that shrinks would end this process with SIGBUS. */
	*why = "its file can shrink";
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return 0;
	*page = (uint64_t)system.f_bsize;
	return (uint64_t)info.st_size;
}

bool share_item_is_sound(const struct share_item *item, const char **why)
{
	bool memory = item->kind == SHARE_PHYSICAL || item->kind == SHARE_MEMORY;
	uint64_t page = 0, size = file_size(item->fd, &page, why);
	uint64_t wanted = memory ? item->size : va_page_size(), end;

	if (!size)
		return false;
	*why = "its file cannot be written";
	if ((fcntl(item->fd, F_GETFL) & O_ACCMODE) != O_RDWR)
		return false;
	*why = "its file is shorter than what is offered";
	if (!wanted || __builtin_add_overflow(item->offset, wanted, &end) || end > size)
		return false;
	*why = "its pages are not those of the file";
	return !memory || (is_page(item->page_size) && item->page_size == page &&
			   !(item->offset % va_page_size()));
}
