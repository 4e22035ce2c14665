// SPDX-License-Identifier: MIT
#include "worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "error.h"
#include "futex.h"

/* Records up to this size are kept to be used again, up to this many. */
#define SPARE_SIZE 192
#define MAX_SPARES 64

_Thread_local int worker_in_task;

void worker_init(struct worker *worker)
{
	pthread_condattr_t attr;

	*worker = (struct worker){0};
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->work, NULL);
	pthread_cond_init(&worker->done, &attr);
	pthread_condattr_destroy(&attr);
	worker->tail = &worker->head;
}

static struct task *take_record(struct worker *worker, size_t size)
{
	struct task *task = worker->spare;

	if (size > SPARE_SIZE)
		return malloc(size);
	if (!task)
		return malloc(SPARE_SIZE);
	worker->spare = task->next;
	worker->spares--;
	return task;
}

static void give_record(struct worker *worker, struct task *task)
{
	if (task->size > SPARE_SIZE || worker->spares >= MAX_SPARES) {
		free(task);
		return;
	}
	task->next = worker->spare;
	worker->spare = task;
	worker->spares++;
}

static void finish_locked(struct worker *worker, int err)
{
	worker->busy = false;
	worker->interrupted = false;
	worker->finished += 1 + worker->dropped;
	worker->dropped = 0;
	if (err && !worker->error)
		worker->error = err;
	if (err && worker->stop_on_failure)
		worker->stopped = true;
	if (worker->waiters)
		pthread_cond_broadcast(&worker->done);
}

/* Runs @task without the lock; the drop function is part of the task. */
static int run(struct task *task, bool skip)
{
	int err = ACLKM_OK;

	worker_in_task++;
	if (!skip) {
		err = task->run(task);
		task->ran = true;
	}
	if (task->drop)
		task->drop(task);
	worker_in_task--;
	counter_add(COUNT_TASKS_DONE, 1);
	return err;
}

static struct task *next_task(struct worker *worker)
{
	struct task *task;

	while (worker->busy || (!worker->head && !worker->stopping))
		pthread_cond_wait(&worker->work, &worker->lock);
	task = worker->head;
	if (!task)
		return NULL;
	worker->head = task->next;
	if (!worker->head)
		worker->tail = &worker->head;
	worker->busy = true;
	return task;
}

