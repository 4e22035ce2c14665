// SPDX-License-Identifier: GPL-2.0
/*
 * Takes large contiguous ranges from a running kernel, and reads the text that asks
 * for them: the reserve= parameter, and grow in sysfs.
 *
 * alloc_contig_range() moves all movable pages out of a range of page blocks. The
 * search tries each aligned candidate of ordinary memory in one zone, from high to low
 * zones and addresses, so that devices with 32-bit addresses keep the memory that they
 * can reach. Memory that the kernel expects back is left out: ZONE_MOVABLE here, and
 * CMA by alloc_contig_range() itself, which takes such page blocks for nobody but
 * their owner. The caller sees to it that one reserve runs at a time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/pageblock-flags.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "aclkm.h"
#include "compat.h"

/* One part in so many of the kernel's memory is not for arenas. */
#define KEEP_SHARE	10

/**
 * aclkm_parse_bytes() - read a number of bytes
 * @text:	digits, with K, M, G or T behind them, and at most one newline
 * @bytes:	filled
 *
 * Return: 0, or -EINVAL, also for what 64 bits do not hold.
 */
int aclkm_parse_bytes(const char *text, u64 *bytes)
{
	static const char units[] = "KMGT";
	char digits[32];
	size_t len = strcspn(text, "\n");
	unsigned int shift = 0;
	const char *unit;

	if (!len || len >= sizeof(digits) || (text[len] && text[len + 1]))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = 0;
	unit = strchr(units, toupper(digits[len - 1]));
	if (unit) {
		shift = 10 * (unit - units + 1);
		digits[len - 1] = 0;
	}
	if (!isdigit(*digits) || kstrtou64(digits, 0, bytes) || *bytes > U64_MAX >> shift)
		return -EINVAL;
	*bytes <<= shift;
	return 0;
}

static int reserve_parse_size(const char *what, const char *text, u64 *bytes)
{
	if (aclkm_parse_bytes(text, bytes)) {
		pr_err("reserve: %s \"%s\" is not a number with K, M, G or T\n", what, text);
		return -EINVAL;
	}
	return 0;
}

/* Cuts ":force" off the end of an item. */
static bool reserve_parse_force(char *item)
{
	char *last = strrchr(item, ':');

	if (!last || strcmp(last, ":force"))
		return false;
	*last = 0;
	return true;
}

/* SIZE[:PAGE[:NODE]][:force] */
static int reserve_parse_item(char *item, int (*add)(const struct aclkm_reserve *reserve))
{
	struct aclkm_reserve reserve = { .node = NUMA_NO_NODE, .force = reserve_parse_force(item) };
	char *size_text = strsep(&item, ":");
	char *page_text = strsep(&item, ":");
	char *node_text = strsep(&item, ":");

	if (item) {
		pr_err("reserve: \":%s\" follows SIZE:PAGE:NODE; only :force may\n", item);
		return -EINVAL;
	}
	if (reserve_parse_size("size", size_text, &reserve.size))
		return -EINVAL;
	if (!reserve.size || !IS_ALIGNED(reserve.size, SZ_2M) || reserve.size > ACLKM_REGION_MAX) {
		pr_err("reserve: size %s must be a multiple of 2M, from 2M to 1T\n", size_text);
		return -EINVAL;
	}

	reserve.align = IS_ALIGNED(reserve.size, SZ_1G) ? SZ_1G : SZ_2M;
	if (page_text && *page_text) {
		if (reserve_parse_size("page size", page_text, &reserve.align))
			return -EINVAL;
		if (reserve.align != SZ_2M && reserve.align != SZ_1G) {
			pr_err("reserve: page size %s must be 2M or 1G\n", page_text);
			return -EINVAL;
		}
		if (!IS_ALIGNED(reserve.size, reserve.align)) {
			pr_err("reserve: size %s is no multiple of page size %s\n",
			       size_text, page_text);
			return -EINVAL;
		}
	}
	if (node_text &&
	    (kstrtoint(node_text, 10, &reserve.node) || reserve.node < 0 ||
	     reserve.node >= MAX_NUMNODES || !node_state(reserve.node, N_MEMORY))) {
		pr_err("reserve: node \"%s\" is no node with memory\n", node_text);
		return -EINVAL;
	}
	return add(&reserve);
}

/**
 * aclkm_reserve_parse() - read what to reserve
 * @spec:	SIZE[:PAGE[:NODE]][:force][,...]
 * @add:	called for each arena asked for; its error ends the parsing
 *
 * Return: 0, -EINVAL with the broken rule in the log, -ENOMEM, or @add's error.
 */
