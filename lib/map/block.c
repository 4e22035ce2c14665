// SPDX-License-Identifier: MIT
#include "map/block.h"

#include <pthread.h>
#include <stdlib.h>

#include "debug/debug.h"
#include "base/base.h"
#include "map/readonly.h"

#define MODULES 256

struct tagged {
	struct addr_range at;
	struct block_tag tag;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct addr_map tags = ADDR_MAP;
_Atomic uint32_t block_tag_count;

/* What block_watch was called with: a block is freed only when all of them know. */
#define WATCHERS 3
static void (*_Atomic before_free[WATCHERS])(uint64_t base);

static struct usage {
	uint64_t current;
	uint64_t peak;
} usages[MAX_DEVICES][MODULES];

static bool is_plain(const struct block_tag *tag)
{
	return tag->module == BLOCK_MODULE_APP && !tag->managed && !tag->read_only;
}

bool block_all_plain(void)
{
	return !block_is_watched();
}

bool block_all_checked(void)
{
	return check_wanted() && !guard_is_watched();
}

/* The program's own is what the totals say, less the other modules. */
static bool is_counted(const struct block_tag *tag)
{
	return tag->module != BLOCK_MODULE_APP;
}

static void insert_locked(struct tagged *tagged)
{
	struct usage *usage = &usages[tagged->tag.device][tagged->tag.module % MODULES];

	addr_map_add(&tags, &tagged->at);
	atomic_fetch_add(&block_tag_count, 1);
	if (check_wanted())
		check_odd_begin();
	if (!is_counted(&tagged->tag))
		return;
	usage->current += tagged->at.size;
	if (usage->current > usage->peak)
		usage->peak = usage->current;
}

static void insert(struct tagged *tagged)
{
	pthread_mutex_lock(&lock);
	insert_locked(tagged);
	pthread_mutex_unlock(&lock);
}

static struct tagged *block_find_locked(uint64_t base)
{
	struct addr_range *at = addr_map_at(&tags, base);

	return at ? addr_entry(at, struct tagged, at) : NULL;
}

static struct tagged *block_take_out(uint64_t base)
{
	struct tagged *tagged;

	pthread_mutex_lock(&lock);
	tagged = block_find_locked(base);
	if (tagged) {
		addr_map_remove(&tags, &tagged->at);
		atomic_fetch_sub(&block_tag_count, 1);
		if (check_wanted())
			check_odd_end();
		if (is_counted(&tagged->tag))
			usages[tagged->tag.device][tagged->tag.module % MODULES]
				.current -= tagged->at.size;
	}
	pthread_mutex_unlock(&lock);
	return tagged;
}

bool block_is_watched(void)
{
	return check_wanted() || guard_is_watched();
}

static int block_alloc_checked(const struct heap_request *request, void **out)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (!block_is_watched())
		return heap_alloc(request, out);
	/* As if there were a tag, for ever: nothing is given past this layer. */
	if (!atomic_flag_test_and_set(&told))
		atomic_fetch_add(&block_tag_count, 1);
	return check_take(request, out);
}

static int block_free_checked(void *ptr, enum aclkm_kind kind)
{
	return block_is_watched() ? check_give(ptr, kind) : heap_free(ptr, kind);
}

static int take_tagged(const struct heap_request *request, const struct block_tag *tag,
		       void **out)
{
	struct tagged *tagged = malloc(sizeof(*tagged));
	int err;

	if (!tagged)
		return error_no_records();
	*tagged = (struct tagged){.at.size = request->ruled, .tag = *tag};
	err = tag->read_only ? readonly_take(request, out)
			     : block_alloc_checked(request, out);
	if (err) {
		free(tagged);
		return err;
	}
	tagged->at.base = (uint64_t)(uintptr_t)*out;
	/* The host may use managed memory on real devices, too. */
	if (tag->managed && check_hides())
		check_touched(tagged->at.base, true);
	insert(tagged);
	return ACLKM_OK;
}

