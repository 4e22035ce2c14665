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
	void *end = addr + len;

#define CLEAR_WORD(at)	"movnti %1, " #at "(%0)\n\t"
#define CLEAR_LINE(a, b, c, d, e, f, g, h)				\
	CLEAR_WORD(a) CLEAR_WORD(b) CLEAR_WORD(c) CLEAR_WORD(d)		\
	CLEAR_WORD(e) CLEAR_WORD(f) CLEAR_WORD(g) CLEAR_WORD(h)
	for (; addr < end; addr += 256)
		asm volatile(CLEAR_LINE(0, 8, 16, 24, 32, 40, 48, 56)
			     CLEAR_LINE(64, 72, 80, 88, 96, 104, 112, 120)
			     CLEAR_LINE(128, 136, 144, 152, 160, 168, 176, 184)
			     CLEAR_LINE(192, 200, 208, 216, 224, 232, 240, 248)
			     : : "r" (addr), "r" (0UL) : "memory");
#undef CLEAR_LINE
#undef CLEAR_WORD
	/* Whoever sees that the memory is free sees it clear. */
	wmb();
#else
	void *end = addr + len;

	for (; addr < end; addr += PAGE_SIZE)
		clear_page(addr);
#endif
}

#endif /* ACLKM_CLEAR_H */
