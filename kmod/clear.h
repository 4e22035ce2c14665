/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ACLKM_CLEAR_H
#define ACLKM_CLEAR_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#ifdef CONFIG_X86_64
#include <asm/fpu/api.h>

/* Cleared between kernel_fpu_begin() and kernel_fpu_end(), which disable preemption. */
#define ACLKM_CLEAR_BURST SZ_32K
#endif

/*
 * Clears memory that nobody will read soon, with stores that bypass the caches where
 * the processor has them: the caches keep what programs use. @len is a multiple of the
 * page size. Process context only.
 */
static inline void aclkm_clear(void *addr, size_t len)
{
	void *end = addr + len;

#ifdef CONFIG_X86_64
	while (addr < end) {
		void *stop = addr + min_t(size_t, end - addr, ACLKM_CLEAR_BURST);

		kernel_fpu_begin();
		/* The compiler has no use for these registers in the kernel. */
		asm volatile("pxor %%xmm0, %%xmm0" : : : "memory");
#define CLEAR_16(at)	"movntdq %%xmm0, " #at "(%0)\n\t"
#define CLEAR_64(a, b, c, d)	CLEAR_16(a) CLEAR_16(b) CLEAR_16(c) CLEAR_16(d)
		for (; addr < stop; addr += 256)
			asm volatile(CLEAR_64(0, 16, 32, 48) CLEAR_64(64, 80, 96, 112)
				     CLEAR_64(128, 144, 160, 176)
				     CLEAR_64(192, 208, 224, 240)
				     : : "r" (addr) : "memory");
#undef CLEAR_64
#undef CLEAR_16
		kernel_fpu_end();
	}
	/* A processor that sees the memory counted as clean sees the zeros. */
	wmb();
#else
	for (; addr < end; addr += PAGE_SIZE)
		clear_page(addr);
#endif
}

#endif /* ACLKM_CLEAR_H */
