// SPDX-License-Identifier: MIT
/* What can be said of managed memory, what is told of it, and each wrong use. */
#include "gate.h"

#define UNIT (2 * MIB)
#define UNITS 4

#define P(p) ((void **)&(p))

static char *block;

static aclrtMemManagedLocation at(aclrtMemManagedLocationType type, int32_t id)
{
	return (aclrtMemManagedLocation){.type = type, .id = id};
}

static const aclrtMemManagedLocation host = {.type = ACL_MEM_LOCATIONTYPE_HOST, .id = 77};

static aclError advise(size_t from, size_t units, aclrtMemManagedAdviseType what,
		       aclrtMemManagedLocation where)
{
	return aclrtMemManagedAdvise(block + from * UNIT, units * UNIT, what, where);
}

/* One number, of the units from @from on; 99: the query is refused. */
static int32_t get(aclrtMemManagedRangeAttribute what, size_t from, size_t units)
{
	int32_t value = 98;

	return aclrtMemManagedGetAttr(what, block + from * UNIT, units * UNIT, &value,
				      sizeof(value))
		       ? 99
		       : value;
}

static void test_read_mostly(void)
{
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, UNITS), 0, "nothing was said");
	is(advise(1, 2, ACL_MEM_ADVISE_SET_READ_MOSTLY, at(0, 0)), 0, "mostly read");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 1, 2), 1, "the range is");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, 2), 0, "one more unit is not");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 3, 1), 0, "nor is the next");
	is(advise(2, 1, ACL_MEM_ADVISE_UNSET_READ_MOSTLY, at(0, 0)), 0, "no more");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 1, 2), 0, "in a part of it");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 1, 1), 1, "the rest still is");
}

/* Place, type and id of a range, of what is preferred or was prefetched. */
static void place_is(bool prefetched, size_t from, size_t units, int32_t place,
		     int32_t type, int32_t id, const char *what)
{
	int shift = prefetched ? ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE -
					 ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE
			       : 0;
	aclrtMemManagedRangeAttribute first =
		prefetched ? ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION
			   : ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION;

	is(get(first, from, units), place, "%s: place", what);
	is(get((aclrtMemManagedRangeAttribute)(ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE +
					       shift),
	       from, units),
	   type, "%s: type", what);
	is(get((aclrtMemManagedRangeAttribute)(ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID +
					       shift),
	       from, units),
	   id, "%s: id", what);
}

static void test_preferred(void)
{
	const aclrtMemManagedAdviseType set = ACL_MEM_ADVISE_SET_PREFERRED_LOCATION;

	place_is(false, 0, UNITS, -2, 0, -2, "nothing was said");
	is(advise(0, 2, set, at(ACL_MEM_LOCATIONTYPE_DEVICE, 1)), 0, "device 1");
	place_is(false, 0, 2, 1, 1, 1, "device 1");
	place_is(false, 0, 3, -2, 0, -2, "with a unit more");
	is(advise(2, 1, set, host), 0, "the host");
	place_is(false, 2, 1, -1, 2, -2, "the host");
	place_is(false, 1, 2, -2, 0, -2, "two places");
	is(advise(3, 1, set, at(ACL_MEM_LOCATIONTYPE_HOST_NUMA, 1)), 0, "node 1");
	place_is(false, 3, 1, 1, 3, 1, "node 1");
	is(advise(0, 1, ACL_MEM_ADVISE_UNSET_PREFERRED_LOCATION, at(0, 0)), 0, "no more");
	place_is(false, 0, 1, -2, 0, -2, "no more");
	is(advise(0, 1, set, at(ACL_MEM_LOCATIONTYPE_HOST_NUMA_CURRENT, -5)), 0, "here");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE, 0, 1), 3, "is a node");
}

static void test_accessed(void)
{
	int32_t by[5] = {9, 9, 9, 9, 9};

	is(advise(0, 2, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(1, 1)), 0, "by device 1");
	is(advise(1, 2, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(1, 0)), 0, "by device 0");
	is(advise(1, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, host), 0, "by the host");
	is(advise(1, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(3, 0)), 0, "by node 0");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, block + UNIT, UNIT,
				  by, sizeof(by)),
	   0, "by whom");
	ok(by[0] == -1 && by[1] == 0 && by[2] == 1 && by[3] == 0 && by[4] == -2,
	   "all four, and no more");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, block, 2 * UNIT,
				  by, sizeof(by)),
	   0, "two units");
	ok(by[0] == 1 && by[1] == -2, "what both have");
	by[1] = 55;
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, block + UNIT, UNIT,
				  by, 4),
	   0, "room for one");
	is(by[1], 55, "no more is written");
	is(advise(1, 1, ACL_MEM_ADVISE_UNSET_ACCESSED_BY, host), 0, "not by the host");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, block + UNIT, UNIT,
				  by, 4),
	   0, "by whom");
	is(by[0], 0, "device 0 is the first now");
}

