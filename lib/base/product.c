// SPDX-License-Identifier: MIT
#include "base/product.h"

#include <stddef.h>
#include <string.h>

#define MIB (1ULL << 20)
#define KIB (1ULL << 10)

/* The longest name that fits counts. */
static const struct product products[] = {
	/* name, AI, cube, vector, CPUs, L2, UB, arch, padding, infnan, bf16, no UC */
	{"Ascend910", 32, 32, 0, 4, 32 * MIB, 256 * KIB, 1001, 32, false, false, false},
	{"Ascend910B", 20, 20, 40, 6, 192 * MIB, 192 * KIB, 2201, 32, true, true, false},
	{"Ascend910B1", 24, 24, 48, 6, 192 * MIB, 192 * KIB, 2201, 32, true, true, false},
	{"Ascend910B2", 24, 24, 48, 6, 192 * MIB, 192 * KIB, 2201, 32, true, true, false},
	{"Ascend910B3", 20, 20, 40, 6, 192 * MIB, 192 * KIB, 2201, 32, true, true, false},
	{"Ascend910B4", 20, 20, 40, 6, 96 * MIB, 192 * KIB, 2201, 32, true, true, false},
	{"Ascend910_93", 24, 24, 48, 6, 192 * MIB, 192 * KIB, 2201, 32, true, true, true},
	{"Ascend310P", 8, 8, 7, 4, 16 * MIB, 256 * KIB, 2002, 32, false, false, false},
	{"Ascend310P1", 10, 10, 8, 4, 16 * MIB, 256 * KIB, 2002, 32, false, false, false},
	{"Ascend310B", 1, 1, 1, 4, 4 * MIB, 248 * KIB, 3002, 32, false, false, false},
	{"Ascend950", 28, 28, 56, 5, 128 * MIB, 248 * KIB, 3510, 0, true, true, false},
	{"Ascend350", 16, 16, 32, 4, 64 * MIB, 248 * KIB, 3510, 0, true, true, false},
	{"Ascend035", 1, 1, 0, 0, 0, 32 * KIB, 3505, 16, false, false, false},
};

const struct product *product_find(const char *name)
{
	const struct product *found = NULL;
	size_t i, length, longest = 0;

	for (i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
		length = strlen(products[i].name);
		if (length > longest && !strncmp(name, products[i].name, length)) {
			found = &products[i];
			longest = length;
		}
	}
	return found;
}
