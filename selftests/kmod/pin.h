/* SPDX-License-Identifier: GPL-2.0 */
/* PIN and PHYS, and memory to pin. */
#ifndef ACLKM_SELFTEST_PIN_H
#define ACLKM_SELFTEST_PIN_H

#include "common.h"

static inline int dev_pin(int fd, const void *addr, uint64_t len, uint32_t flags,
			  struct aclkm_pin *out)
{
	*out = (struct aclkm_pin){ .addr = (uintptr_t)addr, .len = len, .flags = flags };
	return dev_ioctl(fd, ACLKM_IOC_PIN, out);
}

static inline int dev_phys(int fd, uint32_t handle, uint64_t first, struct aclkm_phys_extent *ext,
			   uint64_t count, struct aclkm_phys *out)
{
	*out = (struct aclkm_phys){ .handle = handle, .first = first, .count = count,
				    .extents = (uintptr_t)ext };
	return dev_ioctl(fd, ACLKM_IOC_PHYS, out);
}

static inline char *anonymous(uint64_t len)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

#endif /* ACLKM_SELFTEST_PIN_H */
