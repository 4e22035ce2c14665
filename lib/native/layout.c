// SPDX-License-Identifier: MIT
#include "aclkm/layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

struct place {
	uint64_t offset, len, m;
	size_t number;
};

static int by_offset(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int check_arguments(const void *base, const struct aclkm_layout_segment *segments,
			   size_t n, uint64_t align, uint32_t padding, const void *out)
{
	if (!base || !segments || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL",
				 !base ? "base" : (segments ? "out" : "segments"));
	if (!n)
		return error_set(ACLKM_ERR_INVALID, "n = 0: must be 1 or more");
	if (align < ACLKM_RULE_ALIGN || !is_power_of_two(align))
		return error_set(ACLKM_ERR_INVALID,
				 "align = %llu: must be a power of two from 64",
				 (unsigned long long)align);
	if (!is_padding(padding))
		return error_set(ACLKM_ERR_INVALID, "padding = %u: must be 0, 16 or 32",
				 padding);
	return ACLKM_OK;
}

static int fail(struct aclkm_layout_report *out, enum aclkm_layout_fault fault,
		const struct place *at, uint64_t is, uint64_t should_be, const char *what)
{
	out->fault = fault;
	out->segment = at->number;
	out->is = is;
	out->should_be = should_be;
	snprintf(out->text, sizeof(out->text), "segment %zu: %s is %llu, must be %s%llu",
		 at->number, what, (unsigned long long)is,
		 fault == ACLKM_LAYOUT_START ? "a multiple, the next is " : "at least ",
		 (unsigned long long)should_be);
	return error_set(ACLKM_ERR_INVALID, "%s", out->text);
}

static int check_place(const struct place *at, const struct place *next, uint64_t base,
		       uint64_t size, uint64_t align, struct aclkm_layout_report *out)
{
	uint64_t start = base + at->offset;

	if (!at->len)
		return fail(out, ACLKM_LAYOUT_EMPTY, at, 0, 1, "len");
	if (start % align)
		return fail(out, ACLKM_LAYOUT_START, at, start,
			    (start + align - 1) & ~(align - 1), "the address");
	if (next) {
		out->other = next->number;
		if (next->offset < at->offset + at->len)
			return fail(out, ACLKM_LAYOUT_OVERLAP, at, next->offset,
				    at->offset + at->m, "the offset of the next one");
		if (next->offset < at->offset + at->m)
			return fail(out, ACLKM_LAYOUT_PADDING, at, next->offset,
				    at->offset + at->m, "the offset of the next one");
		out->other = 0;
	}
	if (at->offset + at->len > size)
		return fail(out, ACLKM_LAYOUT_END, at, size, at->offset + at->m,
			    "the block's size");
	if (at->offset + at->m > size)
		return fail(out, ACLKM_LAYOUT_END_TAIL, at, size, at->offset + at->m,
			    "the block's size");
	return ACLKM_OK;
}

static int layout_fill(struct place *places, uint64_t base,
		       const struct aclkm_layout_segment *segments, size_t n,
		       uint64_t align, uint32_t padding, uint64_t *needed)
{
	uint64_t stride, end;
	size_t i;

	*needed = 0;
	for (i = 0; i < n; i++) {
		struct place *at = &places[i];

		*at = (struct place){segments[i].offset, segments[i].len, 0, i};
		if (!at->len)
			continue;
		if (aclkm_segment_size(at->len, padding, &at->m) ||
		    aclkm_segment_stride(at->len, padding, align, &stride) ||
		    __builtin_add_overflow(at->offset, at->m, &end) ||
		    __builtin_add_overflow(base, end, &end) ||
		    __builtin_add_overflow(*needed, stride, needed))
			return error_set(
				ACLKM_ERR_OVERFLOW,
				"segments[%zu]: %llu bytes at %llu leave 64 bits", i,
				(unsigned long long)at->len,
				(unsigned long long)at->offset);
	}
	return ACLKM_OK;
}

int aclkm_layout_check(const void *base, uint64_t size,
		       const struct aclkm_layout_segment *segments, size_t n,
		       uint64_t align, uint32_t padding, struct aclkm_layout_report *out)
{
	struct aclkm_layout_report report = {0};
	struct place *places;
	int err = api_enter(__func__);
	size_t i;

	if (err)
		return err;
	err = check_arguments(base, segments, n, align, padding, out);
	if (err)
		return err;
	places = calloc(n, sizeof(*places));
	if (!places)
		return error_no_records();
	err = layout_fill(places, (uint64_t)(uintptr_t)base, segments, n, align, padding,
			  &report.needed);
	if (err)
		goto free;
	qsort(places, n, sizeof(*places), by_offset);
	for (i = 0; i < n && !err; i++)
		err = check_place(&places[i], i + 1 < n ? &places[i + 1] : NULL,
				  (uint64_t)(uintptr_t)base, size, align, &report);
	*out = report;
free:
	free(places);
	return err;
}
