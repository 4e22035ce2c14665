// SPDX-License-Identifier: MIT
/* Advice on managed memory: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <string.h>

#include "map/map.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

/* What a query says where there is no one place. */
#define NO_PLACE (-2)
#define HOST_PLACE (-1)

static aclError check_range(const void *ptr, uint64_t size, bool whole)
{
	aclError code = acl_need(ptr, "ptr") ?: acl_need_size(size, "size");

	if (code)
		return code;
	if (whole && size % MANAGED_UNIT)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "size = %llu: must be a multiple of 2 MiB",
				  (unsigned long long)size);
	return acl_result(managed_check(ptr, size));
}

static aclError read_place(const aclrtMemManagedLocation *location,
			   struct managed_place *out)
{
	out->id = location->id;
	switch ((uint32_t)location->type) {
	case ACL_MEM_LOCATIONTYPE_DEVICE:
		out->type = MANAGED_DEVICE;
		return context_check_device(location->id);
	case ACL_MEM_LOCATIONTYPE_HOST:
		*out = (struct managed_place){.type = MANAGED_HOST};
		return ACL_SUCCESS;
	case ACL_MEM_LOCATIONTYPE_HOST_NUMA:
		out->type = MANAGED_NODE;
		if (location->id >= 0 && location->id < MANAGED_NODES)
			return ACL_SUCCESS;
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "location.id = %d: a NUMA node is from 0 to %d",
				  location->id, MANAGED_NODES - 1);
	case ACL_MEM_LOCATIONTYPE_HOST_NUMA_CURRENT:
		*out = (struct managed_place){.type = MANAGED_NODE,
					      .id = managed_current_node()};
		return ACL_SUCCESS;
	default:
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "location.type = %d: must be DEVICE (1), HOST (2), "
				  "HOST_NUMA (3) or HOST_NUMA_CURRENT (4)",
				  (int)location->type);
	}
}

struct advice {
	aclrtMemManagedAdviseType type;
	struct managed_place place;
};

static void set_bit(uint64_t *bits, int32_t bit, bool set)
{
	*bits = set ? *bits | 1ULL << bit : *bits & ~(1ULL << bit);
}

static void set_accessed(struct managed_state *state, const struct managed_place *place,
			 bool set)
{
	if (place->type == MANAGED_HOST)
		state->by_host = set;
	else if (place->type == MANAGED_DEVICE)
		set_bit(&state->by_devices, place->id, set);
	else
		set_bit(&state->by_nodes, place->id, set);
}

static void advise(struct managed_state *state, const void *arg)
{
	const struct advice *advice = arg;

	switch (advice->type) {
	case ACL_MEM_ADVISE_SET_READ_MOSTLY:
	case ACL_MEM_ADVISE_UNSET_READ_MOSTLY:
		state->read_mostly = advice->type == ACL_MEM_ADVISE_SET_READ_MOSTLY;
		break;
	case ACL_MEM_ADVISE_SET_PREFERRED_LOCATION:
		state->preferred = advice->place;
		break;
	case ACL_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
		state->preferred = (struct managed_place){0};
		break;
	default:
		set_accessed(state, &advice->place,
			     advice->type == ACL_MEM_ADVISE_SET_ACCESSED_BY);
	}
}

aclError aclrtMemManagedAdvise(const void *const ptr, uint64_t size,
			       aclrtMemManagedAdviseType type,
			       aclrtMemManagedLocation location)
{
	struct advice advice = {.type = type};
	aclError code =
		acl_enter(__func__) ?: context_need() ?: check_range(ptr, size, true);

	if (code)
		return code;
	switch ((uint32_t)type) {
	case ACL_MEM_ADVISE_SET_READ_MOSTLY:
	case ACL_MEM_ADVISE_UNSET_READ_MOSTLY:
	case ACL_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
		break;
	case ACL_MEM_ADVISE_SET_PREFERRED_LOCATION:
	case ACL_MEM_ADVISE_SET_ACCESSED_BY:
	case ACL_MEM_ADVISE_UNSET_ACCESSED_BY:
		code = read_place(&location, &advice.place);
		break;
	default:
		code = acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "advise = %d: not a value of aclrtMemManagedAdviseType",
				  (int)type);
	}
	return code ?: acl_result(managed_change(ptr, size, advise, &advice));
}

