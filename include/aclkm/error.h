/* SPDX-License-Identifier: MIT */
/* Result codes of the native interface, and the text that explains the last one. */
#ifndef ACLKM_ERROR_H
#define ACLKM_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ACLKM_API __attribute__((visibility("default")))
#else
#define ACLKM_API
#endif

/* Every aclkm_* function that returns int gives 0 or one of these. */
enum aclkm_error {
	ACLKM_OK = 0,
	ACLKM_ERR_IO = -5,	   /* the backend failed; the text has the errno */
	ACLKM_ERR_NOHEAP = -12,	   /* the library's own heap is exhausted */
	ACLKM_ERR_FOREIGN = -14,   /* the address is none of ours */
	ACLKM_ERR_BUSY = -16,	   /* something still lives in it */
	ACLKM_ERR_NODEV = -19,	   /* the backend asked for is not there */
	ACLKM_ERR_INVALID = -22,   /* an argument breaks its rule */
	ACLKM_ERR_NOMEM = -28,	   /* the device has no such piece of memory left */
	ACLKM_ERR_INTERIOR = -33,  /* the address lies inside a block */
	ACLKM_ERR_KIND = -71,	   /* the memory is of another kind */
	ACLKM_ERR_OVERFLOW = -75,  /* the size leaves 64 bits when the rule is applied */
	ACLKM_ERR_HANDLE = -77,	   /* unknown or destroyed handle */
	ACLKM_ERR_CONFIG = -84,	   /* an ACLKM_* environment variable has a bad value */
	ACLKM_ERR_NOTHREAD = -11,  /* no thread could be started */
	ACLKM_ERR_LIMIT = -87,	   /* more of them than the device has */
	ACLKM_ERR_FORKED = -10,	   /* child of a process that used the library */
	ACLKM_ERR_NOTALIVE = -114, /* the address is free: never given or freed before */
	ACLKM_ERR_PERM = -1,	   /* not allowed to this process */
	ACLKM_ERR_EXISTS = -17,	   /* done before, and once is all */
	ACLKM_ERR_CONTEXT = -18,   /* it belongs to another context */
	ACLKM_ERR_UNSUPPORTED = -95, /* not with this kind of object */
	ACLKM_ERR_TIMEOUT = -110,    /* the time is up */
	ACLKM_ERR_TASK = -62,	     /* a task's own time is up */
	ACLKM_ERR_ABORTED = -125,    /* the stream was aborted */
	ACLKM_ERR_KERNEL = -8,	     /* a kernel's host function reported a failure */
};

/* aclkm_strerror - a few words for @err; a constant string, never NULL. Any thread. */
ACLKM_API const char *aclkm_strerror(int err);

/**
 * aclkm_last_error - text of the last failure in this thread
 *
 * Names the function, the argument, its value and the rule. "" when none; the
 * string belongs to the library and lives until the next failure in the thread.
 */
ACLKM_API const char *aclkm_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_ERROR_H */