int aclkm_reserve_parse(const char *spec, int (*add)(const struct aclkm_reserve *reserve))
{
	char *copy = kstrdup(spec, GFP_KERNEL);
	char *rest = copy, *item;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (item = strsep(&rest, ",")))
		err = reserve_parse_item(strim(item), add);
	kfree(copy);
	return err;
}

/* Whether arenas may lie in a zone up to ZONE_NORMAL; those above are not the kernel's own. */
static bool reserve_zone_usable(int index)
{
#if defined(CONFIG_ZONE_DMA) && defined(CONFIG_X86)
	/* Old devices have nothing else. Elsewhere it may be all memory below 4 GiB. */
	if (index == ZONE_DMA)
		return false;
#endif
	return true;
}

/* What a node can spare of the memory that the kernel itself can use. */
static u64 reserve_node_room(int node)
{
	unsigned long managed = 0, free = 0, cma = 0;
	int i;

	for (i = 0; i <= ZONE_NORMAL; i++) {
		struct zone *zone = &NODE_DATA(node)->node_zones[i];

		if (!managed_zone(zone))
			continue;
		managed += zone_managed_pages(zone);
		free += zone_page_state(zone, NR_FREE_PAGES) +
			zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
			zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
		cma += zone_page_state(zone, NR_FREE_CMA_PAGES);
	}
	/* The kernel cannot put its own objects into free memory of CMA. */
	return PFN_PHYS(free - min(free, cma + managed / KEEP_SHARE));
}

/**
 * aclkm_reserve_room() - how much one arena may have at most
 * @node:	NUMA node, or NUMA_NO_NODE for the one with most
 *
 * Arenas leave a tenth of the machine's memory to the kernel, and a tenth of each node's.
 */
u64 aclkm_reserve_room(int node)
{
	u64 keep = totalram_pages() / KEEP_SHARE, most = 0;
	long free = si_mem_available() - global_zone_page_state(NR_FREE_CMA_PAGES);
	int n;

	if (free <= 0 || free < keep)
		return 0;
	for_each_node_state(n, N_MEMORY)
		if (node == NUMA_NO_NODE || n == node)
			most = max(most, reserve_node_room(n));
	return min(most, PFN_PHYS(free - keep));
}

/*
 * The first page block of a range that alloc_contig_range() has no chance with, because
 * it is not online memory of the zone or was reserved at boot; or the end of the range.
 */
static unsigned long reserve_obstacle(unsigned long start, unsigned long end,
				      const struct zone *zone)
{
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn += pageblock_nr_pages) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || PageReserved(page) || page_zone(page) != zone)
			return pfn;
		if (IS_ALIGNED(pfn, PHYS_PFN(SZ_1G)))
			cond_resched();
	}
	return end;
}

/*
 * A large range is taken in chunks, by several processors of its node: moving
 * pages out of the way is most of the work. A chunk is what a kill waits for.
 */
#define CHUNK_PAGES	(SZ_64M >> PAGE_SHIFT)
#define WORKERS_MAX	16
#define REPORT_PAGES	(SZ_1G >> PAGE_SHIFT)

/**
 * struct reserve_range - a range that several workers take
 * @pfn:	first page
 * @nr:		pages
 * @chunks:	how many
 * @next:	the chunk that the next free worker takes
 * @taken:	pages that have been taken
 * @running:	workers that have not ended
 * @ended:	all workers have
 * @done:	chunks that have been taken
 * @failed:	first page of a chunk that could not be taken
 * @err:	why the workers stop early
 */
struct reserve_range {
	unsigned long pfn;
	unsigned long nr;
	unsigned long chunks;
	atomic_long_t next;
	atomic_long_t taken;
	atomic_t running;
	struct completion ended;
	unsigned long *done;
	unsigned long failed;
	int err;
};

struct reserve_worker {
	struct work_struct work;
	struct reserve_range *range;
};

static unsigned long reserve_chunk_size(const struct reserve_range *range, unsigned long i)
{
	return min_t(unsigned long, CHUNK_PAGES, range->nr - i * CHUNK_PAGES);
}

static void reserve_take_chunks(struct reserve_range *range)
{
	unsigned long i, taken, nr;

	while (!READ_ONCE(range->err)) {
		unsigned long pfn;
		int err;

		i = atomic_long_inc_return(&range->next) - 1;
		if (i >= range->chunks)
			return;
		pfn = range->pfn + i * CHUNK_PAGES;
		nr = reserve_chunk_size(range, i);
		err = aclkm_contig_take(pfn, pfn + nr);
		if (err) {
			WRITE_ONCE(range->failed, pfn);
			WRITE_ONCE(range->err, err);
			return;
		}
		set_bit(i, range->done);
		taken = atomic_long_add_return(nr, &range->taken);
		if (range->nr > REPORT_PAGES && taken / REPORT_PAGES != (taken - nr) / REPORT_PAGES)
			pr_info("reserved %lu of %lu GiB\n", taken / REPORT_PAGES,
				range->nr / REPORT_PAGES);
	}
}

