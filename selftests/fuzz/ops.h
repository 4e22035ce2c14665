/* SPDX-License-Identifier: GPL-2.0 */
/* The operations: one function each, named in the table of ops.c. */
#ifndef ACLKM_FUZZ_OPS_H
#define ACLKM_FUZZ_OPS_H

#include "fuzz.h"

/* What ioctl_bent() did to the call: errors that must come, or 0. */
struct bent {
	int early; /* before anybody looks at the struct's contents */
	int late; /* of a call that has nothing else to complain of */
};

/*
 * An ioctl, with the struct at the very end of a page that is followed by none.
 * @bend 0 calls as it should be; else it chooses a distortion: another size, a
 * tail, a bad pointer, a random word in the struct (as_sent() has it too).
 * Returns 0 or a negative errno; @arg is filled with the answer.
 */
int ioctl_bent(int fd, unsigned long cmd, void *arg, const struct call *c, struct bent *bent);

/* The struct as ioctl_bent() will send it. */
void bend_word(void *arg, size_t size, const struct call *c);
#define as_sent(arg, size, c)                                                               \
	({                                                                                  \
		__typeof__(*(arg)) sent_ = *(arg);                                          \
		bend_word(&sent_, size, c);                                                 \
		sent_;                                                                      \
	})

/* A handle for the call, mostly one that is there; then @f becomes its file. */
uint32_t choose_handle(struct world *w, const struct call *c, struct vfile **f);

void op_open(struct world *w, const struct call *c);
void op_close(struct world *w, const struct call *c);
void op_info(struct world *w, const struct call *c);
void op_alloc(struct world *w, const struct call *c);
void op_free(struct world *w, const struct call *c);
void op_query(struct world *w, const struct call *c);
void op_unknown(struct world *w, const struct call *c);

void op_mmap(struct world *w, const struct call *c);
void op_munmap(struct world *w, const struct call *c);
void op_mremap(struct world *w, const struct call *c);
void op_mprotect(struct world *w, const struct call *c);
void op_madvise(struct world *w, const struct call *c);
void op_write(struct world *w, const struct call *c);
void op_verify(struct world *w, const struct call *c);
void op_read_file(struct world *w, const struct call *c);
void op_fork(struct world *w, const struct call *c);
void op_pin(struct world *w, const struct call *c);
void op_unpin(struct world *w, const struct call *c);

void op_export(struct world *w, const struct call *c);
void op_import(struct world *w, const struct call *c);
void op_buf_mmap(struct world *w, const struct call *c);
void op_buf_close(struct world *w, const struct call *c);
void op_buf_sync(struct world *w, const struct call *c);
void op_sync(struct world *w, const struct call *c);
void op_attach(struct world *w, const struct call *c);
void op_pin_user(struct world *w, const struct call *c);
void op_phys(struct world *w, const struct call *c);

void op_limit(struct world *w, const struct call *c);
void op_map(struct world *w, const struct call *c);
void op_look(struct world *w, const struct call *c);
void op_grow(struct world *w, const struct call *c);

#endif /* ACLKM_FUZZ_OPS_H */
