// SPDX-License-Identifier: GPL-2.0
/*
 * Taking large contiguous ranges from a running kernel, and the text that asks
 * for them: the reserve= parameter, and grow in sysfs.
 *
 * alloc_contig_range() moves what is movable out of a range of page blocks. The
 * search walks the memory of a node from low to high addresses and tries each
 * aligned candidate that is ordinary memory of one zone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
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
#include <linux/workqueue.h>

#include "aclkm.h"
#include "compat.h"

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

static int parse_size(const char *what, const char *text, u64 *bytes)
{
	if (aclkm_parse_bytes(text, bytes)) {
		pr_err("reserve: %s \"%s\" is not a number with K, M, G or T\n", what, text);
		return -EINVAL;
	}
	return 0;
}

/* SIZE[:PAGE[:NODE]] */
static int parse_one(char *item, int (*add)(u64 size, u64 align, int node))
{
	char *size_text = strsep(&item, ":");
	char *page_text = strsep(&item, ":");
	char *node_text = strsep(&item, ":");
	int node = NUMA_NO_NODE;
	u64 size, align;

	if (item) {
		pr_err("reserve: \":%s\" follows SIZE:PAGE:NODE\n", item);
		return -EINVAL;
	}
	if (parse_size("size", size_text, &size))
		return -EINVAL;
	if (!size || !IS_ALIGNED(size, SZ_2M) || size > ACLKM_REGION_MAX) {
		pr_err("reserve: size %s must be a multiple of 2M, from 2M to 1T\n", size_text);
		return -EINVAL;
	}

	align = IS_ALIGNED(size, SZ_1G) ? SZ_1G : SZ_2M;
	if (page_text && *page_text) {
		if (parse_size("page size", page_text, &align))
			return -EINVAL;
		if (align != SZ_2M && align != SZ_1G) {
			pr_err("reserve: page size %s must be 2M or 1G\n", page_text);
			return -EINVAL;
		}
		if (!IS_ALIGNED(size, align)) {
			pr_err("reserve: size %s is no multiple of page size %s\n",
			       size_text, page_text);
			return -EINVAL;
		}
	}
	if (node_text && (kstrtoint(node_text, 10, &node) || node < 0 ||
			  node >= MAX_NUMNODES || !node_state(node, N_MEMORY))) {
		pr_err("reserve: node \"%s\" is no node with memory\n", node_text);
		return -EINVAL;
	}
	return add(size, align, node);
}

/**
 * aclkm_reserve_parse() - read what to reserve
 * @spec:	SIZE[:PAGE[:NODE]][,...]
 * @add:	called for each arena asked for; its error ends the parsing
 *
 * Return: 0, -EINVAL with the broken rule in the log, -ENOMEM, or @add's error.
 */
int aclkm_reserve_parse(const char *spec, int (*add)(u64 size, u64 align, int node))
{
	char *copy = kstrdup(spec, GFP_KERNEL);
	char *rest = copy, *item;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (item = strsep(&rest, ",")))
		err = parse_one(strim(item), add);
	kfree(copy);
	return err;
}

/* Whether alloc_contig_range() has a chance: one zone, online, nothing reserved. */
static bool candidate(unsigned long pfn, unsigned long nr, int node)
{
	struct zone *zone = NULL;
	unsigned long p;

	for (p = pfn; p < pfn + nr; p += pageblock_nr_pages) {
		struct page *page = pfn_to_online_page(p);

		if (!page || PageReserved(page) || page_to_nid(page) != node)
			return false;
#if defined(CONFIG_ZONE_DMA) && defined(CONFIG_X86)
		/* Old devices have nothing else. Elsewhere it may be all memory below 4 GiB. */
		if (page_zonenum(page) == ZONE_DMA)
			return false;
#endif
		if (zone && zone != page_zone(page))
			return false;
		zone = page_zone(page);
	}
	return true;
}