static void test_several(void)
{
	aclrtMemManagedRangeAttribute what[] = {
		ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY,
		ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION,
		ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY};
	int32_t mostly = 7, place = 7, by[2] = {7, 7};
	void *data[] = {&mostly, &place, by};
	size_t sizes[] = {4, 4, sizeof(by)};

	is(aclrtMemManagedGetAttrs(what, 3, block, UNIT, data, sizes), 0,
	   "three at once");
	ok(mostly == 0 && by[0] == 1 && by[1] == -2, "each is told");
	mostly = 7;
	sizes[2] = 6;
	is(aclrtMemManagedGetAttrs(what, 3, block, UNIT, data, sizes), 107000,
	   "bad room");
	is(mostly, 7, "nothing is written");
	sizes[2] = 8;
	data[1] = NULL;
	is(aclrtMemManagedGetAttrs(what, 3, block, UNIT, data, sizes), 100000, "NULL");
	is(aclrtMemManagedGetAttrs(what, 0, block, UNIT, data, sizes), 100000, "none");
	is(aclrtMemManagedGetAttrs(NULL, 1, block, UNIT, data, sizes), 100000, "no list");
	is(aclrtMemManagedGetAttrs(what, 1, block, UNIT, NULL, sizes), 100000, "no room");
	is(aclrtMemManagedGetAttrs(what, 1, block, UNIT, data, NULL), 100000, "no sizes");
	is(aclrtMemManagedGetAttrs(what, 1, NULL, UNIT, data, sizes), 100000, "no range");
}

static void test_prefetch(void)
{
	struct gate gate;
	aclrtStream stream;

	if (aclrtCreateStream(&stream))
		bail_out("no stream");
	place_is(true, 0, UNITS, -2, 0, -2, "no prefetch yet");
	memset(block, 'a', UNITS * UNIT - 100);
	gate_close(&gate, stream);
	is(aclrtMemManagedPrefetchAsync(block, UNIT, at(1, 0), 0, stream), 0, "to 0");
	place_is(true, 0, 1, 0, 1, 0, "told when asked for");
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "done");
	is(aclrtMemManagedPrefetchAsync(block, 2 * UNIT, host, 0, NULL), 0,
	   "to the host");
	place_is(true, 0, 2, -1, 2, -2, "the host");
	is(aclrtMemManagedPrefetchAsync(block + UNIT, UNIT, at(3, 0), 0, NULL), 0,
	   "to node 0");
	is(aclrtMemManagedPrefetchAsync(block + UNIT, UNIT, at(3, 63), 0, NULL), 0,
	   "to a node that is not there");
	is(aclrtSynchronizeStream(NULL), 0, "done");
	ok(block[0] == 'a' && block[UNIT] == 'a' && block[2 * UNIT - 1] == 'a',
	   "the bytes are the same");
	is(aclrtDestroyStream(stream), 0, "destroy");
	is(aclrtMemManagedPrefetchAsync(block, UNIT, host, 0, stream), 107003,
	   "a stream that is not alive");
	is(aclrtMemManagedPrefetchAsync(block, UNIT, host, 1, NULL), 107000, "flags");
	is(aclrtMemManagedPrefetchAsync(block, UNIT + 1, host, 0, NULL), 107000, "size");
	is(aclrtMemManagedPrefetchAsync(block, UNIT, at(0, 0), 0, NULL), 107000,
	   "nowhere");
	is(aclrtMemManagedPrefetchAsync(block, UNIT, at(1, 2), 0, NULL), 107001,
	   "no such device");
	place_is(true, 0, 1, -1, 2, -2, "after the errors as before");
}

static void test_batch(void)
{
	const void *ptrs[] = {block, block + UNIT, block + 3 * UNIT};
	size_t sizes[] = {UNIT, 2 * UNIT, UNIT}, firsts[] = {0, 2}, wrong[] = {1, 2};
	aclrtMemManagedLocation places[] = {at(1, 1), host};

	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, firsts, 2, 0, NULL),
	   0, "three ranges to two places");
	place_is(true, 0, 3, 1, 1, 1, "the first two");
	place_is(true, 3, 1, -1, 2, -2, "the third");
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, wrong, 2, 0, NULL),
	   107000, "the first index is not 0");
	wrong[0] = 0;
	wrong[1] = 0;
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, wrong, 2, 0, NULL),
	   107000, "they do not grow");
	wrong[1] = 3;
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, wrong, 2, 0, NULL),
	   107000, "behind the last");
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 1, places, firsts, 2, 0, NULL),
	   107000, "more places than ranges");
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, firsts, 2, 4, NULL),
	   107000, "flags");
	is(aclrtMemManagedPrefetchBatchAsync(NULL, sizes, 3, places, firsts, 2, 0, NULL) |
		   aclrtMemManagedPrefetchBatchAsync(ptrs, NULL, 3, places, firsts, 2, 0,
						     NULL) |
		   aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, NULL, firsts, 2, 0,
						     NULL) |
		   aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, NULL, 2, 0,
						     NULL) |
		   aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 0, places, firsts, 2, 0,
						     NULL) |
		   aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, firsts, 0, 0,
						     NULL),
	   100000, "NULL, none");
	sizes[2] = 5;
	places[0] = host;
	is(aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, 3, places, firsts, 2, 0, NULL),
	   107000, "one range is bad");
	place_is(true, 0, 3, 1, 1, 1, "then none is moved");
}

