// SPDX-License-Identifier: MIT
/* Poison and red zone of blocks, by whatever the environment asks for. */
#include <string.h>

#include "debug/check_fast.h"
#include "debug/check_small.h"

#define EIGHT(value) ((value)*0x0101010101010101ULL)
#define PATTERN(value)                                                                   \
	{                                                                                \
		{                                                                        \
			EIGHT(value), EIGHT(value), EIGHT(value), EIGHT(value)           \
		}                                                                        \
	}

const struct check_pattern check_red = PATTERN(CHECK_RED);
const struct check_pattern check_taken = PATTERN(CHECK_TAKEN);
const struct check_pattern check_freed = PATTERN(CHECK_FREED);

/* A part at the start and one at the end of a block. */
struct window {
	uint64_t head; /* bytes */
	uint64_t tail; /* where it starts */
};

/* The bytes of a block that poison fills and looks at. */
static struct window window_of(uint64_t size)
{
	if (size / 2 <= check_options.fill)
		return (struct window){.head = size, .tail = size};
	return (struct window){.head = check_options.fill,
			       .tail = size - check_options.fill};
}

typedef uint64_t words __attribute__((vector_size(16), aligned(1), may_alias));

static inline words at(const uint8_t *from)
{
	return *(const words *)(const void *)from;
}

static inline words of(uint8_t value)
{
	const uint64_t eight = value * 0x0101010101010101ULL;

	return (words){eight, eight};
}

/* Not 0 where one of 64 bytes is not @value. */
static inline words other_64(const uint8_t *from, uint8_t value)
{
	return ((at(from) ^ of(value)) | (at(from + 16) ^ of(value))) |
	       ((at(from + 32) ^ of(value)) | (at(from + 48) ^ of(value)));
}

/* The first byte in [from, to) that is not @value; @to when all are. */
static inline const uint8_t *first_other(const uint8_t *from, const uint8_t *to,
					 uint8_t value)
{
	const words want = of(value);
	words bad = {0};
	const uint8_t *p;

	/* All of it first, as nothing is wrong nearly always. */
	for (p = from; to - p >= 64; p += 64)
		bad |= other_64(p, value);
	for (; to - p >= 16; p += 16)
		bad |= at(p) ^ want;
	if (bad[0] | bad[1])
		p = from;
	while (p < to && *p == value)
		p++;
	return p;
}

static void fill_ends(uint64_t base, uint64_t size, uint8_t value)
{
	const struct window window = window_of(size);
	uint8_t *bytes = (uint8_t *)(uintptr_t)base;

	memset(bytes, value, window.head);
	if (window.tail != size)
		memset(bytes + window.tail, value, size - window.tail);
}

void check_fill_freed(const struct checked *block)
{
	fill_ends(block->base, block->ruled, CHECK_FREED);
}

const uint8_t *check_written(const struct checked *block)
{
	const uint8_t *base = (const uint8_t *)(uintptr_t)block->base, *bad;
	const struct window window = window_of(block->ruled);
	const uint8_t *end = base + block->ruled;

	bad = first_other(base, base + window.head, CHECK_FREED);
	if (bad != base + window.head)
		return bad;
	if (window.tail == block->ruled)
		return NULL;
	bad = first_other(base + window.tail, end, CHECK_FREED);
	return bad == end ? NULL : bad;
}

const uint8_t *check_written_behind(const struct checked *block)
{
	const uint8_t *end = (const uint8_t *)(uintptr_t)(block->base + block->ruled);
	const uint8_t *bad;

	if (!(check_options.checks & CHECK_REDZONE))
		return NULL;
	bad = first_other(end - (block->ruled - block->asked), end, CHECK_RED);
	return bad == end ? NULL : bad;
}

void check_fill_taken(const struct checked *block)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)block->base;

	if (check_options.checks & CHECK_POISON)
		fill_ends(block->base, block->asked, CHECK_TAKEN);
	if (check_options.checks & CHECK_REDZONE)
		memset(bytes + block->asked, CHECK_RED, block->ruled - block->asked);
}
