// SPDX-License-Identifier: MIT
#include "map/vmm.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/ipc.h"

struct physical {
	struct object object;
	struct backing backing;
	struct vmm_property property;
	uint32_t claims;
	uint32_t maps;
	bool imported;
	uint64_t offer; /* 0: none */
};

/* A reserved range, or a mapping in one. */
struct span {
	struct addr_range at;
	uint64_t behind;	/* inaccessible bytes behind a range */
	uint32_t maps;		/* of a range */
	uint32_t device_maps;	/* of them, of memory of @device */
	uint32_t imported_maps; /* and of imported memory */
	uint32_t device;
	bool hidden;		   /* parts of the range are, from those who look on */
	struct physical *physical; /* of a mapping */
	enum vmm_access access;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct addr_map ranges = ADDR_MAP, mappings = ADDR_MAP;
static _Atomic uint32_t mapped;
static struct object_table physicals = OBJECT_TABLE(OBJECT_PHYSICAL);

static struct span *vmm_span(struct addr_range *at)
{
	return at ? addr_entry(at, struct span, at) : NULL;
}

static struct span *vmm_at(const struct addr_map *map, uint64_t addr)
{
	return vmm_span(addr_map_find(map, addr));
}

uint64_t vmm_granularity(const struct vmm_property *property, bool recommended)
{
	if (property->pages == ACLKM_PAGES_HUGE1G)
		return SIZE_1G;
	if (property->host && property->pages == ACLKM_PAGES_NORMAL && !recommended)
		return va_page_size();
	return SIZE_2M;
}

#define GIVEN 64

/* The last automatic ranges outside the window. */
static struct {
	uint64_t base;
	uint64_t size;
} given[GIVEN];

static uint32_t given_next;

static bool gave_locked(uint64_t base, uint64_t size)
{
	bool gave = false;
	int i;

	for (i = 0; i < GIVEN && !gave; i++)
		gave = given[i].size && base >= given[i].base && size <= given[i].size &&
		       base - given[i].base <= given[i].size - size;
	return gave;
}

bool vmm_gave(uint64_t base, uint64_t size)
{
	bool gave;

	pthread_mutex_lock(&lock);
	gave = gave_locked(base, size);
	pthread_mutex_unlock(&lock);
	return gave;
}

/* All of [base, base + size), or nothing: whatever is mapped there stays. */
static bool take_exactly(uint64_t base, uint64_t size)
{
	void *got = mmap(
		(void *)(uintptr_t)base, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == MAP_FAILED)
		return false;
	/* Kernels before 4.17 take the address as a hint. */
	if (got == (void *)(uintptr_t)base)
		return true;
	va_unmap(got, size);
	return false;
}

/*
 * There where the program runs under ThreadSanitizer. It has the window for itself, and
 * maps address 0 in place of an address that it does not give, which ends the process.
 * So a range lies where the kernel put it, or where such a range has been.
 */
extern void __tsan_init(void) __attribute__((weak));

/*
 * The first gap of the window that is large enough and that nothing else in the process
 * uses; 0: none. Under the lock, so that no other range comes between.
 */
static uint64_t take_in_window(uint64_t size, uint64_t align)
{
	uint64_t at = VMM_WINDOW_START;
	const struct span *next;
	int tries;

	if (__tsan_init)
		return 0;
	for (tries = 0; tries < 1024 && size <= VMM_WINDOW_END - at; tries++) {
		next = vmm_span(addr_map_from(&ranges, at));
		if (next && next->at.base < at + size)
			at = next->at.base + next->at.size + next->behind;
		else if (take_exactly(at, size))
			return at;
		else
			at += SIZE_1G;
		at = (at + align - 1) & ~(align - 1);
		if (at >= VMM_WINDOW_END)
			break;
	}
	return 0;
}

static void note_given(uint64_t base, uint64_t size)
{
	given[given_next % GIVEN].base = base;
	given[given_next % GIVEN].size = size;
	given_next++;
}

/* Automatic ranges have an inaccessible page behind them, against writes past the end. */
static uint64_t reserve_locked(struct span *range, uint64_t wanted)
{
	uint64_t align = range->at.size >= SIZE_1G ? SIZE_1G : SIZE_2M;
	uint64_t base;

	if (wanted && __tsan_init && !gave_locked(wanted, range->at.size))
		return 0;
	if (wanted)
		return take_exactly(wanted, range->at.size) ? wanted : 0;
	range->behind = va_page_size();
	base = take_in_window(range->at.size + range->behind, align);
	if (base)
		return base;
	base = (uint64_t)(uintptr_t)va_reserve(range->at.size, align);
	if (base)
		note_given(base, range->at.size);
	return base;
}

int vmm_reserve(uint64_t size, uint64_t wanted, uint64_t *base)
{
	struct span *range = calloc(1, sizeof(*range));

	if (!range)
		return error_no_records();
	if (aclkm_align_up(size, va_page_size(), &range->at.size) ||
	    range->at.size > UINT64_MAX - SIZE_1G)
		goto no_space;
	va_need_spare();
	pthread_mutex_lock(&lock);
	range->at.base = reserve_locked(range, wanted);
	if (range->at.base)
		addr_map_add(&ranges, &range->at);
	pthread_mutex_unlock(&lock);
	if (!range->at.base)
		goto no_space;
	*base = range->at.base;
	return ACLKM_OK;
no_space:
	free(range);
	if (wanted)
		return error_set(ACLKM_ERR_NOMEM,
				 "address %p: something is there already in %llu bytes, "
				 "or no program can have it here",
				 (void *)(uintptr_t)wanted, (unsigned long long)size);
	return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
			 (unsigned long long)size);
}

