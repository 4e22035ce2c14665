// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas in memory that the kernel was told at boot to leave alone: memmap=SIZE$ADDR
 * on x86, mem=, a reserved-memory node. Where the kernel does not know of it, it gets
 * struct pages and a place in the kernel's own mapping here. A node's memory mostly
 * has both already, and is taken over as it is. Either is an arena like the others then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aclkm.h"

/**
 * struct aclkm_carveout - what aclkm_carveout_release() undoes
 * @start:	physical address
 * @size:	bytes
 * @pgmap:	of the pages that were made; its type is 0 for those taken over
 */
struct aclkm_carveout {
	u64 start;
	u64 size;
	struct dev_pagemap pgmap;
};

/* SIZE@ADDR */
static int carveout_parse_range(char *item, struct aclkm_carve *carve)
{
	char *size_text = strsep(&item, "@");

	if (!item || aclkm_parse_bytes(size_text, &carve->size) ||
	    aclkm_parse_bytes(item, &carve->start)) {
		pr_err("carveout: \"%s@%s\" is not SIZE@ADDR, numbers with K, M, G or T\n",
		       size_text, item ? item : "");
		return -EINVAL;
	}
	if (!carve->size || !IS_ALIGNED(carve->size | carve->start, SZ_2M) ||
	    carve->size > ACLKM_REGION_MAX || carve->start + carve->size < carve->start) {
		pr_err("carveout: size and address must be multiples of 2M, the size from 2M to 1T\n");
		return -EINVAL;
	}
	carve->node = NULL;
	return 0;
}

/* Names of nodes begin with a letter, paths with a slash. */
static int carveout_parse_one(char *item, int (*add)(const struct aclkm_carve *carve))
{
	struct aclkm_carve carve;
	int err;

	if (isalpha(*item) || *item == '/')
		return aclkm_node_add(item, add);
	err = carveout_parse_range(item, &carve);
	return err ? err : add(&carve);
}

/**
 * aclkm_carveout_parse() - read the carveout= parameter
 * @spec:	SIZE@ADDR or a reserved-memory node[,...]; "none"; or NULL for the nodes
 *		that are compatible with "aclkm,arena"
 * @add:	called for each; its error ends the parsing
 *
 * Return: 0, -EINVAL, -ENOENT or -EBUSY with the broken rule in the log, -ENOMEM, or
 * @add's error.
 */
int aclkm_carveout_parse(const char *spec, int (*add)(const struct aclkm_carve *carve))
{
	char *copy, *rest, *item;
	int err = 0;

	if (!spec) {
		aclkm_nodes_add(add);
		return 0;
	}
	if (!strcmp(spec, "none"))
		return 0;
	copy = kstrdup(spec, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!err && (item = strsep(&rest, ",")))
		err = carveout_parse_one(strim(item), add);
	kfree(copy);
	return err;
}

/* Makes struct pages for memory that the kernel does not know. */
static int carveout_make_pages(struct aclkm_carveout *carveout)
{
#ifdef CONFIG_ZONE_DEVICE
	struct dev_pagemap *pgmap = &carveout->pgmap;
	void *addr;

	if (!request_mem_region(carveout->start, carveout->size, KBUILD_MODNAME))
		return -EBUSY;
	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->range.start = carveout->start;
	pgmap->range.end = carveout->start + carveout->size - 1;
	pgmap->nr_range = 1;
	addr = memremap_pages(pgmap, NUMA_NO_NODE);
	if (!IS_ERR(addr))
		return 0;
	release_mem_region(carveout->start, carveout->size);
	return PTR_ERR(addr);
#else
	pr_err("carveout: this kernel gives no pages to memory that it does not know (CONFIG_ZONE_DEVICE); name a reserved-memory node without no-map, in memory that it knows\n");
	return -EOPNOTSUPP;
#endif
}

/*
 * Takes over the kernel's own pages of a reserved-memory node. Only the node's name says
 * that the memory is this module's, so each page must look as it did at boot.
 */
static int carveout_take_pages(u64 start, u64 size)
{
	unsigned long pfn, end = PHYS_PFN(start + size);

	for (pfn = PHYS_PFN(start); pfn < end; pfn++) {
		struct page *page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;

		/* Long-term pins would try to move pages out of ZONE_MOVABLE, for ever. */
		if (!page || !PageReserved(page) || page_zonenum(page) == ZONE_MOVABLE ||
		    (page_count(page) != 1 && !PageHWPoison(page)))
			return -EBUSY;
		if (IS_ALIGNED(pfn, PHYS_PFN(SZ_2M)))
			cond_resched();
	}
	/* GUP and VFIO count the references of reserved pages in other ways. */
	for (pfn = PHYS_PFN(start); pfn < end; pfn++) {
		ClearPageReserved(pfn_to_page(pfn));
		if (IS_ALIGNED(pfn, PHYS_PFN(SZ_2M)))
			cond_resched();
	}
	return 0;
}

static void carveout_leave_pages(u64 start, u64 size)
{
	unsigned long pfn, end = PHYS_PFN(start + size);

	for (pfn = PHYS_PFN(start); pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		INIT_LIST_HEAD(&page->lru);
		SetPageReserved(page);
		if (IS_ALIGNED(pfn, PHYS_PFN(SZ_2M)))
			cond_resched();
	}
}

/**
 * aclkm_carveout_take() - get the pages of a range that the kernel does not use
 * @carve:	multiples of 2 MiB
 * @node:	filled
 *
 * Return: what aclkm_carveout_release() wants, or -EBUSY (it is in use, or ordinary
 * memory), -EOPNOTSUPP (see the log), -ENOMEM, or the error of memremap_pages().
 */
struct aclkm_carveout *aclkm_carveout_take(const struct aclkm_carve *carve, int *node)
{
	struct aclkm_carveout *carveout;
	bool known;
	int err;

	/* A node of memory that the kernel knows lies in System RAM. */
	known = region_intersects(carve->start, carve->size, IORESOURCE_SYSTEM_RAM,
				  IORES_DESC_NONE) != REGION_DISJOINT;
	if (known && !carve->node)
		return ERR_PTR(-EBUSY);
	carveout = kzalloc(sizeof(*carveout), GFP_KERNEL);
	if (!carveout)
		return ERR_PTR(-ENOMEM);
	carveout->start = carve->start;
	carveout->size = carve->size;
	err = known ? carveout_take_pages(carve->start, carve->size) :
		      carveout_make_pages(carveout);
	if (err) {
		kfree(carveout);
		return ERR_PTR(err);
	}
	*node = page_to_nid(pfn_to_page(PHYS_PFN(carve->start)));
	return carveout;
}

/**
 * aclkm_carveout_release() - take the pages away again, or leave them as they were
 * @carveout:	nobody uses a page of it, and all are single
 */
void aclkm_carveout_release(struct aclkm_carveout *carveout)
{
#ifdef CONFIG_ZONE_DEVICE
	if (carveout->pgmap.type) {
		memunmap_pages(&carveout->pgmap);
		release_mem_region(carveout->start, carveout->size);
	}
#endif
	if (!carveout->pgmap.type)
		carveout_leave_pages(carveout->start, carveout->size);
	kfree(carveout);
}

/**
 * aclkm_carveout_is_saved() - whether the kernel saves the memory when it hibernates
 * @carveout:	the carve-out
 */
bool aclkm_carveout_is_saved(const struct aclkm_carveout *carveout)
{
	/* Pages that were taken over are ordinary ones. */
	return !carveout->pgmap.type;
}
