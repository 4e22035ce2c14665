// SPDX-License-Identifier: MIT
#include "exec/notify.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "backend/backend.h"
#include "ipc/ipc.h"
#include "exec/stream.h"

/* What processes share of a notify. */
struct flag {
	_Atomic uint32_t raised;
	_Atomic uint32_t word;
};

struct notify {
	struct object object;
	pthread_mutex_t lock;
	struct flag *flag; /* @own until it is shared; under the lock */
	struct flag own;
	uint64_t number; /* under which it is offered; 0: not */
	uint32_t device;
};

struct notify_task {
	struct task task;
	struct notify *notify;
	int64_t timeout_ms;
};

static struct object_table notifies = OBJECT_TABLE(OBJECT_NOTIFY);
static _Atomic uint32_t alive[MAX_DEVICES];

static void notify_release(struct object *object)
{
	struct notify *notify = object_entry(object, struct notify, object);

	atomic_fetch_sub(&alive[notify->device], 1);
	if (notify->number)
		share_withdraw(notify->number);
	if (notify->flag != &notify->own)
		va_unmap(notify->flag, va_page_size());
	pthread_mutex_destroy(&notify->lock);
	free(notify);
}

/* @flag: shared memory, which is the notify's from now on; NULL: none. */
static int notify_add(uint32_t device, struct flag *flag, uintptr_t *handle)
{
	struct notify *notify;
	int err = ACLKM_ERR_NOHEAP;

	if (atomic_fetch_add(&alive[device], 1) >= NOTIFY_MAX) {
		atomic_fetch_sub(&alive[device], 1);
		return error_set(ACLKM_ERR_LIMIT,
				 "device %u has no more than %d notifies", device,
				 NOTIFY_MAX);
	}
	notify = calloc(1, sizeof(*notify));
	if (!notify)
		goto uncount;
	pthread_mutex_init(&notify->lock, NULL);
	notify->device = device;
	notify->flag = flag ? flag : &notify->own;
	err = object_add(&notifies, &notify->object, 0, notify_release);
	if (err)
		goto free;
	*handle = notify->object.handle;
	return ACLKM_OK;
free:
	pthread_mutex_destroy(&notify->lock);
	free(notify);
uncount:
	atomic_fetch_sub(&alive[device], 1);
	return error_no_records();
}

int notify_create(uint32_t device, uintptr_t *handle)
{
	return notify_add(device, NULL, handle);
}

static int notify_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "notify = %p: never created, or destroyed already",
			 (void *)handle);
}

static int notify_get(uintptr_t handle, struct notify **out)
{
	struct object *object = object_get(&notifies, handle);

	if (!object)
		return notify_not_alive(handle);
	*out = object_entry(object, struct notify, object);
	return ACLKM_OK;
}

static void notify_put(struct notify *notify)
{
	object_put(&notify->object);
}

int notify_destroy(uintptr_t handle)
{
	struct object *object = object_remove(&notifies, handle);

	if (!object)
		return notify_not_alive(handle);
	object_put(object);
	return ACLKM_OK;
}

static int notify_run_record(struct task *task)
{
	struct notify *notify = ((struct notify_task *)task)->notify;

	pthread_mutex_lock(&notify->lock);
	atomic_store(&notify->flag->raised, 1);
	word_change(&notify->flag->word);
	pthread_mutex_unlock(&notify->lock);
	return ACLKM_OK;
}

/* Whether the flag was up, and is down now; else where to sleep until it changes. */
static bool notify_take(struct notify *notify, _Atomic uint32_t **word, uint32_t *seen)
{
	bool taken;

	/* It may come to lie elsewhere while one sleeps, with a change of its word. */
	pthread_mutex_lock(&notify->lock);
	*word = &notify->flag->word;
	*seen = atomic_load(*word);
	taken = atomic_exchange(&notify->flag->raised, 0);
	pthread_mutex_unlock(&notify->lock);
	return taken;
}

static int notify_run_wait(struct task *task)
{
	const struct notify_task *wait = (const struct notify_task *)task;
	int64_t deadline = clock_deadline(wait->timeout_ms);
	_Atomic uint32_t *word;
	int err = ACLKM_OK;
	uint32_t seen;

	while (!notify_take(wait->notify, &word, &seen) && !err)
		err = worker_sleep(task->worker, word, seen, deadline);
	return err == ACLKM_ERR_TIMEOUT ? ACLKM_ERR_TASK : ACLKM_OK;
}

static void notify_drop(struct task *task)
{
	notify_put(((struct notify_task *)task)->notify);
}

