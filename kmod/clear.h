/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ACLKM_CLEAR_H
#define ACLKM_CLEAR_H

#include <linux/mm.h>

/*
 * Clears memory that nobody will read soon, past the caches where the processor
 * can: what a program has in them is worth more than these zeros. @len is a
 * multiple of the page size.
 */
static inline void aclkm_clear(void *addr, size_t len)
{
#ifdef CONFIG_X86_64
	u64 *p = addr, *end = addr + len;

	for (; p < end; p += 8)
		asm volatile("movnti %1, 0(%0)\n\t"
			     "movnti %1, 8(%0)\n\t"
			     "movnti %1, 16(%0)\n\t"
			     "movnti %1, 24(%0)\n\t"
			     "movnti %1, 32(%0)\n\t"
			     "movnti %1, 40(%0)\n\t"
			     "movnti %1, 48(%0)\n\t"
			     "movnti %1, 56(%0)"
			     : : "r" (p), "r" (0UL) : "memory");
	/* Whoever sees that the memory is free sees it clear. */
	wmb();
#else
	void *end = addr + len;

	for (; addr < end; addr += PAGE_SIZE)
		clear_page(addr);
#endif
}

#endif /* ACLKM_CLEAR_H */
