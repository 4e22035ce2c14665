/* SPDX-License-Identifier: MIT */
/*
 * An intrusive ordered tree (a treap): O(log n) expected for every call. No
 * locking, no allocation, no recursion. Keys are compared by the tree's own
 * function and must be distinct.
 */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node {
	struct tree_node *left, *right;
	uint32_t priority;
};

typedef int (*tree_compare)(const struct tree_node *a, const struct tree_node *b);

struct tree {
	struct tree_node *root;
	tree_compare compare;
	uint32_t random;
};

/*
 * A compare function called @name for entries of @type, ordered by their integer @key;
 * the node is their @member.
 */
#define TREE_COMPARE(name, type, member, key)                                            \
	static int name(const struct tree_node *a, const struct tree_node *b)            \
	{                                                                                \
		const type *x = tree_entry(a, const type, member);                       \
		const type *y = tree_entry(b, const type, member);                       \
                                                                                         \
		return (x->key > y->key) - (x->key < y->key);                            \
	}

#define tree_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

void tree_init(struct tree *tree, tree_compare compare);
void tree_insert(struct tree *tree, struct tree_node *node);
/* @node must be in the tree. */
void tree_erase(struct tree *tree, struct tree_node *node);
/* The smallest node >= @key, the largest <= @key, the smallest > @key; or NULL. */
struct tree_node *tree_ceil(const struct tree *tree, const struct tree_node *key);
struct tree_node *tree_floor(const struct tree *tree, const struct tree_node *key);
struct tree_node *tree_above(const struct tree *tree, const struct tree_node *key);
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);

#endif /* LIB_TREE_H */