static aclError check_attribute(aclrtMemManagedRangeAttribute attribute, const void *data,
				size_t size)
{
	aclError code = acl_need(data, "data");

	if (code)
		return code;
	if ((uint32_t)attribute < ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY ||
	    (uint32_t)attribute > ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "attribute = %d: must be from 1 to 8", (int)attribute);
	if (attribute == ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY
		    ? !size || size % sizeof(int32_t)
		    : size != sizeof(int32_t))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "dataSize = %zu: must be 4%s", size,
				  attribute == ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY
					  ? " or a multiple of it"
					  : "");
	return ACL_SUCCESS;
}

static int32_t place_number(const struct managed_place *place)
{
	if (place->type == MANAGED_NOWHERE)
		return NO_PLACE;
	return place->type == MANAGED_HOST ? HOST_PLACE : place->id;
}

static int32_t place_type(const struct managed_place *place)
{
	static const int32_t types[] = {
		ACL_MEM_LOCATIONTYPE_INVALID, ACL_MEM_LOCATIONTYPE_DEVICE,
		ACL_MEM_LOCATIONTYPE_HOST, ACL_MEM_LOCATIONTYPE_HOST_NUMA};

	return types[place->type];
}

static int32_t place_id(const struct managed_place *place)
{
	return place->type == MANAGED_DEVICE || place->type == MANAGED_NODE ? place->id
									    : NO_PLACE;
}

static void list_accessed(const struct managed_state *state, int32_t *out, size_t room)
{
	size_t n = 0;
	int bit;

	if (state->by_host && n < room)
		out[n++] = HOST_PLACE;
	for (bit = 0; bit < 64 && n < room; bit++) {
		if (state->by_devices >> bit & 1)
			out[n++] = bit;
	}
	for (bit = 0; bit < MANAGED_NODES && n < room; bit++) {
		if (state->by_nodes >> bit & 1)
			out[n++] = bit;
	}
	while (n < room)
		out[n++] = NO_PLACE;
}

static int32_t number_of(const struct managed_state *state,
			 aclrtMemManagedRangeAttribute attribute)
{
	switch (attribute) {
	case ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY:
		return state->read_mostly;
	case ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION:
		return place_number(&state->preferred);
	case ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE:
		return place_type(&state->preferred);
	case ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID:
		return place_id(&state->preferred);
	case ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION:
		return place_number(&state->prefetched);
	case ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE:
		return place_type(&state->prefetched);
	default:
		return place_id(&state->prefetched);
	}
}

static void acl_managed_tell(const struct managed_state *state,
			     aclrtMemManagedRangeAttribute attribute, void *data,
			     size_t size)
{
	int32_t number;

	if (attribute == ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY) {
		list_accessed(state, data, size / sizeof(int32_t));
		return;
	}
	number = number_of(state, attribute);
	memcpy(data, &number, sizeof(number));
}

aclError aclrtMemManagedGetAttr(aclrtMemManagedRangeAttribute attribute, const void *ptr,
				size_t size, void *data, size_t dataSize)
{
	struct managed_state state;
	aclError code = acl_enter(__func__) ?: context_need() ?:
			check_range(ptr, size, false) ?:
			check_attribute(attribute, data, dataSize) ?:
			acl_result(managed_get(ptr, size, &state));

	if (!code)
		acl_managed_tell(&state, attribute, data, dataSize);
	return code;
}

aclError aclrtMemManagedGetAttrs(aclrtMemManagedRangeAttribute *attributes,
				 size_t numAttributes, const void *ptr, size_t size,
				 void **data, size_t *dataSizes)
{
	struct managed_state state;
	size_t i;
	aclError code = acl_enter(__func__) ?: acl_need(attributes, "attributes") ?:
			acl_need_size(numAttributes, "numAttributes") ?:
			acl_need(data, "data") ?: acl_need(dataSizes, "dataSizes") ?:
			context_need() ?: check_range(ptr, size, false);

	for (i = 0; i < numAttributes && !code; i++)
		code = check_attribute(attributes[i], data[i], dataSizes[i]);
	code = code ?: acl_result(managed_get(ptr, size, &state));
	for (i = 0; i < numAttributes && !code; i++)
		acl_managed_tell(&state, attributes[i], data[i], dataSizes[i]);
	return code;
}

