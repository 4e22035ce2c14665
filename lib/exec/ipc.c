// SPDX-License-Identifier: MIT
#include "exec/ipc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "map/block.h"
#include "base/config.h"
#include "base/error.h"
#include "exec/event.h"
#include "base/fd.h"
#include "alloc/heap.h"
#include "backend/memfile.h"
#include "map/place.h"
#include "map/registered.h"
#include "base/va.h"
#include "map/vmm.h"

/* A block that another process gave, mapped here. */
struct import {
	struct import *next;
	uint64_t number;
	uint64_t base; /* of the mapping */
	uint64_t size;
	uint64_t addr; /* of the block in it */
};

/* A block of this process that others may import. */
struct offered {
	struct offered *next;
	uint64_t number;
	uint64_t base; /* of the whole block; 0: freed, the key is not closed yet */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct import *imports;
static struct offered *offered;

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
	struct file_part part;
	uint64_t size;
	int err = vmm_property(handle, &property, &size);

	if (!err)
		err = vmm_file(handle, &part);
	if (err)
		return err;
	item.device = property.device;
	item.host = property.host;
	item.attr = property.attr;
	item.pages = (int32_t)property.pages;
	item.offset = part.offset;
	item.size = part.size;
	item.page_size = part.page_size;
	item.fd = part.fd;
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
	struct file_part part;
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
	part = (struct file_part){.fd = item.fd,
				  .offset = item.offset,
				  .size = item.size,
				  .page_size = item.page_size};
	err = vmm_adopt(&part, &property, handle);
	if (err)
		close(item.fd);
	return err;
}

/* Takes the record of an offer off the list. */
static struct offered *take_offered_locked(uint64_t number)
{
	struct offered **at = &offered, *found;

	while ((found = *at) && found->number != number)
		at = &found->next;
	if (found)
		*at = found->next;
	return found;
}

/* Nobody may import what the block's memory is used for next. Its keys can be closed. */
static void block_ends(uint64_t base)
{
	struct offered *each;

	pthread_mutex_lock(&lock);
	for (each = offered; each; each = each->next) {
		if (each->base != base)
			continue;
		each->base = 0;
		share_withdraw(each->number);
	}
	pthread_mutex_unlock(&lock);
}

static int offer_block(const struct share_item *item, uint64_t base, bool anyone,
		       uint64_t *number)
{
	struct offered *record = calloc(1, sizeof(*record));
	int err;

	if (!record) {
		close(item->fd);
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	}
	err = offer(item, anyone, number);
	if (err) {
		free(record);
		return err;
	}
	record->number = *number;
	record->base = base;
	pthread_mutex_lock(&lock);
	record->next = offered;
	offered = record;
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

int ipc_export_block(void *addr, uint64_t size, bool anyone, uint64_t *number)
{
	struct share_item item = {.kind = SHARE_MEMORY, .size = size};
	struct place_info place;
	struct file_part part;
	bool known = place_describe(addr, &place);
	int err;

	if (known && size > place.base + place.size - (uint64_t)(uintptr_t)addr)
		return error_set(ACLKM_ERR_INVALID,
				 "devPtr = %p: not one block with all of the %llu bytes",
				 addr, (unsigned long long)size);
	if ((uintptr_t)addr % va_page_size())
		return error_set(ACLKM_ERR_INVALID,
				 "devPtr = %p: must be a multiple of the page size, %llu",
				 addr, (unsigned long long)va_page_size());
	/* Before the offer, so that no free of the block can pass it by. */
	block_watch(known ? (void *)(uintptr_t)place.base : addr, block_ends);
	err = heap_share(addr, size, &part);
	if (err)
		return err;
	item.offset = part.offset;
	item.page_size = part.page_size;
	item.fd = part.fd;
	return offer_block(&item, known ? place.base : (uint64_t)(uintptr_t)addr, anyone,
			   number);
}

/*
 * The pages that hold the block. Of huge pages only whole ones can be mapped, and the
 * block may start inside.
 */
static int map_import(const struct share_item *item, uint32_t device,
		      struct import *import)
{
	struct registered range = {.page_size = item->page_size, .device = device};
	uint64_t mask = item->page_size - 1, start = item->offset & ~mask;
	void *addr;
	int err;

	import->size = (item->offset - start + item->size + mask) & ~mask;
	addr = va_reserve(import->size, item->page_size);
	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)import->size);
	import->base = (uint64_t)(uintptr_t)addr;
	import->addr = import->base + (item->offset - start);
	if (mmap(addr, import->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 item->fd, (off_t)start) == MAP_FAILED) {
		err = error_set(ACLKM_ERR_IO, "mapping what was imported: %s",
				strerror(errno));
		goto release;
	}
	range.base = import->addr;
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
	*out = (void *)(uintptr_t)import->addr;
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
	struct offered *mine = NULL;
	struct registered range;
	int err;

	pthread_mutex_lock(&lock);
	while ((import = *at) && import->number != number)
		at = &import->next;
	if (import)
		*at = import->next;
	else
		mine = take_offered_locked(number);
	pthread_mutex_unlock(&lock);
	if (!import) {
		err = mine && !mine->base ? ACLKM_OK : share_withdraw(number);
		free(mine);
		return err;
	}
	registered_remove(import->addr, &range);
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
	int err, fd = memfile_new("aclkm-event", va_page_size(), 0);

	if (fd < 0)
		return fd_refused("a file for an event");
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