static void *run_tasks(void *arg)
{
	struct worker *worker = arg;
	struct task *task;
	bool skip;
	int err;

	pthread_mutex_lock(&worker->lock);
	while ((task = next_task(worker))) {
		skip = worker->stopped;
		pthread_mutex_unlock(&worker->lock);
		err = run(task, skip);
		pthread_mutex_lock(&worker->lock);
		give_record(worker, task);
		finish_locked(worker, err);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

/* The program's signals are not for the library's threads. */
static int start(struct worker *worker)
{
	sigset_t all, before;
	int err;

	if (worker->started)
		return ACLKM_OK;
	process_in_use();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, run_tasks, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return ACLKM_ERR_NOTHREAD;
	worker->started = true;
	return ACLKM_OK;
}

static int queue_locked(struct worker *worker, const struct task *task, size_t size)
{
	struct task *copy;
	int err = start(worker);

	if (err)
		return err;
	copy = take_record(worker, size);
	if (!copy)
		return ACLKM_ERR_NOHEAP;
	memcpy(copy, task, size);
	copy->worker = worker;
	copy->size = (uint32_t)size;
	copy->ran = false;
	copy->next = NULL;
	*worker->tail = copy;
	worker->tail = &copy->next;
	worker->submitted++;
	pthread_cond_signal(&worker->work);
	return ACLKM_OK;
}

/* The caller's thread is the worker's for the time of one task. */
static void run_now_locked(struct worker *worker, const struct task *task, size_t size)
{
	_Alignas(16) char record[SPARE_SIZE];
	struct task *copy = (struct task *)record;
	int err;

	worker->busy = true;
	worker->submitted++;
	pthread_mutex_unlock(&worker->lock);
	memcpy(copy, task, size);
	copy->worker = worker;
	copy->ran = false;
	err = run(copy, false);
	pthread_mutex_lock(&worker->lock);
	finish_locked(worker, err);
	/* Tasks that came meanwhile, or the end, wait for this one. */
	if (worker->head || worker->stopping)
		pthread_cond_signal(&worker->work);
}

int worker_submit(struct worker *worker, const struct task *task, size_t size,
		  unsigned int flags)
{
	int err = ACLKM_OK;

	pthread_mutex_lock(&worker->lock);
	if (worker->stopping)
		err = ACLKM_ERR_HANDLE;
	else if (flags & WORKER_NOW && size <= SPARE_SIZE && !worker->busy &&
		 !worker->head && !worker->stopped)
		run_now_locked(worker, task, size);
	else
		err = queue_locked(worker, task, size);
	pthread_mutex_unlock(&worker->lock);
	return err;
}

int worker_wait(struct worker *worker, int64_t deadline)
{
	struct timespec at = clock_spec(deadline);
	uint64_t target, aborts;
	int err = ACLKM_OK;

	pthread_mutex_lock(&worker->lock);
	target = worker->submitted;
	aborts = worker->aborts;
	worker->waiters++;
	while (worker->finished < target && !err) {
		if (deadline == NO_DEADLINE)
			pthread_cond_wait(&worker->done, &worker->lock);
		else if (pthread_cond_timedwait(&worker->done, &worker->lock, &at) ==
			 ETIMEDOUT)
			err = ACLKM_ERR_TIMEOUT;
	}
	worker->waiters--;
	if (worker->finished >= target)
		err = ACLKM_OK;
	if (!err && worker->aborts != aborts)
		err = ACLKM_ERR_ABORTED;
	if (!err && worker->error) {
		err = worker->error;
		if (!worker->stopped)
			worker->error = ACLKM_OK;
	}
	pthread_mutex_unlock(&worker->lock);
	return err;
}

bool worker_is_idle(struct worker *worker)
{
	bool idle;

	pthread_mutex_lock(&worker->lock);
	idle = !worker->busy && !worker->head;
	pthread_mutex_unlock(&worker->lock);
	return idle;
}

int worker_sleep(struct worker *worker, _Atomic uint32_t *word, uint32_t seen,
		 int64_t deadline)
{
	bool interrupted, in_time = true;

	pthread_mutex_lock(&worker->lock);
	interrupted = worker->interrupted;
	worker->word = word;
	pthread_mutex_unlock(&worker->lock);
	if (!interrupted)
		in_time = word_wait(word, seen, deadline);
	pthread_mutex_lock(&worker->lock);
	interrupted = worker->interrupted;
	worker->word = NULL;
	pthread_mutex_unlock(&worker->lock);
	if (interrupted)
		return ACLKM_ERR_ABORTED;
	return in_time ? ACLKM_OK : ACLKM_ERR_TIMEOUT;
}

static uint64_t drop_all(struct task *task)
{
	struct task *next;
	uint64_t n = 0;

	for (; task; task = next, n++) {
		next = task->next;
		if (task->drop)
			task->drop(task);
		free(task);
	}
	return n;
}

void worker_abort(struct worker *worker, bool queued)
{
	struct task *thrown = NULL;
	uint64_t n;

	pthread_mutex_lock(&worker->lock);
	if (queued) {
		thrown = worker->head;
		worker->head = NULL;
		worker->tail = &worker->head;
		worker->error = ACLKM_OK;
		worker->stopped = false;
	}
	worker->aborts++;
	worker->interrupted = worker->busy;
	if (worker->word)
		word_change(worker->word);
	pthread_mutex_unlock(&worker->lock);
	n = drop_all(thrown);

	pthread_mutex_lock(&worker->lock);
	if (worker->busy)
		worker->dropped += n;
	else
		worker->finished += n;
	pthread_cond_broadcast(&worker->done);
	pthread_mutex_unlock(&worker->lock);
}

void worker_set_failure_mode(struct worker *worker, bool stop)
{
	pthread_mutex_lock(&worker->lock);
	worker->stop_on_failure = stop;
	pthread_mutex_unlock(&worker->lock);
}

void worker_stop(struct worker *worker)
{
	bool join;

	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	join = worker->started;
	pthread_cond_signal(&worker->work);
	worker->waiters++;
	while (!join && worker->busy)
		pthread_cond_wait(&worker->done, &worker->lock);
	worker->waiters--;
	pthread_mutex_unlock(&worker->lock);
	if (join)
		pthread_join(worker->thread, NULL);
}

void worker_destroy(struct worker *worker)
{
	struct task *task;

	while ((task = worker->spare)) {
		worker->spare = task->next;
		free(task);
	}
	pthread_cond_destroy(&worker->done);
	pthread_cond_destroy(&worker->work);
	pthread_mutex_destroy(&worker->lock);
}
