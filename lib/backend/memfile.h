/* SPDX-License-Identifier: MIT */
/*
 * Memory as pieces of memfds, so that each piece can be mapped again, and by another
 * process, from the moment it exists. The first pieces have a file each. With more files
 * open, a new file holds ever more pieces, so that the number of descriptors grows with
 * the logarithm of the number of pieces. Files are sealed: their size never changes.
 *
 * Thread-safe; failures note their text.
 */
#ifndef LIB_MEMFILE_H
#define LIB_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>

enum memfile_pages { MEMFILE_SMALL, MEMFILE_2M, MEMFILE_1G, MEMFILE_PAGES };

struct memfile;

struct memfile_piece {
	struct memfile *file; /* NULL: none */
	uint64_t offset;
	uint64_t size;
	bool shared; /* another process may have it: its bytes stay when it is freed */
};

/* What another process needs to map memory. */
struct file_part {
	int fd;
	uint64_t offset;
	uint64_t size;
	uint64_t page_size; /* addresses and offsets of mappings are multiples of it */
};

/*
 * A sealed memfd of @size bytes, 3 or above. -1 with errno: EFBIG above RLIMIT_FSIZE,
 * without the signal.
 */
int memfile_new(const char *name, uint64_t size, unsigned int flags);

/*
 * A piece of @size bytes, a multiple of the page; huge pages are there when it returns.
 * @alone: in a file with nothing else. ACLKM_ERR_LIMIT: no descriptor. ACLKM_ERR_NOMEM:
 * no such huge pages. ACLKM_ERR_UNSUPPORTED: the process may have no file of that size.
 */
int memfile_take(enum memfile_pages pages, uint64_t size, bool alone,
		 struct memfile_piece *out);

/* The piece of a file that another process sent; @part->fd is the piece's on success. */
int memfile_adopt(const struct file_part *part, struct memfile_piece *out);

/*
 * Frees the piece's bytes unless another process may have them. @addr: where it is still
 * mapped, or NULL.
 */
void memfile_give(struct memfile_piece *piece, void *addr);

/* Allocates all of the piece's pages. False with errno. */
bool memfile_fill(const struct memfile_piece *piece);

/* Maps the piece with MAP_SHARED over @addr. ACLKM_ERR_NOMEM, ACLKM_ERR_IO. */
int memfile_map(const struct memfile_piece *piece, void *addr, int protection);

/* A part of the piece for another process; @out->fd is the caller's. */
int memfile_share(struct memfile_piece *piece, uint64_t offset, uint64_t size,
		  struct file_part *out);

#endif /* LIB_MEMFILE_H */
