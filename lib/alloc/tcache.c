// SPDX-License-Identifier: MIT
#include "alloc/tcache.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc/chunk.h"
#include "alloc/heaps.h"
#include "base/base.h"

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
			(uint32_t)(size / CLASS_UNIT * sizeof(struct row));
	}
	return rounding;
}

static _Atomic uint64_t mapped_bytes;

void *tcache_map(uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	atomic_fetch_add(&mapped_bytes, size);
	return map;
}

/*
 * What a full row gives back lies between the threads for a while: one whose row is
 * empty gets it from there, without a look at slabs, if it is of slabs of its group. All
 * under the heap's lock; no pool has it.
 */

/* Batches of a class that lie between threads, at most. */
#define BETWEEN_BATCHES 2

/* Blocks of each group and class that do. */
struct between {
	struct blocks {
		uint64_t count;
		struct kept kept[BETWEEN_BATCHES * BATCH_MAX];
	} of[SLAB_GROUPS][CLASSES];
};

static bool between_put(struct heap *heap, const struct slab *slab,
			const struct kept *kept)
{
	unsigned int class = slab_read(slab->class);
	struct blocks *blocks;

	if (is_pool_heap(heap->id))
		return false;
	if (!heap->between)
		heap->between = tcache_map(sizeof(*heap->between));
	if (!heap->between)
		return false;
	blocks = &heap->between->of[slab->group][class];
	if (blocks->count == (uint64_t)BETWEEN_BATCHES * classes[class].batch)
		return false;
	blocks->kept[blocks->count++] = *kept;
	return true;
}

static uint64_t between_take(struct heap *heap, unsigned int group, unsigned int class,
			     struct kept *kept, uint64_t n)
{
	struct blocks *blocks;

	if (!heap->between)
		return 0;
	blocks = &heap->between->of[group][class];
	if (n > blocks->count)
		n = blocks->count;
	blocks->count -= n;
	memcpy(kept, &blocks->kept[blocks->count], n * sizeof(*kept));
	return n;
}

static void between_empty(struct heap *heap,
			  void (*give)(struct heap *heap, const struct kept *kept))
{
	unsigned int group, class;

	for (group = 0; heap->between && group < SLAB_GROUPS; group++) {
		for (class = 0; class < CLASSES; class ++) {
			struct blocks *blocks = &heap->between->of[group][class];

			while (blocks->count)
				give(heap, &blocks->kept[--blocks->count]);
		}
	}
}

static uint64_t between_kept(const struct heap *heap, uint64_t *blocks)
{
	unsigned int group, class;
	uint64_t sum = 0;

	for (group = 0; heap->between && group < SLAB_GROUPS; group++) {
		for (class = 0; class < CLASSES; class ++) {
			uint64_t count = heap->between->of[group][class].count;

			*blocks += count;
			sum += count * classes[class].size;
		}
	}
	return sum;
}

_Atomic uint32_t tcache_end = !WORD_KEPT;

/* No slot, so that it holds nothing. */
static struct slab no_slab;

static struct tcache refuses_all = {.near = {[0 ... NEAR - 1] = &no_slab}};
struct tcache *const tcache_none = &refuses_all;
_Atomic uint64_t tcache_epoch = 1;
_Thread_local struct tcache *tcache_mine = &refuses_all;

static pthread_mutex_t caches_lock = PTHREAD_MUTEX_INITIALIZER; /* after a heap's */
static struct tcache *_Atomic caches; /* written under it; used again, never freed */
static struct thread_key end_key;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;

/* Not armed; tcache_disarm of another thread may look at it already. */
static void start_device(struct tcache *mine, const struct rounding *rounding)
{
	mine->device_limit = rounding->limit;
	mine->device.tag = rounding->tag;
	memcpy(mine->device.rows, rounding->rows, sizeof(rounding->rows));
}

static void set_limit(_Atomic uint64_t *at, uint64_t limit)
{
	atomic_store_explicit(at, limit, memory_order_relaxed);
}

