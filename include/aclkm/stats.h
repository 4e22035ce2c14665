/* SPDX-License-Identifier: MIT */
/* Counters of this process, from its start. */
#ifndef ACLKM_STATS_H
#define ACLKM_STATS_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct aclkm_stats {
	uint64_t copies_sync;	   /* aclrtMemcpy calls that copied */
	uint64_t copies_async;	   /* aclrtMemcpyAsync calls that went to a stream */
	uint64_t copies_degraded;  /* ... that were done at once: pageable host memory */
	uint64_t copies_unaligned; /* ... with an address that is no multiple of 64 */
	uint64_t bytes_copied;	   /* by all of them, counted when done */
	uint64_t tasks_done;	   /* stream tasks finished */
	uint64_t bytes_uncached;   /* of @bytes_copied: by streaming loads, as the source
				    * is mapped write-combined or uncached */
};

/**
 * aclkm_stats_get - read the counters
 * @out: out; each counter is exact, the set is no snapshot
 *
 * Any thread. ACLKM_ERR_INVALID (NULL).
 */
ACLKM_API int aclkm_stats_get(struct aclkm_stats *out);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_STATS_H */