int block_take(const struct heap_request *request, const struct block_tag *tag,
	       void **out)
{
	struct heap_request mine = *request;

	mine.device = tag->device;
	mine.watched = !is_plain(tag) || block_is_watched();
	if (is_plain(tag))
		return block_alloc_checked(&mine, out);
	return take_tagged(&mine, tag, out);
}

void block_watch(void *ptr, void (*fn)(uint64_t base))
{
	void (*none)(uint64_t) = NULL;
	unsigned int i = 0;

	while (atomic_load(&before_free[i]) != fn &&
	       !atomic_compare_exchange_strong(&before_free[i], &none, fn)) {
		none = NULL;
		i++;
	}
	heap_watch(ptr);
}

/* Only of a block that the free is going to accept. */
static void tell_before_free(void *ptr, enum aclkm_kind kind)
{
	void (*fn)(uint64_t base);
	struct heap_block block;
	unsigned int i;

	/* The first is set for as long as any is. */
	if (!atomic_load_explicit(&before_free[0], memory_order_acquire) ||
	    heap_find(ptr, &block, NULL, NULL) || block.kind != kind ||
	    block.base != (uint64_t)(uintptr_t)ptr)
		return;
	for (i = 0; i < WATCHERS; i++) {
		fn = atomic_load(&before_free[i]);
		if (fn)
			fn(block.base);
	}
}

int block_give(void *ptr, enum aclkm_kind kind)
{
	struct tagged *tagged = NULL;
	uint64_t size;
	int err;

	tell_before_free(ptr, kind);

	/* Out before the free: the address may be somebody's else a moment later. */
	if (block_any_tagged())
		tagged = block_take_out((uint64_t)(uintptr_t)ptr);
	if (tagged && tagged->tag.read_only && kind == ACLKM_KIND_DEVICE)
		err = readonly_give(ptr, &size) ? ACLKM_OK : ACLKM_ERR_FOREIGN;
	else
		err = block_free_checked(ptr, kind);
	if (!tagged)
		return err;
	if (err) {
		insert(tagged);
		return err;
	}
	free(tagged);
	return ACLKM_OK;
}

void block_tag(uint64_t base, struct block_tag *out)
{
	const struct tagged *tagged;

	*out = (struct block_tag){.module = BLOCK_MODULE_APP};
	if (!block_any_tagged())
		return;
	pthread_mutex_lock(&lock);
	tagged = block_find_locked(base);
	if (tagged)
		*out = tagged->tag;
	pthread_mutex_unlock(&lock);
}

static int by_current(const void *a, const void *b)
{
	const struct block_usage *x = a, *y = b;

	return (y->current > x->current) - (y->current < x->current);
}

uint32_t block_usages(uint32_t device, struct block_usage *out, uint32_t room)
{
	struct block_usage all[MODULES];
	struct aclkm_memory_totals totals = {0};
	uint64_t tagged = 0, rest;
	uint32_t i, n = 0;
	struct usage *app = &usages[device][BLOCK_MODULE_APP];

	heap_totals(device, &totals);
	pthread_mutex_lock(&lock);
	for (i = 0; i < MODULES; i++) {
		if (i != BLOCK_MODULE_APP)
			tagged += usages[device][i].current;
	}
	/* What no tag tells of is the program's: most of it. */
	rest = totals.total - totals.free;
	app->current = rest > tagged ? rest - tagged : 0;
	if (app->current > app->peak)
		app->peak = app->current;
	for (i = 0; i < MODULES; i++) {
		if (usages[device][i].peak)
			all[n++] = (struct block_usage){(uint16_t)i,
							usages[device][i].current,
							usages[device][i].peak};
	}
	pthread_mutex_unlock(&lock);
	qsort(all, n, sizeof(all[0]), by_current);
	for (i = 0; i < n && i < room; i++)
		out[i] = all[i];
	return n;
}