static int notify_submit(uintptr_t handle, uintptr_t stream,
			 int (*run)(struct task *task), int64_t timeout_ms,
			 unsigned int flags)
{
	struct notify_task task = {.task = {.run = run, .drop = notify_drop},
				   .timeout_ms = timeout_ms};
	int err = notify_get(handle, &task.notify);

	if (err)
		return err;
	err = stream_submit(stream, &task.task, sizeof(task), flags);
	if (err)
		notify_put(task.notify);
	return err;
}

int notify_record(uintptr_t handle, uintptr_t stream)
{
	return notify_submit(handle, stream, notify_run_record, -1, WORKER_NOW);
}

int notify_wait(uintptr_t handle, uintptr_t stream, int64_t timeout_ms)
{
	return notify_submit(handle, stream, notify_run_wait, timeout_ms, 0);
}

int notify_reset(uintptr_t handle)
{
	struct notify *notify = NULL;
	int err = notify_get(handle, &notify);

	if (err)
		return err;
	pthread_mutex_lock(&notify->lock);
	atomic_store(&notify->flag->raised, 0);
	pthread_mutex_unlock(&notify->lock);
	notify_put(notify);
	return ACLKM_OK;
}

int notify_id(uintptr_t handle, uint32_t *id)
{
	struct notify *notify = NULL;
	int err = notify_get(handle, &notify);

	if (err)
		return err;
	*id = object_number(handle);
	notify_put(notify);
	return ACLKM_OK;
}

static struct flag *map_flag(int fd)
{
	void *addr =
		mmap(NULL, va_page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return addr == MAP_FAILED ? NULL : addr;
}

static struct flag *make_flag(int *fd)
{
	struct flag *flag = NULL;

	*fd = memfile_new("aclkm-notify", va_page_size(), 0);
	if (*fd < 0) {
		fd_refused("a file for a notify");
		return NULL;
	}
	flag = map_flag(*fd);
	if (flag)
		return flag;
	error_set(ACLKM_ERR_LIMIT, "mapping a notify: %s", strerror(errno));
	close(*fd);
	return NULL;
}

static int export_locked(struct notify *notify, bool anyone)
{
	struct share_item item = {.kind = SHARE_NOTIFY};
	struct flag *flag;
	int err;

	if (notify->number)
		return ACLKM_OK;
	if (notify->flag != &notify->own)
		return error_set(ACLKM_ERR_UNSUPPORTED,
				 "notify = %p is imported: who made it exports it",
				 (void *)notify->object.handle);
	flag = make_flag(&item.fd);
	if (!flag)
		return ACLKM_ERR_LIMIT;
	err = share_offer(&item, anyone, &notify->number);
	if (err) {
		va_unmap(flag, va_page_size());
		close(item.fd);
		return err;
	}
	/* From now on the flag is where others can have it, and may have raised it. */
	atomic_fetch_or(&flag->raised, atomic_load(&notify->own.raised));
	notify->flag = flag;
	word_change(&notify->own.word);
	return ACLKM_OK;
}

int notify_export(uintptr_t handle, bool anyone, uint64_t *number)
{
	struct notify *notify = NULL;
	int err = notify_get(handle, &notify);

	if (err)
		return err;
	pthread_mutex_lock(&notify->lock);
	err = export_locked(notify, anyone);
	*number = notify->number;
	pthread_mutex_unlock(&notify->lock);
	notify_put(notify);
	return err;
}

int notify_allow(uintptr_t handle, const int32_t *pids, size_t count)
{
	struct notify *notify = NULL;
	uint64_t number;
	int err = notify_get(handle, &notify);

	if (err)
		return err;
	pthread_mutex_lock(&notify->lock);
	number = notify->number;
	pthread_mutex_unlock(&notify->lock);
	notify_put(notify);
	if (!number)
		return error_set(ACLKM_ERR_HANDLE, "notify = %p was not exported",
				 (void *)handle);
	return share_allow(number, pids, count);
}

int notify_import(uint64_t number, uint32_t device, uintptr_t *handle)
{
	struct share_item item;
	struct flag *flag;
	int err = share_fetch(number, SHARE_NOTIFY, &item);

	if (err)
		return err;
	flag = map_flag(item.fd);
	close(item.fd);
	if (!flag)
		return error_set(ACLKM_ERR_NOMEM, "mapping a notify: %s",
				 strerror(errno));
	err = notify_add(device, flag, handle);
	if (err)
		va_unmap(flag, va_page_size());
	return err;
}
