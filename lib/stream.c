// SPDX-License-Identifier: MIT
#include "stream.h"

#include <stdlib.h>

#include "error.h"
#include "tree.h"

/* Handles look like aligned addresses, for programs that test their low bits. */
#define HANDLE_STEP 16

struct stream {
	struct tree_node by_handle;
	uintptr_t handle;
	struct worker worker;
	unsigned int users; /* under the registry's lock; the registry is one */
};

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct stream *x = tree_entry(a, const struct stream, by_handle);
	const struct stream *y = tree_entry(b, const struct stream, by_handle);

	return (x->handle > y->handle) - (x->handle < y->handle);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree streams = {.compare = compare, .random = 1};
static unsigned int alive;
static uintptr_t last_handle;

int stream_create(uintptr_t *handle)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int err = ACLKM_OK;

	if (!stream)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	worker_init(&stream->worker);
	stream->users = 1;

	pthread_mutex_lock(&lock);
	if (alive < STREAM_MAX) {
		alive++;
		last_handle += HANDLE_STEP;
		stream->handle = last_handle;
		tree_insert(&streams, &stream->by_handle);
		*handle = stream->handle;
	} else {
		err = ACLKM_ERR_LIMIT;
	}
	pthread_mutex_unlock(&lock);

	if (err) {
		worker_destroy(&stream->worker);
		free(stream);
		return error_set(err, "%d streams live: the device has no more",
				 STREAM_MAX);
	}
	return ACLKM_OK;
}

static struct stream *find_locked(uintptr_t handle)
{
	struct stream key = {.handle = handle};
	struct tree_node *node = tree_ceil(&streams, &key.by_handle);
	struct stream *stream;

	if (!node)
		return NULL;
	stream = tree_entry(node, struct stream, by_handle);
	return stream->handle == handle ? stream : NULL;
}

static int get(uintptr_t handle, struct stream **out)
{
	struct stream *stream;

	pthread_mutex_lock(&lock);
	stream = find_locked(handle);
	if (stream)
		stream->users++;
	pthread_mutex_unlock(&lock);
	*out = stream;
	if (stream)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_HANDLE,
			 "stream = %p: never created, or destroyed already",
			 (void *)handle);
}

static void put(struct stream *stream)
{
	unsigned int left;

	pthread_mutex_lock(&lock);
	left = --stream->users;
	pthread_mutex_unlock(&lock);
	if (left)
		return;
	worker_destroy(&stream->worker);
	free(stream);
}

int stream_submit(uintptr_t handle, const struct task *task)
{
	struct stream *stream;
	int err = get(handle, &stream);

	if (err)
		return err;
	err = worker_submit(&stream->worker, task);
	if (err)
		error_set(err, "stream = %p: %s", (void *)handle, aclkm_strerror(err));
	put(stream);
	return err;
}

int stream_wait(uintptr_t handle)
{
	struct stream *stream;
	int err = get(handle, &stream);

	if (err)
		return err;
	worker_wait(&stream->worker);
	put(stream);
	return ACLKM_OK;
}

int stream_check(uintptr_t handle)
{
	struct stream *stream;
	int err = get(handle, &stream);

	if (!err)
		put(stream);
	return err;
}

/* Takes the registry's reference over to the caller. */
static void unregister_locked(struct stream *stream)
{
	tree_erase(&streams, &stream->by_handle);
	alive--;
}

static void finish(struct stream *stream)
{
	worker_stop(&stream->worker);
	put(stream);
}

int stream_destroy(uintptr_t handle)
{
	struct stream *stream;

	pthread_mutex_lock(&lock);
	stream = find_locked(handle);
	if (stream)
		unregister_locked(stream);
	pthread_mutex_unlock(&lock);
	if (!stream)
		return error_set(ACLKM_ERR_HANDLE,
				 "stream = %p: never created, or destroyed already",
				 (void *)handle);
	finish(stream);
	return ACLKM_OK;
}

/* The first stream above @handle, with a reference; NULL after the last. */
static struct stream *get_above(uintptr_t handle)
{
	struct stream key = {.handle = handle};
	struct stream *stream = NULL;
	struct tree_node *node;

	pthread_mutex_lock(&lock);
	node = tree_above(&streams, &key.by_handle);
	if (node) {
		stream = tree_entry(node, struct stream, by_handle);
		stream->users++;
	}
	pthread_mutex_unlock(&lock);
	return stream;
}

void stream_wait_all(void)
{
	struct stream *stream;
	uintptr_t at = 0;

	while ((stream = get_above(at))) {
		at = stream->handle;
		worker_wait(&stream->worker);
		put(stream);
	}
}

void stream_destroy_all(void)
{
	struct tree_node *node;
	struct stream *stream;

	for (;;) {
		pthread_mutex_lock(&lock);
		node = tree_first(&streams);
		stream = node ? tree_entry(node, struct stream, by_handle) : NULL;
		if (stream)
			unregister_locked(stream);
		pthread_mutex_unlock(&lock);
		if (!stream)
			return;
		finish(stream);
	}
}
