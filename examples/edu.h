/* SPDX-License-Identifier: MIT */
/*
 * QEMU's "edu" PCI device as far as it moves memory: it reads memory into a buffer of its
 * own and writes that back, by the addresses it is told (QEMU's docs/specs/edu.rst).
 */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define EDU_REG_DMA_SRC 0x80
#define EDU_REG_DMA_DST 0x88
#define EDU_REG_DMA_COUNT 0x90
#define EDU_REG_DMA_CMD 0x98
#define EDU_DMA_START 1
#define EDU_DMA_FROM_DEVICE 2
#define EDU_BUFFER 0x40000

/* The buffer has 4096 bytes; one less is the most that the device takes. */
#define EDU_PIECE 4000

static inline volatile uint64_t *edu_register(volatile void *bar, unsigned int reg)
{
	return (volatile uint64_t *)((volatile char *)bar + reg);
}

/* False: the device does not finish. */
static inline bool edu_dma(volatile void *bar, uint64_t src, uint64_t dst, uint64_t len,
			   uint64_t direction)
{
	int tries;

	*edu_register(bar, EDU_REG_DMA_SRC) = src;
	*edu_register(bar, EDU_REG_DMA_DST) = dst;
	*edu_register(bar, EDU_REG_DMA_COUNT) = len;
	*edu_register(bar, EDU_REG_DMA_CMD) = EDU_DMA_START | direction;
	/* The device waits 100 ms before it moves anything. */
	for (tries = 0; tries < 1000; tries++) {
		if (!(*edu_register(bar, EDU_REG_DMA_CMD) & EDU_DMA_START))
			return true;
		usleep(10 * 1000);
	}
	return false;
}

/* The device copies @len bytes, in pieces; false: it does not finish. */
static inline bool edu_copy(volatile void *bar, uint64_t from, uint64_t to, uint64_t len)
{
	uint64_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < EDU_PIECE ? len - at : EDU_PIECE;
		if (!edu_dma(bar, from + at, EDU_BUFFER, n, 0) ||
		    !edu_dma(bar, EDU_BUFFER, to + at, n, EDU_DMA_FROM_DEVICE))
			return false;
	}
	return true;
}

#endif /* EDU_H */