int vmm_release(uint64_t base)
{
	struct span *range;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	range = vmm_at(&ranges, base);
	if (!range || range->at.base != base)
		err = ACLKM_ERR_FOREIGN;
	else if (range->maps)
		err = error_set(ACLKM_ERR_BUSY,
				"address %p: %u mappings are in it: unmap them first",
				(void *)(uintptr_t)base, range->maps);
	else
		addr_map_remove(&ranges, &range->at);
	pthread_mutex_unlock(&lock);
	if (err == ACLKM_ERR_FOREIGN)
		return error_set(err, "address %p is not the start of a reserved range",
				 (void *)(uintptr_t)base);
	if (err)
		return err;
	if (range->hidden)
		guard_forget((void *)(uintptr_t)base, range->at.size);
	va_unmap((void *)(uintptr_t)base, range->at.size + range->behind);
	free(range);
	return ACLKM_OK;
}

int vmm_range(uint64_t addr, uint64_t *base, uint64_t *size)
{
	const struct span *range;

	pthread_mutex_lock(&lock);
	range = vmm_at(&ranges, addr);
	if (range) {
		*base = range->at.base;
		*size = range->at.size;
	}
	pthread_mutex_unlock(&lock);
	if (range)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN, "address %p is in no reserved range",
			 (void *)(uintptr_t)addr);
}

static void release_physical(struct object *object)
{
	struct physical *physical = object_entry(object, struct physical, object);
	const struct backend *backend;

	/* It has a file of the memory, which would keep that. */
	if (physical->offer)
		share_withdraw(physical->offer);
	if (!backend_get(&backend))
		backend->backing_free(&physical->backing);
	free(physical);
}

static int add_physical(const struct backing *backing,
			const struct vmm_property *property, bool imported,
			uintptr_t *handle)
{
	struct physical *physical = calloc(1, sizeof(*physical));

	if (!physical)
		goto no_heap;
	physical->backing = *backing;
	physical->property = *property;
	physical->claims = 1;
	physical->imported = imported;
	if (object_add(&physicals, &physical->object, 0, release_physical))
		goto free;
	*handle = physical->object.handle;
	return ACLKM_OK;
free:
	free(physical);
no_heap:
	return error_no_records();
}

int vmm_create(uint64_t size, const struct vmm_property *property, uint32_t device,
	       uintptr_t *handle)
{
	const struct backend *backend;
	struct backing backing;
	int err = backend_get(&backend);

	if (err)
		return err;
	err = backend->backing_alloc(property->host ? device : property->device, size,
				     property->pages, &backing);
	if (err)
		return err;
	err = add_physical(&backing, property, false, handle);
	if (err)
		backend->backing_free(&backing);
	return err;
}

int vmm_adopt(const struct file_part *part, const struct vmm_property *property,
	      uintptr_t *handle)
{
	const struct backend *backend;
	struct backing backing;
	/* The caller keeps its descriptor until nothing can fail any more. */
	struct file_part mine = *part;
	int err = backend_get(&backend);

	if (err)
		return err;
	mine.fd = fd_dup(part->fd);
	if (mine.fd < 0)
		return fd_refused("importing memory");
	err = backend->backing_adopt(&mine, &backing);
	if (err) {
		close(mine.fd);
		return err;
	}
	err = add_physical(&backing, property, true, handle);
	if (err)
		backend->backing_free(&backing);
	else
		close(part->fd);
	return err;
}

/* With the lock held until the caller is done; there is a claim on it. */
static struct physical *vmm_get_locked(uintptr_t handle)
{
	struct object *object = object_get(&physicals, handle);
	struct physical *physical;

	if (!object)
		return NULL;
	/* The table's own reference stays while there are claims or mappings. */
	object_put(object);
	physical = object_entry(object, struct physical, object);
	return physical->claims ? physical : NULL;
}

static int vmm_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE, "handle = %p: never created, or freed already",
			 (void *)handle);
}