static void disarm(struct tcache *cache)
{
	set_limit(&cache->device.limit, 0);
	set_limit(&cache->checked_limit, 0);
}

static void put_record(struct tcache *mine)
{
	pthread_mutex_lock(&caches_lock);
	disarm(mine);
	mine->in_use = false;
	group_leave(mine->group);
	pthread_mutex_unlock(&caches_lock);
}

/* The thread ends; what it frees after this makes a new cache, and ends that. */
static void cache_thread_ends(void *arg)
{
	struct tcache *mine = arg;

	/* In a forked child a thread that is not there may hold the lock. */
	if (process_is_forked()) {
		tcache_mine = tcache_none;
		return;
	}
	tcache_flush();
	tcache_mine = tcache_none;
	put_record(mine);
}

/* The child has the rows of a thread that goes on in the parent. */
static void child_forgets(void)
{
	tcache_mine = tcache_none;
}

static void forget_slab(struct slab *_Atomic *slot, uint64_t base, uint64_t size)
{
	struct slab *slab = atomic_load(slot);

	/* Its thread may find another one meanwhile. */
	if (slab_read(slab->base) - base < size)
		atomic_compare_exchange_strong(slot, &slab, &no_slab);
}

static void tcache_forget(uint64_t base, uint64_t size)
{
	struct tcache *cache;
	uint64_t at, most = NEAR * GRANULE;

	for (cache = caches; cache; cache = cache->next) {
		for (at = 0; at < size && at < most; at += GRANULE)
			forget_slab(near_slot(cache, base + at), base, size);
	}
}

static void cache_start(void)
{
	pthread_atfork(NULL, NULL, child_forgets);
	classes_init();
	slab_set_forget(tcache_forget);
}

/* Nothing can be taken from it. */
static void cache_set_empty(struct row *row)
{
	atomic_store_explicit(&row->kept[0].word, &tcache_end, memory_order_relaxed);
	atomic_store_explicit(&row->top, row->kept, memory_order_relaxed);
}

static struct tcache *make_new_locked(void)
{
	struct tcache *mine =
		tcache_map(sizeof(*mine) + (uint64_t)config_get()->devices *
						   BUILTIN_HEAPS * sizeof(struct bins));
	int i;

	if (!mine)
		return NULL;
	for (i = 0; i < NEAR; i++)
		mine->near[i] = &no_slab;
	cache_set_empty(&mine->empty);
	mine->next = caches;
	caches = mine;
	return mine;
}

/* Of the device that the thread uses now. */
static void use_bins(struct tcache *mine, struct bins *bins)
{
	unsigned int i;

	if (mine->device_bins == bins)
		return;
	mine->device_bins = bins;
	for (i = 0; i < EXACT_MAX / ROUNDING_STEP; i++) {
		struct row *row = bins_at(bins, mine->device.rows[i]);

		mine->device_rows[i] = row_was_used(row) ? row : &mine->empty;
	}
}

/* A row of the bins is used from now on. */
static void use_row(struct tcache *mine, struct bins *bins, struct row *row)
{
	unsigned int i;

	for (i = 0; bins == mine->device_bins && i < EXACT_MAX / ROUNDING_STEP; i++) {
		if (bins_at(bins, mine->device.rows[i]) == row)
			mine->device_rows[i] = row;
	}
}

static void arm(_Atomic uint64_t *at, uint64_t epoch, uint32_t device, uint64_t limit)
{
	const unsigned int id = HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL);

	if (tcache_mine == tcache_none || slab_read(*at))
		return;
	use_bins(tcache_mine, &tcache_mine->own[OWN_BINS(device, id)]);
	/* Unless a context has gone meanwhile. */
	pthread_mutex_lock(&caches_lock);
	if (epoch == atomic_load(&tcache_epoch))
		set_limit(at, limit);
	pthread_mutex_unlock(&caches_lock);
}

void tcache_arm(uint64_t epoch, uint32_t device)
{
	arm(&tcache_mine->device.limit, epoch, device, tcache_mine->device_limit);
}

