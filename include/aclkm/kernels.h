/* SPDX-License-Identifier: MIT */
/*
 * Host functions in place of kernels, for programs that launch some of their own.
 *
 * A program's author writes each kernel once more as a function of the host, puts all
 * into a shared object that defines one table, and names the file in ACLKM_KERNELS:
 *
 *	static int add(const struct aclkm_launch *launch) { ... }
 *
 *	static const struct aclkm_kernel kernels[] = {{.name = "add", .run = add}};
 *
 *	ACLKM_KERNEL_TABLE(kernels);
 *
 * Then aclrtBinaryLoad, aclrtBinaryGetFunction, aclrtKernelArgs* and aclrtLaunchKernel*
 * work, and a launch calls the function in the order of its stream. Without the variable
 * they answer 207000. Programs with raised privileges (AT_SECURE) ignore it.
 */
#ifndef ACLKM_KERNELS_H
#define ACLKM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One call for one block. The struct may grow at its end. */
struct aclkm_launch {
	uint32_t size;	/* of this struct, as the library knows it */
	uint32_t block; /* which block this call is for: from 0, or the launch's offset */
	uint32_t blocks; /* how many there are */
	uint32_t device;
	/*
	 * The arguments as the launch gave them: parameters in their order, each at a
	 * multiple of 8; a placeholder is the address of its data. They are the launch's
	 * own copy, or where they lie in device memory.
	 */
	const void *args;
	uint64_t args_size;
	const struct aclkm_kernel *kernel;
	uint32_t grid[3];    /* of a SIMT launch; else {blocks, 1, 1} */
	uint32_t threads[3]; /* of each block of a SIMT launch; else {1, 1, 1} */
};

/*
 * Runs in the stream's own thread, block after block. 0: done. Another value ends the
 * launch: the stream reports 507015. The function may copy and compute; a call that waits
 * for a stream answers 207000, as in a host function.
 */
typedef int (*aclkm_kernel_fn)(const struct aclkm_launch *launch);

struct aclkm_kernel {
	const char *name; /* for aclrtBinaryGetFunction; each only once */
	aclkm_kernel_fn run;
	uint64_t entry; /* for aclrtBinaryGetFunctionByEntry; the first that has it */
	/* Bytes of each parameter, for launches that give them one by one; or NULL, 0. */
	const uint32_t *param_sizes;
	uint32_t param_count; /* 128 at most */
	uint32_t type;	      /* aclrtKernelType: 0 AI Core, 1 cube, 2 vector, 3 mix */
	const void *data;     /* the author's own */
};

/* The symbol "aclkm_kernels" of the file. */
struct aclkm_kernel_table {
	uint32_t size;	      /* of this struct */
	uint32_t kernel_size; /* of one kernel */
	uint64_t count;
	const struct aclkm_kernel *kernels;
};

#ifdef __cplusplus
#define ACLKM_KERNEL_LINKAGE extern "C"
#else
#define ACLKM_KERNEL_LINKAGE extern
#endif

/* Once in the file. @rows: an array of struct aclkm_kernel that lives for ever. */
#define ACLKM_KERNEL_TABLE(rows)                                                         \
	ACLKM_KERNEL_LINKAGE ACLKM_API const struct aclkm_kernel_table aclkm_kernels;    \
	const struct aclkm_kernel_table aclkm_kernels = {                                \
		sizeof(struct aclkm_kernel_table), sizeof(struct aclkm_kernel),          \
		sizeof(rows) / sizeof((rows)[0]), rows}

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_KERNELS_H */
