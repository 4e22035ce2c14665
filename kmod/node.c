// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas of the device tree: children of /reserved-memory. The rules of the node are
 * those of the binding reserved-memory.yaml; the kernel has read it at boot, and says
 * where the memory is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "aclkm.h"

#define COMPATIBLE	"aclkm,arena"

/* The child of /reserved-memory with this path, or name, or name before the unit address. */
static struct device_node *node_find(const char *name)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct device_node *child, *found = NULL;
	unsigned int matches = 0;

	if (!parent) {
		pr_err("carveout: \"%s\": this machine has no device tree with a node /reserved-memory\n",
		       name);
		return NULL;
	}
	if (strstarts(name, "/reserved-memory/"))
		name += strlen("/reserved-memory/");
	for_each_child_of_node(parent, child) {
		bool exact = !strcmp(kbasename(child->full_name), name);

		if (!exact && !of_node_name_eq(child, name))
			continue;
		of_node_put(found);
		found = of_node_get(child);
		matches++;
		if (exact) {
			matches = 1;
			of_node_put(child);
			break;
		}
	}
	of_node_put(parent);
	if (matches == 1)
		return found;
	of_node_put(found);
	pr_err("carveout: %s child of /reserved-memory is named \"%s\"\n",
	       matches ? "more than one" : "no", name);
	return NULL;
}

/* A device whose memory this is. */
static struct device_node *node_user_of(struct device_node *node)
{
	struct device_node *user, *memory;
	int i;

	for_each_node_with_property(user, "memory-region") {
		for (i = 0; (memory = of_parse_phandle(user, "memory-region", i)); i++) {
			of_node_put(memory);
			if (memory == node && of_device_is_available(user))
				return user;
		}
	}
	return NULL;
}

/* What of the binding keeps a node's memory from being an arena. */
static const char *node_broken_rule(struct device_node *node, const struct reserved_mem *memory)
{
	int cells = of_n_addr_cells(node) + of_n_size_cells(node);

	if (!of_device_is_available(node))
		return "its status is not okay";
	if (of_property_read_bool(node, "reusable") ||
	    of_device_is_compatible(node, "shared-dma-pool"))
		return "the kernel itself hands it out (reusable, or shared-dma-pool)";
	if (of_property_count_u32_elems(node, "reg") > cells)
		return "reg must be one range";
	if (!memory || !memory->size)
		return "it has no memory: it must have reg, or size, and the kernel must have reserved it at boot";
	if (memory->ops)
		return "it belongs to a driver of the kernel";
	if (!IS_ALIGNED(memory->base | memory->size, SZ_2M) || memory->size > ACLKM_REGION_MAX)
		return "address and size must be multiples of 2M, the size from 2M to 1T";
	if (of_property_read_bool(node, "no-map") && pfn_valid(PHYS_PFN(memory->base)))
		return "it has no-map: the kernel could not clear or copy its pages; leave no-map out";
	return NULL;
}

static int node_check(struct device_node *node, struct aclkm_carve *carve)
{
	struct reserved_mem *memory = of_reserved_mem_lookup(node);
	const char *rule = node_broken_rule(node, memory);
	struct device_node *user;

	if (rule) {
		pr_err("carveout: %pOF: %s\n", node, rule);
		return -EINVAL;
	}
	user = node_user_of(node);
	if (user) {
		pr_err("carveout: %pOF: it is the memory of %pOF (memory-region)\n", node, user);
		of_node_put(user);
		return -EBUSY;
	}
	carve->start = memory->base;
	carve->size = memory->size;
	carve->node = kbasename(node->full_name);
	return 0;
}

/**
 * aclkm_node_add() - the memory of a reserved-memory node
 * @name:	the node's name, with or without its unit address, or its path
 * @add:	called with it
 *
 * Return: @add's result, -ENOENT (no such node), -EINVAL (its memory cannot be an
 * arena), -EBUSY (a device has it), with the reason in the log.
 */
int aclkm_node_add(const char *name, int (*add)(const struct aclkm_carve *carve))
{
	struct device_node *node = node_find(name);
	struct aclkm_carve carve;
	int err;

	if (!node)
		return -ENOENT;
	err = node_check(node, &carve);
	if (!err)
		err = add(&carve);
	of_node_put(node);
	return err;
}

/**
 * aclkm_nodes_add() - the memory of all nodes that are compatible with "aclkm,arena"
 * @add:	called for each; a node that it or a rule refuses is left out
 */
void aclkm_nodes_add(int (*add)(const struct aclkm_carve *carve))
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct device_node *node;
	struct aclkm_carve carve;

	for_each_available_child_of_node(parent, node)
		if (of_device_is_compatible(node, COMPATIBLE) && !node_check(node, &carve))
			add(&carve);
	of_node_put(parent);
}
