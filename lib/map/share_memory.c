// SPDX-License-Identifier: MIT
#include "map/share_memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "map/block.h"
#include "base/base.h"
#include "alloc/alloc.h"
#include "map/place.h"
#include "map/registered.h"
#include "map/vmm.h"

/* A block that another process gave, mapped here. */
struct import {
	struct import *next;
	uint64_t number;
	uint64_t base; /* of the mapping */
	uint64_t size;
	struct registered known; /* the block in it */
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

int share_physical_export(uintptr_t handle, bool anyone, uint64_t *number)
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
	err = share_offer_file(&item, anyone, number);
	if (err)
		return err;
	err = vmm_offered(handle, *number);
	if (err)
		share_withdraw(*number);
	return err;
}

int share_physical_import(uint64_t number, uint32_t device, uintptr_t *handle)
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
static void exported_block_ends(uint64_t base)
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
		return error_no_records();
	}
	err = share_offer_file(item, anyone, number);
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

int share_block_export(void *addr, uint64_t size, bool anyone, uint64_t *number)
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
	block_watch(known ? (void *)(uintptr_t)place.base : addr, exported_block_ends);
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
static int exported_map_import(const struct share_item *item, uint32_t device,
			       struct import *import)
{
	uint64_t mask = item->page_size - 1, start = item->offset & ~mask;
	void *addr;
	int err;

	import->size = (item->offset - start + item->size + mask) & ~mask;
	addr = va_reserve(import->size, item->page_size);
	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)import->size);
	import->base = (uint64_t)(uintptr_t)addr;
	if (mmap(addr, import->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 item->fd, (off_t)start) == MAP_FAILED) {
		err = error_set(ACLKM_ERR_IO, "mapping what was imported: %s",
				strerror(errno));
		goto release;
	}
	import->known = (struct registered){
		.at = {.base = import->base + (item->offset - start), .size = item->size},
		.page_size = item->page_size,
		.device = device};
	err = registered_add(&import->known);
	if (err)
		goto release;
	return ACLKM_OK;
release:
	va_release(addr, import->size);
	return err;
}

int share_block_import(uint64_t number, uint32_t device, void **out)
{
	struct import *import = calloc(1, sizeof(*import));
	struct share_item item;
	int err;

	if (!import)
		return error_no_records();
	import->number = number;
	err = share_fetch(number, SHARE_MEMORY, &item);
	if (err)
		goto free;
	err = exported_map_import(&item, device, import);
	close(item.fd);
	if (err)
		goto free;
	*out = (void *)(uintptr_t)import->known.at.base;
	pthread_mutex_lock(&lock);
	import->next = imports;
	imports = import;
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
free:
	free(import);
	return err;
}

int share_block_close(uint64_t number)
{
	struct import **at = &imports, *import;
	struct offered *mine = NULL;
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
	registered_remove(import->known.at.base, false);
	va_release((void *)(uintptr_t)import->base, import->size);
	free(import);
	return ACLKM_OK;
}
