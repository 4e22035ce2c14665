// SPDX-License-Identifier: MIT
#include "debug/check_report.h"

#include "debug/stacks.h"

void checked_describe(const struct checked *block)
{
	report_line("  block: %llu bytes [%p, %p) of %s memory",
		    (unsigned long long)block->asked, (void *)(uintptr_t)block->base,
		    (void *)(uintptr_t)(block->base + block->asked),
		    kind_name(block->kind));
	report_trace("taken", stack_get(block->taken));
	if (block->freed)
		report_trace("freed", stack_get(block->given));
}

/* A finding about a block that was taken where others may have been. */
struct report checked_report(const char *check, struct trace *here,
			     const struct checked *block)
{
	trace_take(here);
	return (struct report){
		.check = check,
		.here = here,
		.about = block ? trace_place(stack_get(block->taken)) : 0,
	};
}

void check_report_red_zone(const struct checked *block, const uint8_t *bad)
{
	const uint8_t *zone = (const uint8_t *)(uintptr_t)block->base + block->asked;
	struct trace here;
	struct report report = checked_report("red-zone", &here, block);

	if (!report_begin(&report,
			  "byte %llu behind the end of a block was written: 0x%02x",
			  (unsigned long long)(bad - zone), *bad))
		return;
	checked_describe(block);
	report_end(
		"write no more than the size that was asked for; found when freeing, so "
		"look at who writes this block");
}

void check_report_held(const struct checked *block, const uint8_t *bad)
{
	const uint8_t *from = (const uint8_t *)(uintptr_t)block->base;
	struct trace here;
	struct report report = checked_report("use-after-free", &here, block);

	/* Where it was freed tells more than where that came to light. */
	report.about ^= trace_place(stack_get(block->given));
	if (!report_begin(&report, "byte %llu of a freed block was written: 0x%02x",
			  (unsigned long long)(bad - from), *bad))
		return;
	checked_describe(block);
	report_end("free memory when nobody writes it any more: synchronise the streams "
		   "that use it first");
}
