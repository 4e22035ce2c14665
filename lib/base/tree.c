// SPDX-License-Identifier: MIT
#include "base/tree.h"

void tree_init(struct tree *tree, tree_compare compare)
{
	tree->root = NULL;
	tree->compare = compare;
	tree->random = 0x9e3779b9U;
}

static uint32_t next_priority(struct tree *tree)
{
	uint32_t x = tree->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	tree->random = x;
	return x;
}

/* Hang what is below and above @node in the subtree @cur under @node. */
static void split_under(struct tree *tree, struct tree_node *cur, struct tree_node *node)
{
	struct tree_node **low = &node->left;
	struct tree_node **high = &node->right;

	while (cur) {
		if (tree->compare(node, cur) < 0) {
			*high = cur;
			high = &cur->left;
			cur = cur->left;
		} else {
			*low = cur;
			low = &cur->right;
			cur = cur->right;
		}
	}
	*low = NULL;
	*high = NULL;
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
	struct tree_node **link = &tree->root;

	node->priority = next_priority(tree);
	while (*link && (*link)->priority >= node->priority) {
		if (tree->compare(node, *link) < 0)
			link = &(*link)->left;
		else
			link = &(*link)->right;
	}
	split_under(tree, *link, node);
	*link = node;
}

void tree_erase(struct tree *tree, struct tree_node *node)
{
	struct tree_node **link = &tree->root;
	struct tree_node *low = node->left;
	struct tree_node *high = node->right;

	while (*link != node) {
		if (tree->compare(node, *link) < 0)
			link = &(*link)->left;
		else
			link = &(*link)->right;
	}
	while (low && high) {
		if (low->priority >= high->priority) {
			*link = low;
			link = &low->right;
			low = low->right;
		} else {
			*link = high;
			link = &high->left;
			high = high->left;
		}
	}
	*link = low ? low : high;
}

struct tree_node *tree_ceil(const struct tree *tree, const struct tree_node *key)
{
	struct tree_node *best = NULL;
	struct tree_node *cur = tree->root;

	while (cur) {
		int order = tree->compare(key, cur);

		if (order == 0)
			return cur;
		if (order < 0)
			best = cur;
		cur = order < 0 ? cur->left : cur->right;
	}
	return best;
}

struct tree_node *tree_floor(const struct tree *tree, const struct tree_node *key)
{
	struct tree_node *best = NULL;
	struct tree_node *cur = tree->root;

	while (cur) {
		int order = tree->compare(key, cur);

		if (order == 0)
			return cur;
		if (order > 0)
			best = cur;
		cur = order < 0 ? cur->left : cur->right;
	}
	return best;
}

struct tree_node *tree_above(const struct tree *tree, const struct tree_node *key)
{
	struct tree_node *best = NULL;
	struct tree_node *cur = tree->root;

	while (cur) {
		if (tree->compare(key, cur) < 0) {
			best = cur;
			cur = cur->left;
		} else {
			cur = cur->right;
		}
	}
	return best;
}

struct tree_node *tree_first(const struct tree *tree)
{
	struct tree_node *cur = tree->root;

	while (cur && cur->left)
		cur = cur->left;
	return cur;
}

struct tree_node *tree_last(const struct tree *tree)
{
	struct tree_node *cur = tree->root;

	while (cur && cur->right)
		cur = cur->right;
	return cur;
}
