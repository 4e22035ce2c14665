/* SPDX-License-Identifier: MIT */
/*
 * Kernels as host functions: the table of the file that ACLKM_KERNELS names, binaries
 * and functions as handles, launches as tasks of streams. The file is loaded once and
 * stays, so a kernel found once can be called for ever. Thread-safe; failures note their
 * text.
 */
#ifndef LIB_LAUNCH_H
#define LIB_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclkm/kernels.h"

#define LAUNCH_PARAMS 128 /* of one kernel */
#define LAUNCH_ALIGN 8	  /* of each parameter among the arguments */

/* ACLKM_ERR_UNSUPPORTED: no file is named; ACLKM_ERR_CONFIG: it cannot be used. */
int launch_ready(void);

/* A binary: all kernels of the table, whatever the program's own file holds. */
int launch_load(uintptr_t *binary);
/* Ends the functions found in it too. Launches that wait still run. */
int launch_unload(uintptr_t binary);

/* The same handle each time. ACLKM_ERR_HANDLE; ACLKM_ERR_FOREIGN: no such kernel. */
int launch_find(uintptr_t binary, const char *name, uintptr_t *function);
int launch_find_entry(uintptr_t binary, uint64_t entry, uintptr_t *function);

/* What a function's handle stands for; @binary may be NULL. ACLKM_ERR_HANDLE. */
int launch_function(uintptr_t function, const struct aclkm_kernel **kernel,
		    uintptr_t *binary);

/* How many blocks run, and the number of the first. */
struct launch_shape {
	uint32_t first, blocks;
	uint32_t grid[3], threads[3];
};

/* A pointer at @at among the arguments, to the data at @data. */
struct launch_place {
	size_t at, data;
};

/* The bytes of a launch's own arguments, until it is submitted. */
struct launch;

/* With room for @size bytes of arguments. NULL: no memory; no text. */
struct launch *launch_new(const struct aclkm_kernel *kernel,
			  const struct launch_shape *shape, size_t size);
unsigned char *launch_args(struct launch *launch);
/* Writes the address of the data there. */
void launch_place(struct launch *launch, const struct launch_place *place);
/* Submits it, or frees it if that fails. */
int launch_submit(struct launch *launch, uintptr_t stream);

/* The arguments lie in device memory, and are read when the kernel runs. */
int launch_submit_device(const struct aclkm_kernel *kernel,
			 const struct launch_shape *shape, const void *args, size_t size,
			 uintptr_t stream);

#endif /* LIB_LAUNCH_H */
