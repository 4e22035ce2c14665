// SPDX-License-Identifier: MIT
#include "map/place.h"

#include <string.h>

#include "map/block.h"
#include "debug/debug.h"
#include "alloc/alloc.h"
#include "pool/pool.h"
#include "map/readonly.h"
#include "map/registered.h"
#include "map/vmm.h"

static int narrow(struct heap_block *block, void *arg)
{
	/* A small segment, which threads keep, is found by itself. */
	if (block->kind != ACLKM_KIND_POOL || !block->owner)
		return ACLKM_OK;
	/* Between segments it is still the pool's memory. */
	pool_narrow(block->owner, (uint64_t)(uintptr_t)arg, block);
	return ACLKM_OK;
}

static bool describe_block(const void *addr, struct place_info *out)
{
	struct heap_block block;
	struct block_tag tag;

	if (heap_find(addr, &block, narrow, (void *)(uintptr_t)addr) &&
	    !readonly_find(addr, &block))
		return false;
	block_tag(block.base, &tag);
	*out = (struct place_info){
		.place = block.class == HEAP_HOST ? PLACE_HOST : PLACE_DEVICE,
		.base = block.base,
		.size = block.asked,
		.page_size = block.page_size,
		.device = block.device,
		.media = block.class == HEAP_MEDIA,
		.managed = tag.managed,
		.name = kind_name(block.kind),
	};
	return true;
}

static void describe_place(const void *arg)
{
	const struct place_info *place = arg;

	report_line("  memory: %llu bytes [%p, %p), %s", (unsigned long long)place->size,
		    (void *)(uintptr_t)place->base,
		    (void *)(uintptr_t)(place->base + place->size), place->name);
}

void place_goes(const void *addr, const char *doing)
{
	struct place_info place;

	if (check_watches_tasks() && place_describe(addr, &place) &&
	    (place.mapped || place.registered) && place.base == (uint64_t)(uintptr_t)addr)
		check_in_flight(place.base, place.size, doing, describe_place, &place);
}

bool place_describe(const void *addr, struct place_info *out)
{
	struct registered range;
	struct vmm_place mapping;

	if (describe_block(addr, out))
		return true;
	if (vmm_find(addr, &mapping)) {
		*out = (struct place_info){
			.place = mapping.property.host ? PLACE_HOST : PLACE_DEVICE,
			.base = mapping.base,
			.size = mapping.size,
			.page_size = mapping.page_size,
			.device = mapping.property.device,
			.mapped = true,
			.name = "mapped",
		};
		return true;
	}
	if (registered_find(addr, &range)) {
		*out = (struct place_info){
			.place = range.host ? PLACE_HOST : PLACE_DEVICE,
			.base = range.at.base,
			.size = range.at.size,
			.page_size = range.page_size,
			.device = range.device,
			.registered = true,
			.name = range.host ? "registered host" : "imported",
		};
		return true;
	}
	memset(out, 0, sizeof(*out));
	out->name = "unregistered";
	return false;
}

enum place place_of(const void *addr)
{
	struct registered range;
	struct vmm_place mapping;
	struct heap_block block;

	if (!heap_find(addr, &block, NULL, NULL))
		return block.class == HEAP_HOST ? PLACE_HOST : PLACE_DEVICE;
	if (readonly_find(addr, &block))
		return PLACE_DEVICE;
	if (vmm_find(addr, &mapping))
		return mapping.property.host ? PLACE_HOST : PLACE_DEVICE;
	if (registered_find(addr, &range))
		return range.host ? PLACE_HOST : PLACE_DEVICE;
	return PLACE_UNKNOWN;
}

enum place place_of_used(const void *addr)
{
	enum place place = place_of_block(addr);

	return place == PLACE_UNKNOWN ? place_of(addr) : place;
}