/*
 * A large range is taken in chunks, by several processors of its node: moving
 * pages out of the way is most of the work.
 */
#define CHUNK_PAGES	(SZ_128M >> PAGE_SHIFT)
#define WORKERS_MAX	16
#define REPORT_PAGES	(SZ_1G >> PAGE_SHIFT)

struct contig {
	unsigned long pfn;
	unsigned long nr;
	unsigned long chunks;
	atomic_long_t next;
	atomic_long_t taken;
	unsigned long *done;
	int err;
};

struct worker {
	struct work_struct work;
	struct contig *range;
};

static unsigned long chunk_size(const struct contig *range, unsigned long i)
{
	return min(CHUNK_PAGES, range->nr - i * CHUNK_PAGES);
}

static void take_chunks(struct work_struct *work)
{
	struct contig *range = container_of(work, struct worker, work)->range;
	unsigned long i, taken, nr;

	while (!READ_ONCE(range->err)) {
		unsigned long pfn;
		int err;

		i = atomic_long_inc_return(&range->next) - 1;
		if (i >= range->chunks)
			return;
		pfn = range->pfn + i * CHUNK_PAGES;
		nr = chunk_size(range, i);
		err = aclkm_contig_take(pfn, pfn + nr);
		if (err) {
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

static int take_parallel(struct contig *range, int node)
{
	unsigned int i, n = min_t(unsigned long, range->chunks,
				  clamp(cpumask_weight(cpumask_of_node(node)), 1U,
					(unsigned int)WORKERS_MAX));
	struct worker *workers = kcalloc(n, sizeof(*workers), GFP_KERNEL);
	unsigned long bit;

	range->done = bitmap_zalloc(range->chunks, GFP_KERNEL);
	if (!workers || !range->done) {
		range->err = -ENOMEM;
		goto out;
	}
	for (i = 0; i < n; i++) {
		workers[i].range = range;
		INIT_WORK(&workers[i].work, take_chunks);
		queue_work_node(node, aclkm_unbound_wq, &workers[i].work);
	}
	for (i = 0; i < n; i++)
		flush_work(&workers[i].work);
	if (range->err)
		for_each_set_bit(bit, range->done, range->chunks)
			free_contig_range(range->pfn + bit * CHUNK_PAGES, chunk_size(range, bit));
out:
	bitmap_free(range->done);
	kfree(workers);
	return range->err;
}

static int take_range(unsigned long pfn, unsigned long nr, int node)
{
	struct contig range = {
		.pfn = pfn, .nr = nr, .chunks = DIV_ROUND_UP(nr, CHUNK_PAGES),
	};

	return range.chunks == 1 ? aclkm_contig_take(pfn, pfn + nr) :
	       take_parallel(&range, node);
}

static int take_on_node(u64 size, u64 align, int node, u64 *start)
{
	unsigned long nr = PHYS_PFN(size), step = PHYS_PFN(align);
	unsigned long pfn = ALIGN(node_start_pfn(node), step);
	unsigned long end = node_end_pfn(node);
	int err;

	for (; pfn < end && nr <= end - pfn; pfn += step) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (!candidate(pfn, nr, node))
			continue;
		err = take_range(pfn, nr, node);
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
 * @size:	bytes, a multiple of a page block
 * @align:	bytes, a power of two
 * @node:	NUMA node, or NUMA_NO_NODE for the first that can
 * @start:	filled with the physical address
 * @got_node:	filled with the node
 *
 * Return: 0, -ENOMEM, or -EINTR when the caller was killed.
 */
int aclkm_reserve_take(u64 size, u64 align, int node, u64 *start, int *got_node)
{
	int err = -ENOMEM;
	int n;

	for_each_node_state(n, N_MEMORY) {
		if (node != NUMA_NO_NODE && n != node)
			continue;
		err = take_on_node(size, align, n, start);
		if (!err)
			*got_node = n;
		if (err != -ENOMEM)
			break;
	}
	return err;
}
