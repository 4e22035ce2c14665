// SPDX-License-Identifier: MIT
/*
 * Arenas as blocks of characters. A block stands for a power of two of bytes, and shows
 * the state that most of these have; a pinned or poisoned byte always shows. Regions have
 * the colour of their owner, and a letter where there are no colours.
 */
#include <string.h>

#include "map.h"
#include "show.h"

#define COLUMNS 64
#define ROWS 16

enum kind { KIND_CLEAN, KIND_DIRTY, KIND_REGION, KIND_HELD, KIND_LOST, KINDS };

struct block {
	uint64_t bytes[KINDS];
	const struct aclkm_map_extent *region; /* with the most bytes here */
	uint64_t region_bytes;
	bool pinned;
	bool poisoned;
};

static enum kind kind_of(const struct aclkm_map_extent *extent)
{
	switch (extent->state) {
	case ACLKM_STATE_FREE:
		return extent->flags & ACLKM_EXTENT_CLEAN ? KIND_CLEAN : KIND_DIRTY;
	case ACLKM_STATE_REGION:
		return KIND_REGION;
	case ACLKM_STATE_HELD:
		return KIND_HELD;
	default:
		return KIND_LOST;
	}
}

static uint64_t block_size(uint64_t arena)
{
	uint64_t size = 4096;

	while (arena / size > COLUMNS * ROWS)
		size *= 2;
	return size;
}

/* Describes the bytes from @from to @to; @next is the first extent that may reach there.
 */
static struct block describe(const struct arena *arena, uint64_t *next, uint64_t from,
			     uint64_t to)
{
	struct block block = {0};
	uint64_t i;

	while (*next < arena->map.count &&
	       arena->extents[*next].offset + arena->extents[*next].len <= from)
		++*next;
	for (i = *next; i < arena->map.count && arena->extents[i].offset < to; i++) {
		const struct aclkm_map_extent *extent = &arena->extents[i];
		uint64_t end = extent->offset + extent->len;
		uint64_t start = extent->offset > from ? extent->offset : from;
		uint64_t bytes = (end < to ? end : to) - start;
		enum kind kind = kind_of(extent);

		block.bytes[kind] += bytes;
		if (kind == KIND_LOST || extent->flags & ACLKM_EXTENT_POISONED)
			block.poisoned = true;
		if (kind != KIND_REGION)
			continue;
		block.pinned |= extent->flags & ACLKM_EXTENT_PINNED;
		if (bytes > block.region_bytes) {
			block.region = extent;
			block.region_bytes = bytes;
		}
	}
	return block;
}

/* What most of the bytes are; of equal numbers, the state that says more. */
static enum kind main_kind(const struct block *block)
{
	enum kind best = KIND_CLEAN, kind;

	for (kind = KIND_CLEAN; kind < KINDS; kind++)
		if (block->bytes[kind] >= block->bytes[best] && block->bytes[kind])
			best = kind;
	return best;
}

static const char *owner_colour(size_t owner)
{
	static const char *const codes[MAP_COLOURS] = {
		"\033[34m", "\033[35m", "\033[36m", "\033[94m", "\033[95m", "\033[96m"};

	return *show_colour(SHOW_PLAIN) ? codes[owner % MAP_COLOURS] : "";
}

/* The letter of an owner, a capital for huge pages. */
static char owner_letter(size_t owner, bool huge)
{
	return (char)((huge ? 'A' : 'a') + owner % 26);
}

/* Letters tell owners apart where colours do not. */
static bool has_letters(void)
{
	return !show_is_utf8() || !*show_colour(SHOW_PLAIN);
}

