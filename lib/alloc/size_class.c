// SPDX-License-Identifier: MIT
#include "alloc/size_class.h"

#include "alloc/table.h"

/* Bytes that a thread keeps of one class, where that is more than MIN_KEEP blocks. */
#define KEEP_BYTES (64U << 10)
#define MIN_KEEP 8

#define MAX_SPAN ((uint32_t)GRANULE * 8)
#define MIN_SLOTS 8

uint8_t class_of_units[SMALL_UNITS + 1];
struct class_info classes[CLASSES];

static uint32_t step_at(uint32_t size)
{
	uint32_t step = CLASS_UNIT, limit = EXACT_MAX;

	while (size >= limit) {
		step = limit / 32;
		limit *= 2;
	}
	return step < CLASS_UNIT ? CLASS_UNIT : step;
}

/* The shortest whose rest at the end is small, and with some blocks in it. */
static uint32_t span_of(uint32_t size)
{
	uint32_t span, best = MAX_SPAN;

	for (span = (uint32_t)GRANULE; span < MAX_SPAN; span += (uint32_t)GRANULE) {
		if (span / size > SLAB_SLOTS)
			return best;
		best = span;
		if (span / size >= MIN_SLOTS && span % size <= span / 64)
			return span;
	}
	return best;
}

static uint16_t keep_of(uint32_t size)
{
	uint32_t keep = KEEP_BYTES / size;

	if (keep < MIN_KEEP)
		keep = MIN_KEEP;
	return (uint16_t)(keep < CACHE_MAX ? keep : CACHE_MAX);
}

void classes_init(void)
{
	uint32_t size, unit = 1;
	int i = 0;

	for (size = CLASS_UNIT; size <= SMALL_MAX; size += step_at(size)) {
		classes[i].size = size;
		classes[i].span = span_of(size);
		classes[i].keep = keep_of(size);
		classes[i].batch = classes[i].keep / 2;
		for (; unit * CLASS_UNIT <= size; unit++)
			class_of_units[unit] = (uint8_t)i;
		i++;
	}
}