static void drop_locked(struct physical *physical)
{
	if (!physical->claims && !physical->maps)
		object_put(object_remove(&physicals, physical->object.handle));
}

int vmm_free(uintptr_t handle)
{
	struct physical *physical;

	pthread_mutex_lock(&lock);
	physical = vmm_get_locked(handle);
	if (physical) {
		physical->claims--;
		drop_locked(physical);
	}
	pthread_mutex_unlock(&lock);
	return physical ? ACLKM_OK : vmm_not_alive(handle);
}

int vmm_property(uintptr_t handle, struct vmm_property *out, uint64_t *size)
{
	const struct physical *physical;

	pthread_mutex_lock(&lock);
	physical = vmm_get_locked(handle);
	if (physical) {
		*out = physical->property;
		*size = physical->backing.size;
	}
	pthread_mutex_unlock(&lock);
	return physical ? ACLKM_OK : vmm_not_alive(handle);
}

static int is_offered(const struct physical *physical)
{
	return error_set(ACLKM_ERR_EXISTS, "handle = %p is exported already: once is all",
			 (void *)physical->object.handle);
}

int vmm_file(uintptr_t handle, struct file_part *out)
{
	const struct backend *backend;
	struct physical *physical;
	int err = backend_get(&backend);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	physical = vmm_get_locked(handle);
	if (!physical)
		err = vmm_not_alive(handle);
	else if (physical->offer)
		err = is_offered(physical);
	else
		err = backend->backing_share(&physical->backing, out);
	pthread_mutex_unlock(&lock);
	return err;
}

int vmm_offered(uintptr_t handle, uint64_t number)
{
	struct physical *physical;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	physical = vmm_get_locked(handle);
	if (!physical)
		err = vmm_not_alive(handle);
	else if (physical->offer)
		err = is_offered(physical);
	else
		physical->offer = number;
	pthread_mutex_unlock(&lock);
	return err;
}

/* What is mapped in the range already tells what else may be. */
static int check_neighbours(const struct span *range, const struct physical *physical)
{
	uint32_t other = physical->imported ? range->maps - range->imported_maps
					    : range->imported_maps;

	/* The pages forbid it, and programs of the vendor do it. */
	if (other && config_get()->strict)
		return error_set(ACLKM_ERR_INVALID,
				 "one range holds either memory of this process or "
				 "imported memory, not both (ACLKM_STRICT=1)");
	if (!physical->property.host && range->device_maps &&
	    range->device != physical->property.device)
		return error_set(
			ACLKM_ERR_INVALID,
			"one range holds memory of one device: it has that of %u",
			range->device);
	return ACLKM_OK;
}

static void count_map(struct span *range, const struct physical *physical, int32_t by)
{
	range->maps += (uint32_t)by;
	if (physical->imported)
		range->imported_maps += (uint32_t)by;
	if (physical->property.host)
		return;
	range->device_maps += (uint32_t)by;
	range->device = physical->property.device;
}

static int check_map(const struct span *range, uint64_t addr, uint64_t size,
		     const struct physical *physical)
{
	uint64_t unit;

	if (!range || size > range->at.size - (addr - range->at.base))
		return error_set(ACLKM_ERR_INVALID,
				 "virPtr = %p: not in one reserved range with all of the "
				 "%llu bytes",
				 (void *)(uintptr_t)addr, (unsigned long long)size);
	if (size != physical->backing.size)
		return error_set(ACLKM_ERR_INVALID,
				 "size = %llu: must be the handle's, %llu",
				 (unsigned long long)size,
				 (unsigned long long)physical->backing.size);
	/* The documented unit, also where the memory has smaller pages. */
	unit = vmm_granularity(&physical->property, false);
	if (unit > SIZE_2M)
		unit = SIZE_2M;
	if (unit < physical->backing.page_size)
		unit = physical->backing.page_size;
	if (addr % unit)
		return error_set(
			ACLKM_ERR_INVALID,
			"virPtr = %p: must be a multiple of the granularity, %llu",
			(void *)(uintptr_t)addr, (unsigned long long)unit);
	if (addr_map_overlaps(&mappings, addr, size))
		return error_set(ACLKM_ERR_EXISTS,
				 "virPtr = %p: something is mapped there already",
				 (void *)(uintptr_t)addr);
	return check_neighbours(range, physical);
}

static int protection(enum vmm_access access)
{
	if (access == VMM_READ_WRITE)
		return PROT_READ | PROT_WRITE;
	return access == VMM_READ ? PROT_READ : PROT_NONE;
}

static void guard_access(const struct span *mapping)
{
	if (mapping->access == VMM_NONE)
		guard_hide((void *)(uintptr_t)mapping->at.base, mapping->at.size);
	else
		guard_forget((void *)(uintptr_t)mapping->at.base, mapping->at.size);
}

