// SPDX-License-Identifier: MIT
#include "alloc/rounding.h"

#include "alloc/heap.h"
#include "base/rules.h"
#include "alloc/tcache.h"

struct rounding rounding_of(enum aclkm_kind kind, uint32_t padding, uint64_t align,
			    uint64_t shift)
{
	struct rounding rounding = {.tag = word_tag(kind, padding)};
	uint64_t most = EXACT_MAX - padding - shift, len;
	/* heap.c: such blocks start on a page. */
	bool paged = kind != ACLKM_KIND_POOL && kind != ACLKM_KIND_NATIVE;

	/* With 16 the bytes that the rule adds depend on the length. */
	if (align > SMALL_ALIGN || (padding != 0 && padding != ACLKM_RULE_PADDING))
		return rounding;
	rounding.limit = most;
	/* Every multiple of the unit is a class: as many units, as many rows. */
	for (len = ROUNDING_STEP; len <= most; len += ROUNDING_STEP) {
		uint64_t unit = paged && len >= HEAP_PAGE ? HEAP_PAGE : align;
		uint64_t size = (len + padding + shift + unit - 1) & ~(unit - 1);

		rounding.rows[(len - 1) / ROUNDING_STEP] =
			(uint32_t)(size / UNIT * sizeof(struct row));
	}
	return rounding;
}