void tcache_arm_checked(uint64_t epoch, uint32_t device, uint64_t limit)
{
	arm(&tcache_mine->checked_limit, epoch, device, limit);
}

void tcache_disarm(void)
{
	struct tcache *cache;

	pthread_mutex_lock(&caches_lock);
	atomic_fetch_add(&tcache_epoch, 1);
	for (cache = caches; cache; cache = cache->next)
		disarm(cache);
	pthread_mutex_unlock(&caches_lock);
}

void tcache_disarm_mine(void)
{
	if (tcache_mine != tcache_none)
		disarm(tcache_mine);
}

/* A record that no thread has, or a new one, joins a group. NULL: no memory. */
static struct tcache *get_record(void)
{
	struct tcache *mine;

	pthread_mutex_lock(&caches_lock);
	for (mine = caches; mine && mine->in_use; mine = mine->next)
		;
	if (!mine)
		mine = make_new_locked();
	if (mine) {
		mine->in_use = true;
		mine->group = group_join();
	}
	pthread_mutex_unlock(&caches_lock);
	return mine;
}

static struct tcache *make_mine(void)
{
	const struct config *config = config_get();
	struct rounding device;
	struct tcache *mine;

	/* Who watches must see every block: no way around the heap then. */
	if (guard_is_watched())
		return tcache_none;
	pthread_once(&start_once, cache_start);
	process_in_use();
	mine = get_record();
	if (!mine)
		return tcache_none;
	device = rounding_of(ACLKM_KIND_DEVICE, config->padding, config->align, 0);
	start_device(mine, &device);
	mine->native = rounding_of(ACLKM_KIND_NATIVE, 0, ACLKM_RULE_ALIGN, 0);
	/* Without a key nobody would empty the cache at the thread's end. */
	if (!thread_key_set(&end_key, cache_thread_ends, mine)) {
		put_record(mine);
		return tcache_none;
	}
	tcache_mine = mine;
	return mine;
}

static uint32_t tcache_row_of(const struct heap *heap, unsigned int class)
{
	uint64_t bins = 0;

	if (!is_pool_heap(heap->id))
		bins = offsetof(struct tcache, own) +
		       own_bins(heap->id) * sizeof(struct bins);

	return (uint32_t)(bins + (class + 1) * sizeof(struct row));
}

uint64_t row_count(const struct row *row)
{
	const struct kept *top = atomic_load_explicit(&row->top, memory_order_acquire);

	/* Its thread may be about to find that it is empty. */
	return top > row->kept ? (uint64_t)(top - row->kept) : 0;
}

uint64_t row_left(const struct row *row)
{
	uint64_t count = row_count(row);

	return count > row->taken ? count - row->taken : 0;
}

static void set_count(struct row *row, uint64_t count)
{
	atomic_store_explicit(&row->top, &row->kept[count], memory_order_relaxed);
}

/* Of blocks that are the pool's no more, or another one's. */
static void cache_reset(struct bins *bins, uint64_t generation)
{
	unsigned int class;

	for (class = 0; class < CLASSES; class ++) {
		struct row *row = bins_row(bins, class);

		if (!row_was_used(row))
			continue;
		set_count(row, 0);
		row->taken = 0;
	}
	atomic_store(&bins->generation, generation);
}

static struct bins *need_pool(struct tcache *mine, struct heap *heap)
{
	struct bins *_Atomic *slot = &mine->pools[heap->id - BUILTIN_HEAPS];
	struct bins *bins = atomic_load_explicit(slot, memory_order_relaxed);
	uint64_t generation = atomic_load(&heap->generation);

	if (!bins) {
		bins = tcache_map(sizeof(*bins));
		if (!bins)
			return NULL;
		atomic_store(&bins->generation, generation);
		atomic_store_explicit(slot, bins, memory_order_release);
	} else if (atomic_load(&bins->generation) != generation) {
		cache_reset(bins, generation);
	}
	return bins;
}

