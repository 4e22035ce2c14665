// SPDX-License-Identifier: MIT
#include "exec/worker.h"

#include <string.h>

#include "base/base.h"

void (*_Atomic worker_on_failure)(struct worker *worker, int err, uint64_t number);

/* A task with what lies behind it, as the queue copies it. */
union record {
	struct task task;
	_Alignas(16) unsigned char bytes[QUEUE_TASK];
};

void worker_init(struct worker *worker)
{
	pthread_mutex_init(&worker->lock, NULL);
	worker->word = NULL;
	atomic_store(&worker->aborts, 0);
	atomic_store(&worker->error, ACLKM_OK);
	atomic_store(&worker->stop_on_failure, false);
	atomic_store(&worker->stopped, false);
	atomic_store(&worker->started, false);
	worker->stopping = false;
	pthread_mutex_init(&worker->line.lock, NULL);
	worker->line.first = NULL;
	worker->line.last = NULL;
	queue_init(&worker->queue, threads_spin());
}

struct failure {
	struct worker *worker;
	int err;
	void (*tell)(struct worker *worker, int err, uint64_t number);
};

static void worker_tell_failure(void *arg)
{
	const struct failure *failure = arg;

	failure->tell(failure->worker, failure->err,
		      atomic_load(&failure->worker->queue.done) + 1);
}

static void note_failure(struct task *task, int err)
{
	struct worker *worker = task->worker;
	struct failure failure = {worker, err, atomic_load(&worker_on_failure)};

	pthread_mutex_lock(&worker->lock);
	if (!atomic_load(&worker->error))
		atomic_store(&worker->error, err);
	if (atomic_load(&worker->stop_on_failure))
		atomic_store(&worker->stopped, true);
	pthread_mutex_unlock(&worker->lock);
	if (failure.tell)
		worker_call(task, worker_tell_failure, &failure);
}

/* The drop function is part of the task. */
static HOT void worker_drop(struct task *task)
{
	void (*fn)(struct task * task) = task->drop;

	task->drop = NULL;
	if (fn)
		fn(task);
}

static HOT void run(struct worker *worker, struct task *task, bool skip)
{
	int err = ACLKM_OK;

	task->worker = worker;
	task->ran = !skip;
	outcall_in_task++;
	if (check_watches_tasks() && !task->now)
		skip ? check_task_dropped(&worker->line)
		     : check_task_begins(&worker->line);
	if (!skip)
		err = task->run(task);
	worker_drop(task);
	if (err)
		note_failure(task, err);
	outcall_in_task--;
	counter_add(COUNT_TASKS_DONE, 1);
}

static HOT void *run_tasks(void *arg)
{
	struct worker *worker = arg;
	union record record;

	while (queue_sleep(&worker->queue)) {
		if (!queue_take(&worker->queue, &record))
			continue;
		do {
			record.task.now = false;
			run(worker, &record.task, atomic_load(&worker->stopped));
		} while (queue_next(&worker->queue, &record));
	}
	return NULL;
}

/*
 * The program's function has ended the thread that runs the task. The thread is still
 * needed: it runs the other tasks from here, and ends when the worker is stopped.
 */
static void worker_survive(void *arg)
{
	struct task *task = arg;
	struct worker *worker = task->worker;

	worker_drop(task);
	outcall_in_task--;
	counter_add(COUNT_TASKS_DONE, 1);
	if (task->now) {
		worker_leave(worker);
		return;
	}
	queue_done(&worker->queue);
	run_tasks(worker);
}

HOT void worker_call(struct task *task, void (*fn)(void *data), void *data)
{
	outcall(fn, data, worker_survive, task);
}

static int start_locked(struct worker *worker)
{
	if (worker->stopping)
		return ACLKM_ERR_HANDLE;
	if (atomic_load(&worker->started))
		return ACLKM_OK;
	process_in_use();
	if (threads_create(&worker->thread, run_tasks, worker))
		return ACLKM_ERR_NOTHREAD;
	atomic_store(&worker->started, true);
	return ACLKM_OK;
}

static HOT int start(struct worker *worker)
{
	int err;

	if (atomic_load_explicit(&worker->started, memory_order_acquire))
		return ACLKM_OK;
	pthread_mutex_lock(&worker->lock);
	err = start_locked(worker);
	pthread_mutex_unlock(&worker->lock);
	return err;
}

static HOT int worker_put(struct worker *worker, const struct submission *submission)
{
	int err = start(worker);

	return err ? err : queue_put(&worker->queue, submission->task, submission->size);
}

/* The caller is the worker. */
static HOT void run_now(struct worker *worker, const struct submission *submission)
{
	union record record;

	memcpy(&record, submission->task, submission->size);
	record.task.now = true;
	run(worker, &record.task, false);
	worker_leave(worker);
}

