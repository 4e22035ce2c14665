/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer of /dev/aclkm: programs of calls, run one after the other against
 * the driver and against a model of what the driver must do (world.c). Which
 * calls there are stands in one table (ops.c, ops_memory.c). KCOV tells which
 * programs reach something new; those are kept and varied (corpus.c).
 */
#ifndef ACLKM_FUZZ_H
#define ACLKM_FUZZ_H

#include "../kmod/common.h"

#define MAX_CALLS 24
#define FILES 3
#define HANDLES 32
#define REGIONS 32
#define BUFS 8
#define USERS 4
#define MAPS 64
#define PINS 4
#define GROWN 3
#define TRACKED_PAGES 4096

/* One call of a program. What the numbers mean is up to the operation. */
struct call {
	uint8_t op;
	uint8_t obj; /* on which object, modulo how many there are */
	uint8_t mode; /* variant of the operation */
	uint8_t bend; /* how the argument struct is distorted, mostly not (0) */
	uint32_t small;
	uint64_t x;
	uint64_t y;
};

struct program {
	unsigned int n;
	struct call calls[MAX_CALLS];
};

/* An open of the device; lives on without its descriptor while it is mapped. */
struct vfile {
	int fd; /* -1: closed */
	bool readonly;
	unsigned int maps;
};

/* A number of an open file: a region, a part of one that was imported, or pinned memory. */
struct handle {
	bool used;
	bool readonly;
	bool imported;
	int file;
	int region; /* -1: pinned memory of this process */
	uint32_t number;
	uint64_t offset; /* for mmap */
	uint64_t start; /* in the region */
	uint64_t size;
	int user; /* which pinned memory */
};

struct region {
	bool used; /* lives, or is held by a pin */
	bool gup; /* get_user_pages() takes its pages */
	bool huge_1g; /* what maps a part of it may be taken all the same */
	uint64_t size;
	uint64_t align;
	uint64_t phys;
	unsigned int handles;
	unsigned int maps;
	unsigned int bufs;
	unsigned int pins;
	uint64_t id; /* what its pages are stamped with */
	uint8_t dirty[TRACKED_PAGES / 8];
};

/* A dma-buf, as long as its descriptor or a mapping of it is there. */
struct buf {
	bool used;
	bool readonly;
	int fd; /* -1: closed */
	int region; /* -1: pinned memory */
	int user;
	uint64_t start; /* in the region */
	uint64_t size;
	unsigned int maps;
};

struct map {
	bool used;
	bool writable;
	unsigned char *addr;
	size_t len;
	uint64_t off; /* in the region */
	int region;
	int file; /* -1: of a dma-buf */
	int buf; /* -1: of a file */
	bool readonly; /* and can never be written */
	bool not_inherited;
};

struct pin {
	bool used;
	int pipe[2];
	size_t bytes;
	int region;
};

/* Memory of this process that is pinned, by a handle and by dma-bufs. */
struct user {
	unsigned char *mem;
	unsigned int refs;
	uint64_t bytes;
};

struct world {
	struct aclkm_info base;
	struct vfile files[FILES];
	struct handle handles[HANDLES];
	struct region regions[REGIONS];
	struct buf bufs[BUFS];
	struct user users[USERS];
	struct map maps[MAPS];
	struct pin pins[PINS];
	uint64_t grown[GROWN]; /* bytes of arenas that came in this program */
	unsigned int nr_grown;
	int card; /* a graphics device that imports, or -1 */
	int control; /* an open of the device for looking only */
	uint64_t next_id;
};

struct op {
	const char *name;
	unsigned int weight; /* how often it is chosen */
	void (*run)(struct world *w, const struct call *c);
	uint64_t feature; /* of the driver, without which it cannot succeed */
	unsigned long ran, succeeded; /* of these the kernel said yes */
};

extern struct op ops[];
extern const unsigned int nr_ops;
extern struct op *current_op;
/* In a few programs: an emulator takes seconds to clear a GiB. */
extern bool gib_allowed;

/* world.c: the model, and the checks of the driver against it */
void world_init(struct world *w);
void world_reset(struct world *w);
void world_check(struct world *w);
void world_shrink(struct world *w); /* ops_admin.c */
struct handle *world_handle(struct world *w, unsigned int obj);
struct handle *world_find(struct world *w, const struct vfile *f, uint32_t number);
struct map *world_map(struct world *w, unsigned int obj);
struct vfile *world_file(struct world *w, unsigned int obj);
void file_closed(struct world *w, struct vfile *f);
struct region *world_add_region(struct world *w);
void region_added(struct world *w, struct region *r);
void region_settle(struct region *r);
struct handle *world_add_handle(struct world *w);
void handle_added(struct world *w, struct handle *h);
void handle_gone(struct world *w, struct handle *h);
void buf_settle(struct world *w, struct buf *b);
struct map *world_add_map(struct world *w);
void map_counted(struct world *w, const struct map *m);
void map_gone(struct world *w, struct map *m);
void map_cut(struct world *w, struct map *m, size_t from, size_t len, bool gone);
void map_stamp(struct world *w, struct map *m, uint64_t page);
void map_verify(struct world *w, struct map *m, uint64_t page);

/* What went wrong ends the fuzzer, after the program has been printed. */
__attribute__((format(printf, 1, 2), noreturn)) void wrong(const char *fmt, ...);
/* The kernel's answer to the current operation must be @want. */
void answer(int got, int want);
/* ... must be 0 if @valid and any error if not. */
void answer_valid(int got, bool valid);

/* race.c: threads on the same open file, without a model; the accounts must return */
void race_burst(struct world *w, uint64_t seed);
extern unsigned long race_calls;

/* corpus.c */
uint64_t rnd(void);
void rnd_seed(uint64_t seed);
void corpus_next(struct program *p);
void corpus_keep(const struct program *p);
unsigned int corpus_size(void);
void program_print(const struct program *p, unsigned int upto);
bool program_parse(struct program *p, const char *hex);

/* kcov.c */
bool kcov_open(void);
void kcov_begin(void);
unsigned int kcov_end(void); /* how much was new since kcov_begin() */
unsigned int kcov_total(void);
void kcov_print(void);

#endif /* ACLKM_FUZZ_H */