struct bins *tcache_need(struct heap *heap)
{
	struct tcache *mine = tcache_mine;

	if (mine == tcache_none)
		mine = make_mine();
	if (mine == tcache_none)
		return NULL;
	if (!is_pool_heap(heap->id))
		return &mine->own[own_bins(heap->id)];
	return need_pool(mine, heap);
}

static bool is_kept(const struct kept *kept)
{
	return slab_read(*slab_read(kept->word)) == WORD_KEPT;
}

/*
 * What others took goes, and what was freed twice at the same time. Others may be about
 * to find that a block was not theirs to take, until they let go of the lock.
 */
static void trim_row(struct heap *heap, struct row *row)
{
	uint64_t count;

	pthread_mutex_lock(&heap->lock);
	for (count = row_count(row); count && !is_kept(&row->kept[count]); count--) {
		if (slab_read(row->kept[count].word) == &tcache_end)
			row->taken--;
	}
	set_count(row, count);
	pthread_mutex_unlock(&heap->lock);
}

/* The row, ready for use: if it is not empty, its last block can be taken. */
static struct row *need_row(struct heap *heap, struct bins *bins, unsigned int class)
{
	struct row *row = bins_row(bins, class);
	uint64_t count;

	if (!row_was_used(row)) {
		row->limit = &row->kept[classes[class].keep];
		cache_set_empty(row);
		use_row(tcache_mine, bins, row);
	}
	count = row_count(row);
	if (count && !is_kept(&row->kept[count]))
		trim_row(heap, row);
	return row;
}

/* Blocks to an empty row. */
static int refill(struct heap *heap, struct row *row, unsigned int class)
{
	unsigned int group = tcache_mine->group;
	int err = ACLKM_OK;
	uint64_t count;

	pthread_mutex_lock(&heap->lock);
	count = between_take(heap, group, class, &row->kept[1], classes[class].batch);
	for (; count < classes[class].batch; count++) {
		struct kept *kept = &row->kept[count + 1];
		struct slab *slab;
		uint32_t index;

		if (count && !heap->slabs[group][class])
			break;
		err = group_slab(heap, group, class, tcache_row_of(heap, class), &slab);
		if (err)
			break;
		index = slab_pop(heap, slab);
		atomic_store_explicit(&kept->word, &slab->words[index],
				      memory_order_relaxed);
		kept->ptr = (void *)(uintptr_t)(slab_read(slab->base) +
						(uint64_t)index * slab_read(slab->size));
	}
	set_count(row, count);
	pthread_mutex_unlock(&heap->lock);
	return err;
}

int tcache_refill(struct heap *heap, struct bins *bins, unsigned int class, uint32_t word,
		  void **out)
{
	struct row *row;
	int err;

	/*
	 * What comes from between the threads may have been freed twice, too, and what
	 * comes to the row may be taken by others.
	 */
	do {
		row = need_row(heap, bins, class);
		err = row_count(row) ? ACLKM_OK : refill(heap, row, class);
		if (err)
			return err;
	} while (!row_take(row, word, out));
	return ACLKM_OK;
}

/* To its slab, or first @between threads. */
static void give_back(struct heap *heap, const struct kept *kept, bool between)
{
	uint64_t addr = (uint64_t)(uintptr_t)kept->ptr, index;
	uintptr_t entry = table_get(addr);
	struct slab *slab = (struct slab *)entry;

	/* Another has it, or, freed twice at the same time, it has gone back before. */
	if (!is_kept(kept) || !entry || entry & TABLE_CHUNK)
		return;
	if (!slab_holds(slab, addr, &index) ||
	    &slab->words[index] != slab_read(kept->word))
		return;
	if (!between || !between_put(heap, slab, kept))
		slab_push(heap, slab, (uint32_t)index);
}

