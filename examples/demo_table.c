/* SPDX-License-Identifier: MIT */
/* One row for each allocation call, with what the rules make of it. */
#include "demo.h"

#include <acl/dvpp/hi_dvpp.h>
#include <acl/ops/acl_dvpp.h>
#include <aclkm/memory.h>
#include <aclkm/pool.h>
#include <inttypes.h>

/* A frame of 1920 x 1080 in YUV 4:2:0, and a size that no rule leaves as it is. */
static const size_t sizes[] = {100, 3110400};

static struct aclkm_pool *pools[2];

static int linear(void **p, size_t n)
{
	return aclrtMalloc(p, n, ACL_MEM_MALLOC_HUGE_FIRST);
}

static int normal_only(void **p, size_t n)
{
	return aclrtMalloc(p, n, ACL_MEM_MALLOC_NORMAL_ONLY);
}

static int align32(void **p, size_t n)
{
	return aclrtMallocAlign32(p, n, ACL_MEM_MALLOC_HUGE_FIRST);
}

static int cached(void **p, size_t n)
{
	return aclrtMallocCached(p, n, ACL_MEM_MALLOC_NORMAL_ONLY);
}

static int himpi(void **p, size_t n)
{
	return hi_mpi_dvpp_malloc(0, p, n);
}

static int himpi_free(void *p)
{
	return hi_mpi_dvpp_free(p);
}

static int segment(void **p, size_t n)
{
	return aclkm_segment_alloc(pools[ACLKM_POOL_LINEAR], n, p);
}

static int segment_free(void *p)
{
	return aclkm_segment_free(pools[ACLKM_POOL_LINEAR], p);
}

static int media_segment(void **p, size_t n)
{
	return aclkm_segment_alloc(pools[ACLKM_POOL_MEDIA], n, p);
}

static int media_segment_free(void *p)
{
	return aclkm_segment_free(pools[ACLKM_POOL_MEDIA], p);
}

static const struct {
	const char *name;
	int (*alloc)(void **p, size_t n);
	int (*free)(void *p);
} calls[] = {
	{"aclrtMalloc HUGE_FIRST", linear, aclrtFree},
	{"aclrtMalloc NORMAL_ONLY", normal_only, aclrtFree},
	{"aclrtMallocAlign32", align32, aclrtFree},
	{"aclrtMallocCached", cached, aclrtFree},
	{"aclrtMallocHost", aclrtMallocHost, aclrtFreeHost},
	{"acldvppMalloc", acldvppMalloc, acldvppFree},
	{"hi_mpi_dvpp_malloc", himpi, himpi_free},
	{"pool segment", segment, segment_free},
	{"media pool segment", media_segment, media_segment_free},
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static void size_text(char *text, size_t len, uint64_t bytes)
{
	static const char units[] = "BKMG";
	int u = 0;

	while (bytes >= 1024 && bytes % 1024 == 0 && u < 3) {
		bytes /= 1024;
		u++;
	}
	if (u)
		snprintf(text, len, "%" PRIu64 " %ciB", bytes, units[u]);
	else
		snprintf(text, len, "%" PRIu64 " B", bytes);
}

static void row(const char *name, const struct aclkm_memory_info *info)
{
	char align[24], page[24], phys[32];

	size_text(align, sizeof(align), info->alignment);
	size_text(page, sizeof(page), info->page_size);
	if (info->phys_valid)
		snprintf(phys, sizeof(phys), "%#" PRIx64, info->phys);
	else
		snprintf(phys, sizeof(phys), "%s",
			 info->contiguous ? "needs CAP_SYS_RAWIO" : "not promised");
	printf("%-24s %9" PRIu64 " %9" PRIu64 "  %-14p %9s %8s  %s\n", name, info->asked,
	       info->ruled, info->base, align, page, phys);
}

int demo_table(void)
{
	struct aclkm_memory_info info = {0};
	size_t s, c;
	void *p;

	TRY(aclkm_pool_create(ACLKM_POOL_LINEAR, 4 << 20, ACLKM_PAGES_HUGE_FIRST, 0,
			      &pools[0]));
	TRY(aclkm_pool_create(ACLKM_POOL_MEDIA, 4 << 20, ACLKM_PAGES_HUGE_FIRST, 0,
			      &pools[1]));

	printf("%-24s %9s %9s  %-14s %9s %8s  %s\n", "call", "asked", "by rule",
	       "address", "alignment", "page", "physical address");
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (c = 0; c < NR_CALLS; c++) {
			TRY(calls[c].alloc(&p, sizes[s]));
			TRY(aclkm_memory_query(p, &info));
			row(calls[c].name, &info);
			TRY(calls[c].free(p));
		}
	}
	if (info.contiguous)
		printf("\nEach block is one contiguous physical range.\n");
	else
		printf("\nNot promised without the driver: physical contiguity, physical "
		       "addresses, and the\nnumber of huge pages; the sizes, alignments "
		       "and "
		       "errors above are the same.\n");

	TRY(aclkm_pool_destroy(pools[0], 0));
	TRY(aclkm_pool_destroy(pools[1], 0));
	return 0;
}