static void test_wrong(void)
{
	int32_t value = 5;
	char *other;

	if (aclrtMalloc(P(other), 2 * UNIT, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	is(aclrtMemManagedAdvise(other, UNIT, ACL_MEM_ADVISE_SET_READ_MOSTLY, host),
	   107000, "memory of aclrtMalloc");
	ok(recent_has("aclrtMemAllocManaged"), "the text says what it must be");
	is(aclrtMemManagedAdvise(&value, UNIT, ACL_MEM_ADVISE_SET_READ_MOSTLY, host),
	   107000, "memory of the program");
	is(aclrtMemManagedAdvise(NULL, UNIT, ACL_MEM_ADVISE_SET_READ_MOSTLY, host),
	   100000, "NULL");
	is(aclrtMemManagedAdvise(block, 0, ACL_MEM_ADVISE_SET_READ_MOSTLY, host), 100000,
	   "size 0");
	is(aclrtMemManagedAdvise(block, UNIT / 2, ACL_MEM_ADVISE_SET_READ_MOSTLY, host),
	   107000, "half a unit");
	is(advise(1, UNITS, ACL_MEM_ADVISE_SET_READ_MOSTLY, host), 107000,
	   "past the end");
	is(aclrtMemManagedAdvise(block, ~(UNIT - 1), ACL_MEM_ADVISE_SET_READ_MOSTLY,
				 host),
	   107000, "nearly 2^64 bytes");
	is(advise(0, 1, (aclrtMemManagedAdviseType)6, host), 107000, "no such advice");
	is(advise(0, 1, (aclrtMemManagedAdviseType)-1, host), 107000, "advice -1");
	is(advise(0, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(5, 0)), 107000,
	   "no such type");
	is(advise(0, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(1, -1)), 107001, "device -1");
	is(advise(0, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(3, 64)), 107000, "node 64");
	is(advise(0, 1, ACL_MEM_ADVISE_SET_ACCESSED_BY, at(3, -1)), 107000, "node -1");
	is(get((aclrtMemManagedRangeAttribute)0, 0, 1), 99, "attribute 0");
	is(get((aclrtMemManagedRangeAttribute)9, 0, 1), 99, "attribute 9");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, block, 1, &value,
				  8),
	   107000, "8 bytes for a number");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, block, 1, &value,
				  0),
	   107000, "no room");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, block, 1, NULL, 4),
	   100000, "NULL");
	is(aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, block, 1, &value,
				  4),
	   0, "a query of one byte");
	is(aclrtFree(other), 0, "free");
}

/* What is said of a block goes with it. */
static void test_forgotten(void)
{
	char *again;

	is(advise(0, UNITS, ACL_MEM_ADVISE_SET_READ_MOSTLY, host), 0, "mostly read");
	is(aclrtFree(block), 0, "free");
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, 1), 99, "it is no more");
	if (aclrtMemAllocManaged(P(again), UNITS * UNIT, 1))
		bail_out("no memory");
	block = again;
	is(get(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, 1), 0, "a new one knows nothing");
}

static void *without_context(void *arg)
{
	long odd = 0;
	int32_t value;

	(void)arg;
	odd += aclrtMemManagedAdvise(block, UNIT, ACL_MEM_ADVISE_SET_READ_MOSTLY, host) !=
	       107002;
	odd += aclrtMemManagedGetAttr(ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, block, UNIT,
				      &value, 4) != 107002;
	odd += aclrtMemManagedPrefetchAsync(block, UNIT, host, 0, NULL) != 107002;
	is(odd, 0, "without a context");
	return NULL;
}

int main(void)
{
	setenv("ACLKM_DEVICES", "2", 1);
	small_device();
	need_device();
	if (aclrtMemAllocManaged(P(block), UNITS * UNIT - 100, 1))
		bail_out("no memory");
	test_read_mostly();
	test_preferred();
	test_accessed();
	test_several();
	test_prefetch();
	test_batch();
	test_wrong();
	test_forgotten();
	in_thread(without_context, NULL);
	is(aclrtFree(block), 0, "free");
	return done_testing();
}