static void reserve_work(struct work_struct *work)
{
	struct reserve_range *range = container_of(work, struct reserve_worker, work)->range;

	reserve_take_chunks(range);
	if (atomic_dec_and_test(&range->running))
		complete(&range->ended);
}

static int reserve_take_parallel(struct reserve_range *range, int node)
{
	unsigned int i, n = min_t(unsigned long, range->chunks,
				  clamp(cpumask_weight(cpumask_of_node(node)), 1U,
					(unsigned int)WORKERS_MAX));
	struct reserve_worker *workers = kcalloc(n, sizeof(*workers), GFP_KERNEL);
	unsigned long bit;

	range->done = bitmap_zalloc(range->chunks, GFP_KERNEL);
	if (!workers || !range->done) {
		range->err = -ENOMEM;
		goto out;
	}
	atomic_set(&range->running, n);
	init_completion(&range->ended);
	for (i = 0; i < n; i++) {
		workers[i].range = range;
		INIT_WORK(&workers[i].work, reserve_work);
		queue_work_node(node, aclkm_unbound_wq, &workers[i].work);
	}
	/* The workers do not see a signal of the caller's. */
	if (wait_for_completion_killable(&range->ended))
		WRITE_ONCE(range->err, -EINTR);
	for (i = 0; i < n; i++)
		flush_work(&workers[i].work);
	if (range->err)
		for_each_set_bit(bit, range->done, range->chunks)
			free_contig_range(range->pfn + bit * CHUNK_PAGES,
					  reserve_chunk_size(range, bit));
out:
	bitmap_free(range->done);
	kfree(workers);
	return range->err;
}

/* @end: where the next range to try may end, if this one cannot be taken */
static int reserve_take_range(unsigned long pfn, unsigned long nr, int node, unsigned long *end)
{
	struct reserve_range range = {
		.pfn = pfn, .nr = nr, .chunks = DIV_ROUND_UP(nr, CHUNK_PAGES),
		.failed = pfn + nr - 1,
	};
	int err = range.chunks == 1 ? aclkm_contig_take(pfn, pfn + nr) :
		  reserve_take_parallel(&range, node);

	/*
	 * The next range ends below the chunk that failed. Which page of the chunk cannot be
	 * moved is unknown, and one attempt for each step within the chunk would be slow.
	 */
	*end = range.failed;
	return err;
}

static int reserve_take_in_zone(u64 size, u64 align, struct zone *zone, u64 *start)
{
	unsigned long nr = PHYS_PFN(size), step = PHYS_PFN(align);
	unsigned long first = zone->zone_start_pfn, end = zone_end_pfn(zone), pfn;
	int err;

	while (end >= first && nr <= end - first) {
		pfn = ALIGN_DOWN(end - nr, step);
		if (pfn < first)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		/* No range that contains the obstacle has a chance. */
		end = reserve_obstacle(pfn, pfn + nr, zone);
		if (end < pfn + nr)
			continue;
		err = reserve_take_range(pfn, nr, zone_to_nid(zone), &end);
		if (!err) {
			*start = PFN_PHYS(pfn);
			return 0;
		}
		if (err == -EINTR)
			return err;
	}
	return -ENOMEM;
}

/**
 * aclkm_reserve_take() - take a contiguous range from the page allocator
 * @reserve:	size and alignment are multiples of a page block
 * @start:	filled with the physical address
 * @got_node:	filled with the node
 *
 * Return: 0, -ENOMEM, or -EINTR when the caller was killed.
 */
int aclkm_reserve_take(const struct aclkm_reserve *reserve, u64 *start, int *got_node)
{
	int index, n, err;

	for (index = ZONE_NORMAL; index >= 0; index--) {
		if (!reserve_zone_usable(index))
			continue;
		for_each_node_state(n, N_MEMORY) {
			struct zone *zone = &NODE_DATA(n)->node_zones[index];

			if ((reserve->node != NUMA_NO_NODE && n != reserve->node) ||
			    !managed_zone(zone))
				continue;
			if (!reserve->force && reserve->size > aclkm_reserve_room(n))
				continue;
			err = reserve_take_in_zone(reserve->size, reserve->align, zone, start);
			if (!err)
				*got_node = n;
			if (err != -ENOMEM)
				return err;
		}
	}
	return -ENOMEM;
}
