// SPDX-License-Identifier: MIT
#include "worker.h"

#include <signal.h>
#include <stdlib.h>

#include "counters.h"
#include "error.h"

void worker_init(struct worker *worker)
{
	*worker = (struct worker){0};
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->work, NULL);
	pthread_cond_init(&worker->done, NULL);
	worker->tail = &worker->head;
}

static struct task *next_task(struct worker *worker)
{
	struct task *task;

	while (!worker->head && !worker->stopping)
		pthread_cond_wait(&worker->work, &worker->lock);
	task = worker->head;
	if (!task)
		return NULL;
	worker->head = task->next;
	if (!worker->head)
		worker->tail = &worker->head;
	return task;
}

static void *run_tasks(void *arg)
{
	struct worker *worker = arg;
	struct task *task;

	pthread_mutex_lock(&worker->lock);
	while ((task = next_task(worker))) {
		pthread_mutex_unlock(&worker->lock);
		task->run(task);
		free(task);
		counter_add(COUNT_TASKS_DONE, 1);
		pthread_mutex_lock(&worker->lock);
		worker->finished++;
		pthread_cond_broadcast(&worker->done);
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

static int submit_locked(struct worker *worker, struct task *task)
{
	int err;

	if (worker->stopping)
		return ACLKM_ERR_HANDLE;
	err = start(worker);
	if (err)
		return err;
	*worker->tail = task;
	worker->tail = &task->next;
	worker->submitted++;
	pthread_cond_signal(&worker->work);
	return ACLKM_OK;
}

int worker_submit(struct worker *worker, const struct task *task)
{
	struct task *copy = malloc(sizeof(*copy));
	int err;

	if (!copy)
		return ACLKM_ERR_NOHEAP;
	*copy = *task;
	copy->next = NULL;
	pthread_mutex_lock(&worker->lock);
	err = submit_locked(worker, copy);
	pthread_mutex_unlock(&worker->lock);
	if (err)
		free(copy);
	return err;
}

void worker_wait(struct worker *worker)
{
	uint64_t target;

	pthread_mutex_lock(&worker->lock);
	target = worker->submitted;
	while (worker->finished < target)
		pthread_cond_wait(&worker->done, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
}

void worker_stop(struct worker *worker)
{
	bool join;

	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	join = worker->started;
	pthread_cond_signal(&worker->work);
	pthread_mutex_unlock(&worker->lock);
	if (join)
		pthread_join(worker->thread, NULL);
}

void worker_destroy(struct worker *worker)
{
	pthread_cond_destroy(&worker->done);
	pthread_cond_destroy(&worker->work);
	pthread_mutex_destroy(&worker->lock);
}