/* The first @n of the row, which are the oldest, go back. */
static void spill(struct heap *heap, struct row *row, uint64_t n, bool between)
{
	uint64_t left = row_count(row), i;

	if (!n)
		return;
	for (i = 1; i <= n; i++) {
		if (slab_read(row->kept[i].word) == &tcache_end)
			row->taken--;
		else
			give_back(heap, &row->kept[i], between);
	}
	left -= n;
	memmove(&row->kept[1], &row->kept[1 + n], left * sizeof(row->kept[0]));
	set_count(row, left);
}

void tcache_give(struct heap *heap, const struct kept *kept)
{
	give_back(heap, kept, false);
}

void tcache_drop_between(struct heap *heap)
{
	between_empty(heap, tcache_give);
}

void tcache_put(struct heap *heap, struct bins *bins, struct slab *slab, void *ptr,
		_Atomic uint32_t *word)
{
	unsigned int class = slab_read(slab->class);
	struct row *row = need_row(heap, bins, class);

	near_set((uint64_t)(uintptr_t)ptr, slab);
	if (row_put(row, ptr, word))
		return;
	pthread_mutex_lock(&heap->lock);
	spill(heap, row, classes[class].batch, true);
	pthread_mutex_unlock(&heap->lock);
	row_put(row, ptr, word);
}

static void flush_row(struct heap *heap, struct row *row)
{
	spill(heap, row, row_count(row), false);
}

static void flush_heap(struct heap *heap, struct bins *bins)
{
	unsigned int class;

	pthread_mutex_lock(&heap->lock);
	if (atomic_load(&bins->generation) != atomic_load(&heap->generation)) {
		cache_reset(bins, atomic_load(&heap->generation));
	} else {
		for (class = 0; class < CLASSES; class ++)
			flush_row(heap, bins_row(bins, class));
	}
	pthread_mutex_unlock(&heap->lock);
}

static struct bins *bins_of(struct tcache *cache, unsigned int id)
{
	if (!is_pool_heap(id))
		return &cache->own[own_bins(id)];
	return atomic_load_explicit(&cache->pools[id - BUILTIN_HEAPS],
				    memory_order_acquire);
}

/* All numbers of heaps are below. */
static unsigned int heap_count(void)
{
	return DEVICE_HEAP(config_get()->devices, 0);
}

void tcache_flush(void)
{
	struct tcache *mine = tcache_mine;
	unsigned int id;

	if (mine == tcache_none)
		return;
	for (id = 0; id < heap_count(); id++) {
		struct bins *bins = bins_of(mine, id);
		struct heap *heap = heap_of_id(id);

		if (bins && heap && heap_was_used(heap))
			flush_heap(heap, bins);
	}
}

static uint64_t kept_in(struct bins *bins, uint64_t *blocks)
{
	uint64_t sum = 0, count;
	unsigned int class;

	for (class = 0; class < CLASSES; class ++) {
		count = row_left(bins_row(bins, class));
		*blocks += count;
		sum += count * classes[class].size;
	}
	return sum;
}

void tcache_each_other(void (*fn)(struct tcache *cache, void *arg), void *arg)
{
	struct tcache *cache;

	for (cache = caches; cache; cache = cache->next) {
		if (cache != tcache_mine)
			fn(cache, arg);
	}
}

struct bins *tcache_bins(struct tcache *cache, const struct heap *heap)
{
	struct bins *bins = bins_of(cache, heap->id);

	if (bins && atomic_load(&bins->generation) == atomic_load(&heap->generation))
		return bins;
	return NULL;
}

uint64_t tcache_kept(const struct heap *heap, uint64_t *blocks)
{
	uint64_t sum = 0, count = 0;
	struct tcache *cache;

	pthread_mutex_lock(&caches_lock);
	for (cache = heap->slab_bytes ? caches : NULL; cache; cache = cache->next) {
		struct bins *bins = tcache_bins(cache, heap);

		if (bins)
			sum += kept_in(bins, &count);
	}
	pthread_mutex_unlock(&caches_lock);
	sum += between_kept(heap, &count);
	if (blocks)
		*blocks = count;
	return sum;
}

uint64_t tcache_bytes(void)
{
	return atomic_load(&mapped_bytes);
}