static void map_terminal_print_block(const struct map_view *view,
				     const struct block *block)
{
	bool utf8 = show_is_utf8();
	const char *off = show_colour(SHOW_PLAIN);
	size_t owner;

	if (block->poisoned) {
		printf("%sX%s", show_colour(SHOW_BAD), off);
		return;
	}
	switch (main_kind(block)) {
	case KIND_CLEAN:
		printf("%s%s%s", show_colour(SHOW_GOOD), utf8 ? "·" : ".", off);
		break;
	case KIND_DIRTY:
		printf("%s%s%s", show_colour(SHOW_WARN), utf8 ? "░" : ",", off);
		break;
	case KIND_HELD:
		printf("%s%s%s", show_colour(SHOW_BAD), utf8 ? "▒" : "%", off);
		break;
	default:
		owner = map_owner(view, block->region);
		if (has_letters())
			printf("%s%c%s", owner_colour(owner),
			       block->pinned
				       ? '*'
				       : owner_letter(owner, map_is_huge(block->region)),
			       off);
		else
			printf("%s%s%s", owner_colour(owner),
			       block->pinned		    ? "◆"
			       : map_is_huge(block->region) ? "█"
							    : "▄",
			       off);
	}
}

static void print_arena(const struct map_view *view, const struct arena *arena)
{
	uint64_t step = block_size(arena->map.size), at, next = 0;
	unsigned int column = 0;

	printf("%sarena %u%s  node %d  %s  free %s (clean %s)", show_colour(SHOW_BOLD),
	       arena->map.arena, show_colour(SHOW_PLAIN), arena->map.node,
	       SHOW_SIZE(arena->map.size), SHOW_SIZE(arena->map.free),
	       SHOW_SIZE(arena->map.clean));
	if (arena->map.held)
		printf("  held %s", SHOW_SIZE(arena->map.held));
	if (arena->map.flags & ACLKM_MAP_PHYS)
		printf("  at %#llx", (unsigned long long)arena->map.phys);
	printf("\n%12s  one block is %s\n", "", SHOW_SIZE(step));
	for (at = 0; at < arena->map.size; at += step) {
		struct block block = describe(arena, &next, at, at + step);

		if (!column)
			printf("%12s  ", SHOW_SIZE(at));
		map_terminal_print_block(view, &block);
		if (++column == COLUMNS) {
			putchar('\n');
			column = 0;
		}
	}
	if (column)
		putchar('\n');
	putchar('\n');
}

static void print_legend(void)
{
	bool utf8 = show_is_utf8(), letters = has_letters();
	const char *off = show_colour(SHOW_PLAIN);

	printf("%s%s%s clean  %s%s%s to be cleared  ", show_colour(SHOW_GOOD),
	       utf8 ? "·" : ".", off, show_colour(SHOW_WARN), utf8 ? "░" : ",", off);
	printf("%s huge pages  %s small pages  %s pinned  ", letters ? "A" : "█",
	       letters ? "a" : "▄", letters ? "*" : "◆");
	printf("%s%s%s held  %sX%s poisoned\n", show_colour(SHOW_BAD), utf8 ? "▒" : "%",
	       off, show_colour(SHOW_BAD), off);
}

static void print_owners(const struct map_view *view)
{
	char text[80], mark[2] = "";
	size_t i;

	if (!view->nr_owners)
		return;
	printf("\n   %-29s %7s %10s %10s %10s\n", "Owner", "Regions", "Bytes",
	       "Huge pages", "Pinned");
	for (i = 0; i < view->nr_owners; i++) {
		const struct owner *owner = &view->owners[i];

		map_owner_text(owner, text, sizeof(text));
		mark[0] = owner_letter(i, owner->huge);
		printf("%s%s%s  %-29.29s %7llu %10s %10s %10s\n", owner_colour(i),
		       has_letters() ? mark : "█", show_colour(SHOW_PLAIN), text,
		       (unsigned long long)owner->regions, SHOW_SIZE(owner->bytes),
		       SHOW_SIZE(owner->huge), SHOW_SIZE(owner->pinned));
	}
}

void map_print_terminal(const struct map_view *view)
{
	size_t i;

	for (i = 0; i < view->nr_arenas; i++)
		print_arena(view, &view->arenas[i]);
	if (!view->nr_arenas) {
		printf("no memory is reserved; sudo aclkm grow 1G reserves some\n");
		return;
	}
	print_legend();
	print_owners(view);
}