static int map_locked(struct span *range, struct span *mapping)
{
	struct physical *physical = mapping->physical;
	const struct backend *backend;
	int err = backend_get(&backend);

	if (!err)
		err = check_map(range, mapping->at.base, mapping->at.size, physical);
	if (!err)
		err = backend->backing_map(&physical->backing,
					   (void *)(uintptr_t)mapping->at.base,
					   protection(mapping->access));
	if (err)
		return err;
	guard_alloc((void *)(uintptr_t)mapping->at.base, mapping->at.size,
		    mapping->at.size);
	guard_access(mapping);
	addr_map_add(&mappings, &mapping->at);
	count_map(range, physical, 1);
	physical->maps++;
	atomic_fetch_add(&mapped, 1);
	return ACLKM_OK;
}

int vmm_map(uint64_t addr, uint64_t size, uintptr_t handle, enum vmm_access access)
{
	struct span *mapping = calloc(1, sizeof(*mapping));
	int err;

	if (!mapping)
		return error_no_records();
	mapping->at.base = addr;
	mapping->at.size = size;
	mapping->access = access;
	pthread_mutex_lock(&lock);
	mapping->physical = vmm_get_locked(handle);
	if (mapping->physical)
		err = map_locked(vmm_at(&ranges, addr), mapping);
	else
		err = vmm_not_alive(handle);
	pthread_mutex_unlock(&lock);
	if (err)
		free(mapping);
	return err;
}

int vmm_unmap(uint64_t addr)
{
	struct span *mapping, *range;
	void *got = NULL;

	pthread_mutex_lock(&lock);
	mapping = vmm_at(&mappings, addr);
	if (mapping && mapping->at.base == addr)
		got = va_hide((void *)(uintptr_t)addr, mapping->at.size);
	if (got && got != MAP_FAILED) {
		guard_free(got, mapping->at.size);
		addr_map_remove(&mappings, &mapping->at);
		range = vmm_at(&ranges, addr);
		count_map(range, mapping->physical, -1);
		range->hidden = true;
		mapping->physical->maps--;
		drop_locked(mapping->physical);
		atomic_fetch_sub(&mapped, 1);
		free(mapping);
	}
	pthread_mutex_unlock(&lock);
	if (got == MAP_FAILED)
		return error_set(ACLKM_ERR_IO, "unmapping: %s", strerror(errno));
	if (got)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN, "virPtr = %p is not the start of a mapping",
			 (void *)(uintptr_t)addr);
}

/* Whether [addr, addr + size) is whole mappings without a gap. */
static bool is_covered(uint64_t addr, uint64_t size)
{
	const struct span *mapping;

	while (size) {
		mapping = vmm_at(&mappings, addr);
		if (!mapping || mapping->at.base != addr || mapping->at.size > size)
			return false;
		addr += mapping->at.size;
		size -= mapping->at.size;
	}
	return true;
}

int vmm_set_access(uint64_t addr, uint64_t size, enum vmm_access access)
{
	struct span *mapping;
	uint64_t at;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	if (!size || !is_covered(addr, size))
		err = error_set(ACLKM_ERR_INVALID,
				"virPtr = %p, size = %llu: must be whole mappings",
				(void *)(uintptr_t)addr, (unsigned long long)size);
	else if (mprotect((void *)(uintptr_t)addr, size, protection(access)))
		err = error_set(ACLKM_ERR_IO, "mprotect: %s", strerror(errno));
	for (at = addr; !err && at - addr < size; at += mapping->at.size) {
		mapping = vmm_at(&mappings, at);
		mapping->access = access;
		guard_access(mapping);
	}
	pthread_mutex_unlock(&lock);
	return err;
}

int vmm_retain(uint64_t addr, uintptr_t *handle)
{
	struct span *mapping;

	pthread_mutex_lock(&lock);
	mapping = vmm_at(&mappings, addr);
	if (mapping) {
		mapping->physical->claims++;
		*handle = mapping->physical->object.handle;
	}
	pthread_mutex_unlock(&lock);
	if (mapping)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN, "virPtr = %p: nothing is mapped there",
			 (void *)(uintptr_t)addr);
}

bool vmm_find(const void *addr, struct vmm_place *out)
{
	const struct span *mapping;

	if (!atomic_load(&mapped))
		return false;
	pthread_mutex_lock(&lock);
	mapping = vmm_at(&mappings, (uint64_t)(uintptr_t)addr);
	if (mapping)
		*out = (struct vmm_place){
			.base = mapping->at.base,
			.size = mapping->at.size,
			.page_size = mapping->physical->backing.page_size,
			.property = mapping->physical->property,
			.access = mapping->access,
			.handle = mapping->physical->object.handle,
		};
	pthread_mutex_unlock(&lock);
	return mapping != NULL;
}