struct prefetch_task {
	struct task task;
	struct managed_place place;
};

static int run_prefetch(struct task *task)
{
	const struct prefetch_task *prefetch = (const struct prefetch_task *)task;

	managed_move(task->src, task->count, prefetch->place);
	return ACLKM_OK;
}

static void note_prefetch(struct managed_state *state, const void *arg)
{
	state->prefetched = *(const struct managed_place *)arg;
}

static aclError prefetch(const void *ptr, size_t size, const struct managed_place *place,
			 uintptr_t stream)
{
	const struct prefetch_task task = {
		.task = {.run = run_prefetch, .src = ptr, .count = size},
		.place = *place};
	const struct uses uses = {"prefetch", {{.at = ptr, .size = size}}};

	return stream_result(stream_submit_using(stream, &task.task, sizeof(task),
						 WORKER_NOW, &uses))
		       ?: acl_result(managed_change(ptr, size, note_prefetch, place));
}

static aclError acl_managed_check_flags(uint64_t flags)
{
	if (!flags)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flags = %llu: must be 0",
			  (unsigned long long)flags);
}

aclError aclrtMemManagedPrefetchAsync(const void *ptr, size_t size,
				      aclrtMemManagedLocation location, uint32_t flags,
				      aclrtStream stream)
{
	struct managed_place place;
	aclError code = acl_enter(__func__) ?: context_need() ?:
			check_range(ptr, size, true) ?: acl_managed_check_flags(flags) ?:
			read_place(&location, &place);

	return code ?: prefetch(ptr, size, &place, context_stream(stream));
}

static aclError check_indexes(const size_t *indexes, size_t n, size_t count)
{
	size_t i;

	if (n > count)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "numPrefetchLocs = %zu: at most count = %zu", n, count);
	for (i = 0; i < n; i++) {
		if (i ? indexes[i] <= indexes[i - 1] : indexes[i] != 0)
			return acl_refuse(
				ACL_ERROR_RT_PARAM_INVALID,
				"prefetchLocIdxs[%zu] = %zu: the first is 0, and "
				"they grow",
				i, indexes[i]);
	}
	if (indexes[n - 1] >= count)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "prefetchLocIdxs[%zu] = %zu: must be less than count = "
				  "%zu",
				  n - 1, indexes[n - 1], count);
	return ACL_SUCCESS;
}

aclError aclrtMemManagedPrefetchBatchAsync(const void **ptrs, size_t *sizes, size_t count,
					   aclrtMemManagedLocation *prefetchLocs,
					   size_t *prefetchLocIdxs,
					   size_t numPrefetchLocs, uint64_t flags,
					   aclrtStream stream)
{
	uintptr_t in;
	struct managed_place place;
	size_t i, at;
	aclError code = acl_enter(__func__) ?: acl_need(ptrs, "ptrs") ?:
			acl_need(sizes, "sizes") ?: acl_need_size(count, "count") ?:
			acl_need(prefetchLocs, "prefetchLocs") ?:
			acl_need(prefetchLocIdxs, "prefetchLocIdxs") ?:
			acl_need_size(numPrefetchLocs, "numPrefetchLocs") ?:
			context_need() ?: acl_managed_check_flags(flags) ?:
			check_indexes(prefetchLocIdxs, numPrefetchLocs, count);

	for (i = 0; i < count && !code; i++)
		code = check_range(ptrs[i], sizes[i], true);
	for (i = 0; i < numPrefetchLocs && !code; i++)
		code = read_place(&prefetchLocs[i], &place);
	if (code)
		return code;
	in = context_stream(stream);
	for (i = 0, at = 0; i < count && !code; i++) {
		if (at + 1 < numPrefetchLocs && prefetchLocIdxs[at + 1] == i)
			at++;
		code = read_place(&prefetchLocs[at], &place)
			       ?: prefetch(ptrs[i], sizes[i], &place, in);
	}
	return code;
}