/* As worker_submit, where each task is told of. */
static int submit_watched(struct worker *worker, const struct submission *submission)
{
	struct flight_line *line = &worker->line;
	struct flight *flight =
		check_flight(submission->uses, (const void *)submission->stream);
	int err;

	if (!flight)
		return ACLKM_ERR_NOHEAP;
	if (submission->flags & WORKER_NOW && !submission->uses &&
	    worker_try_enter(worker)) {
		check_task_now(flight);
		run_now(worker, submission);
		return ACLKM_OK;
	}
	check_line_lock(line);
	check_flight_queued(line, flight);
	err = worker_put(worker, submission);
	if (err)
		check_flight_refused(line, flight);
	check_line_unlock(line);
	return err;
}

HOT int worker_submit(struct worker *worker, const struct submission *submission)
{
	if (submission->size > QUEUE_TASK)
		return ACLKM_ERR_INVALID;
	if (check_watches_tasks())
		return submit_watched(worker, submission);
	if (submission->flags & WORKER_NOW && worker_try_enter(worker)) {
		run_now(worker, submission);
		return ACLKM_OK;
	}
	return worker_put(worker, submission);
}

HOT int worker_wait(struct worker *worker, int64_t deadline)
{
	uint64_t aborts = atomic_load(&worker->aborts);
	int err = ACLKM_OK;
	bool in_time;

	check_wait_begin();
	in_time = queue_wait(&worker->queue, queue_count(&worker->queue), deadline);
	check_wait_end();
	if (!in_time)
		return ACLKM_ERR_TIMEOUT;
	if (atomic_load(&worker->aborts) != aborts)
		return ACLKM_ERR_ABORTED;
	if (!atomic_load(&worker->error))
		return ACLKM_OK;
	pthread_mutex_lock(&worker->lock);
	err = atomic_load(&worker->error);
	if (!atomic_load(&worker->stopped))
		atomic_store(&worker->error, ACLKM_OK);
	pthread_mutex_unlock(&worker->lock);
	return err;
}

bool worker_is_idle(struct worker *worker)
{
	return queue_is_idle(&worker->queue);
}

static void set_word(struct worker *worker, _Atomic uint32_t *word)
{
	pthread_mutex_lock(&worker->lock);
	worker->word = word;
	pthread_mutex_unlock(&worker->lock);
}

int worker_sleep(struct worker *worker, _Atomic uint32_t *word, uint32_t seen,
		 int64_t deadline)
{
	bool in_time = true;

	/* An abort first sets its flag, then looks for the word. */
	set_word(worker, word);
	if (!queue_is_interrupted(&worker->queue))
		in_time = word_wait(word, seen, deadline);
	set_word(worker, NULL);
	if (queue_is_interrupted(&worker->queue))
		return ACLKM_ERR_ABORTED;
	return in_time ? ACLKM_OK : ACLKM_ERR_TIMEOUT;
}

/* Held. */
static void drop_all(struct worker *worker, uint64_t before)
{
	union record record;

	while (queue_drop(&worker->queue, &record, before)) {
		record.task.worker = worker;
		record.task.ran = false;
		if (check_watches_tasks())
			check_task_dropped(&worker->line);
		if (record.task.drop)
			record.task.drop(&record.task);
	}
}

void worker_abort(struct worker *worker, bool queued)
{
	uint64_t before = queue_count(&worker->queue);
	bool runs = queue_hold(&worker->queue, true);

	atomic_fetch_add(&worker->aborts, 1);
	if (queued)
		drop_all(worker, before);
	pthread_mutex_lock(&worker->lock);
	if (queued) {
		atomic_store(&worker->error, ACLKM_OK);
		atomic_store(&worker->stopped, false);
	}
	if (worker->word)
		word_change(worker->word);
	pthread_mutex_unlock(&worker->lock);
	queue_release(&worker->queue, runs);
}

void worker_set_failure_mode(struct worker *worker, bool stop)
{
	atomic_store(&worker->stop_on_failure, stop);
}

void worker_stop(struct worker *worker)
{
	bool join;

	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	join = atomic_load(&worker->started);
	pthread_mutex_unlock(&worker->lock);
	queue_stop(&worker->queue);
	if (join)
		pthread_join(worker->thread, NULL);
	/* Somebody may still do a task at once. */
	queue_release(&worker->queue, queue_hold(&worker->queue, false));
}

void worker_destroy(struct worker *worker)
{
	queue_destroy(&worker->queue);
	pthread_mutex_destroy(&worker->line.lock);
	pthread_mutex_destroy(&worker->lock);
}
