/* SPDX-License-Identifier: MIT */
/*
 * The product that the library plays (ACLKM_SOC_NAME): one row of facts a product.
 *
 * The facts are those of the platform configuration files of the open-source runtime and
 * of the API reference's tables of products. A name that has no row of its own has the
 * row of its family; another name has the row of Ascend910B3. Constant data, no lock.
 */
#ifndef LIB_PRODUCT_H
#define LIB_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

struct product {
	const char *name; /* the beginning of the product's name */
	uint32_t ai_cores;
	uint32_t cube_cores;
	uint32_t vector_cores;
	uint32_t ai_cpus;
	uint64_t l2_size; /* bytes */
	uint64_t ub_size; /* bytes of a core's buffer */
	uint32_t arch;	  /* ACL_DEV_ATTR_NPU_ARCH */
	uint32_t padding; /* bytes behind a block of aclrtMalloc */
	bool infnan;	  /* floats overflow to infinity by default */
	bool bf16;
	bool no_uc_memory; /* aclrtReserveMemAddressNoUCMemory */
};

/* The row for @name; NULL when no row fits. */
const struct product *product_find(const char *name);

#endif /* LIB_PRODUCT_H */
