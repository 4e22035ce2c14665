// SPDX-License-Identifier: MIT
#include "ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "error.h"
#include "event.h"
#include "heap.h"
#include "place.h"
#include "registered.h"
#include "va.h"
#include "vmm.h"

/* A block that another process gave, mapped here. */
struct import {
	struct import *next;
	uint64_t number;
	uint64_t base; /* of the mapping */
	uint64_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct import *imports;

static int offer(const struct share_item *item, bool anyone, uint64_t *number)
{
	int err = share_offer(item, anyone, number);

	if (err)
		close(item->fd);
	return err;
}

int ipc_export_physical(uintptr_t handle, bool anyone, uint64_t *number)
{
	struct vmm_property property;
	struct share_item item = {.kind = SHARE_PHYSICAL};
	struct backing backing;
	uint64_t size;
	int err = vmm_property(handle, &property, &size);

	if (!err)
		err = vmm_file(handle, &backing, true);
	if (err)
		return err;
	item.device = property.device;
	item.host = property.host;
	item.attr = property.attr;
	item.pages = (int32_t)property.pages;
	item.offset = backing.offset;
	item.size = backing.size;
	item.page_size = backing.page_size;
	item.fd = backing.fd;
	err = offer(&item, anyone, number);
	if (err)
		return err;
	err = vmm_offered(handle, *number);
	if (err)
		share_withdraw(*number);
	return err;
}

int ipc_import_physical(uint64_t number, uint32_t device, uintptr_t *handle)
{
	struct vmm_property property;
	struct backing backing;
	struct share_item item;
	int err;

	/* The pages forbid it, and programs of the vendor do it. */
	if (config_get()->strict && share_is_mine(number))
		return error_set(ACLKM_ERR_INVALID,
				 "%#llx is of this process: another one imports it "
				 "(ACLKM_STRICT=1)",
				 (unsigned long long)number);
	err = share_fetch(number, SHARE_PHYSICAL, &item);
	if (err)
		return err;
	property = (struct vmm_property){.host = item.host,
					 .device = device,
					 .attr = item.attr,
					 .pages = (enum aclkm_pages)item.pages};
	backing = (struct backing){.fd = item.fd,
				   .offset = item.offset,
				   .size = item.size,
				   .page_size = item.page_size};
	err = vmm_adopt(&backing, &property, handle);
	if (err)
		close(item.fd);
	return err;
}

int ipc_export_block(void *addr, uint64_t size, bool anyone, uint64_t *number)
{
	struct share_item item = {.kind = SHARE_MEMORY, .size = size};
	struct place_info place;
	struct backing backing;
	int err;

	if (place_describe(addr, &place) &&
	    size > place.base + place.size - (uint64_t)(uintptr_t)addr)
		return error_set(ACLKM_ERR_INVALID,
				 "devPtr = %p: not one block with all of the %llu bytes",
				 addr, (unsigned long long)size);
	err = heap_share(addr, size, &backing);
	if (err)
		return err;
	if (backing.offset % backing.page_size || (uintptr_t)addr % backing.page_size) {
		close(backing.fd);
		return error_set(ACLKM_ERR_INVALID,
				 "devPtr = %p: must be a multiple of its page size, %llu",
				 addr, (unsigned long long)backing.page_size);
	}
	item.offset = backing.offset;
	item.page_size = backing.page_size;
	item.fd = backing.fd;
	return offer(&item, anyone, number);
}

static int map_import(const struct share_item *item, uint32_t device,
		      struct import *import)
{
	struct registered range = {.page_size = item->page_size, .device = device};
	uint64_t mask = item->page_size - 1;
	void *addr;
	int err;

	import->size = (item->size + mask) & ~mask;
	addr = va_reserve(import->size, item->page_size);
	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)import->size);
	import->base = (uint64_t)(uintptr_t)addr;
	if (mmap(addr, import->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 item->fd, (off_t)item->offset) == MAP_FAILED) {
		err = error_set(ACLKM_ERR_IO, "mapping what was imported: %s",
				strerror(errno));
		goto release;
	}
	range.base = import->base;
	range.size = item->size;
	err = registered_add(&range);
	if (err)
		goto release;
	return ACLKM_OK;
release:
	va_release(addr, import->size);
	return err;
}

int ipc_import_block(uint64_t number, uint32_t device, void **out)
{
	struct import *import = calloc(1, sizeof(*import));
	struct share_item item;
	int err;

	if (!import)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	import->number = number;
	err = share_fetch(number, SHARE_MEMORY, &item);
	if (err)
		goto free;
	err = map_import(&item, device, import);
	close(item.fd);
	if (err)
		goto free;
	*out = (void *)(uintptr_t)import->base;
	pthread_mutex_lock(&lock);
	import->next = imports;
	imports = import;
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
free:
	free(import);
	return err;
}

int ipc_close_block(uint64_t number)
{
	struct import **at = &imports, *import;
	struct registered range;

	pthread_mutex_lock(&lock);
	while ((import = *at) && import->number != number)
		at = &import->next;
	if (import)
		*at = import->next;
	pthread_mutex_unlock(&lock);
	if (!import)
		return share_withdraw(number);
	registered_remove(import->base, &range);
	va_release((void *)(uintptr_t)import->base, import->size);
	free(import);
	return ACLKM_OK;
}

/* One page with the state, in a file. */
static int map_event(int fd, struct event_state **state, uint64_t *size)
{
	void *addr;

	*size = va_page_size();
	addr = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (addr == MAP_FAILED)
		return error_set(ACLKM_ERR_NOMEM, "mapping an event: %s",
				 strerror(errno));
	*state = addr;
	return ACLKM_OK;
}

static int adopt_event(int fd, uint32_t device, uint32_t flags, uintptr_t *event)
{
	struct event_state *state = NULL;
	uint64_t size;
	int err = map_event(fd, &state, &size);

	if (err)
		return err;
	err = event_adopt(device, flags, state, size, fd, event);
	if (err)
		munmap(state, size);
	return err;
}

int ipc_create_event(uint32_t device, uint32_t flags, uintptr_t *event)
{
	int err, fd = memfd_create("aclkm-event", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)va_page_size())) {
		err = error_set(ACLKM_ERR_LIMIT, "no file for an event: %s",
				strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = adopt_event(fd, device, flags, event);
	if (err)
		close(fd);
	return err;
}

int ipc_export_event(uintptr_t event, uint64_t *number)
{
	struct share_item item = {.kind = SHARE_EVENT};
	struct event_status status;
	int err = event_query(event, &status);

	if (err)
		return err;
	item.flags = status.flags;
	/* One offer for each event, however often it is asked for. */
	pthread_mutex_lock(&lock);
	err = event_file(event, &item.fd, number);
	if (!err && !*number) {
		err = offer(&item, true, number);
		if (!err) {
			err = event_offered(event, *number);
			if (err)
				share_withdraw(*number);
		}
	}
	pthread_mutex_unlock(&lock);
	return err;
}

int ipc_import_event(uint64_t number, uint32_t device, uintptr_t *event)
{
	struct share_item item;
	int err = share_fetch(number, SHARE_EVENT, &item);

	if (err)
		return err;
	err = adopt_event(item.fd, device, (uint32_t)item.flags, event);
	if (err)
		close(item.fd);
	return err;
}
