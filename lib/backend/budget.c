// SPDX-License-Identifier: MIT
#include "backend/budget.h"

#include <stdatomic.h>

#include "base/base.h"

static _Atomic uint64_t used[MAX_DEVICES];

uint64_t budget_part(uint64_t total)
{
	uint32_t devices = config_get()->devices;

	return devices == 1 ? total : total / devices & ~(va_page_size() - 1);
}

uint64_t budget_left(uint32_t device, uint64_t part)
{
	uint64_t now = atomic_load(&used[device]);

	return now < part ? part - now : 0;
}

static int budget_refuse(uint32_t device, uint64_t size, uint64_t part, const char *hint)
{
	unsigned long long left = budget_left(device, part);
	uint32_t devices = config_get()->devices;

	if (devices == 1)
		return error_set(
			ACLKM_ERR_NOMEM,
			"no %llu bytes left: %llu of the device's %llu are free%s",
			(unsigned long long)size, left, (unsigned long long)part, hint);
	return error_set(
		ACLKM_ERR_NOMEM,
		"no %llu bytes left: %llu of the %llu of device %u are free, one of "
		"%u equal parts of the memory%s",
		(unsigned long long)size, left, (unsigned long long)part, device, devices,
		hint);
}

int budget_take(uint32_t device, uint64_t size, uint64_t part, const char *hint)
{
	uint64_t now = atomic_load(&used[device]);

	do {
		if (now > part || size > part - now)
			return budget_refuse(device, size, part, hint);
	} while (!atomic_compare_exchange_weak(&used[device], &now, now + size));
	return ACLKM_OK;
}

void budget_give(uint32_t device, uint64_t size)
{
	atomic_fetch_sub(&used[device], size);
}
