// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas in memory that the kernel was told at boot to leave alone (memmap=SIZE$ADDR
 * on x86, a reserved-memory node elsewhere). It gets struct pages and a place in the
 * kernel's own mapping here, and is an arena like the others then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aclkm.h"

/* SIZE@ADDR */
static int parse_one(char *item, u64 *start, u64 *size)
{
	char *size_text = strsep(&item, "@");

	if (!item || aclkm_parse_bytes(size_text, size) || aclkm_parse_bytes(item, start)) {
		pr_err("carveout: \"%s@%s\" is not SIZE@ADDR, numbers with K, M, G or T\n",
		       size_text, item ? item : "");
		return -EINVAL;
	}
	if (!*size || !IS_ALIGNED(*size | *start, SZ_2M) || *size > ACLKM_REGION_MAX ||
	    *start + *size < *start) {
		pr_err("carveout: size and address must be multiples of 2M, the size from 2M to 1T\n");
		return -EINVAL;
	}
	return 0;
}

/**
 * aclkm_carveout_parse() - read the carveout= parameter
 * @spec:	SIZE@ADDR[,...]
 * @add:	called for each; its error ends the parsing
 *
 * Return: 0, -EINVAL with the broken rule in the log, -ENOMEM, or @add's error.
 */
int aclkm_carveout_parse(const char *spec, int (*add)(u64 start, u64 size))
{
	char *copy = kstrdup(spec, GFP_KERNEL);
	char *rest = copy, *item;
	u64 start, size;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (item = strsep(&rest, ","))) {
		err = parse_one(strim(item), &start, &size);
		if (!err)
			err = add(start, size);
	}
	kfree(copy);
	return err;
}

/**
 * aclkm_carveout_take() - give pages to a range that the kernel does not use
 * @start:	physical address, a multiple of 2 MiB
 * @size:	bytes, a multiple of 2 MiB
 * @node:	filled
 *
 * Return: what aclkm_carveout_release() wants, or -EBUSY (it is in use, or ordinary
 * memory), -ENOMEM, or the error of memremap_pages().
 */
struct dev_pagemap *aclkm_carveout_take(u64 start, u64 size, int *node)
{
	struct dev_pagemap *pgmap;
	void *addr;

	if (region_intersects(start, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return ERR_PTR(-EBUSY);
	pgmap = kzalloc(sizeof(*pgmap), GFP_KERNEL);
	if (!pgmap)
		return ERR_PTR(-ENOMEM);
	if (!request_mem_region(start, size, KBUILD_MODNAME)) {
		kfree(pgmap);
		return ERR_PTR(-EBUSY);
	}
	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->range.start = start;
	pgmap->range.end = start + size - 1;
	pgmap->nr_range = 1;
	addr = memremap_pages(pgmap, NUMA_NO_NODE);
	if (IS_ERR(addr)) {
		release_mem_region(start, size);
		kfree(pgmap);
		return ERR_CAST(addr);
	}
	*node = page_to_nid(pfn_to_page(PHYS_PFN(start)));
	return pgmap;
}

/**
 * aclkm_carveout_release() - take the pages away again
 * @pgmap:	nobody uses a page of it
 */
void aclkm_carveout_release(struct dev_pagemap *pgmap)
{
	memunmap_pages(pgmap);
	release_mem_region(pgmap->range.start, range_len(&pgmap->range));
	kfree(pgmap);
}
