/* SPDX-License-Identifier: MIT */
/* A stream task that waits until the test lets it go: no timing in the tests. */
#ifndef GATE_H
#define GATE_H

#include <semaphore.h>

#include "client.h"
#include "exec/exec.h"

struct gate {
	sem_t reached;
	sem_t open;
	pthread_t thread; /* the one that ran the task */
};

__attribute__((unused)) static int gate_run(struct task *task)
{
	struct gate *gate = task->dst;

	gate->thread = pthread_self();
	sem_post(&gate->reached);
	sem_wait(&gate->open);
	return 0;
}

/* The stream stands still when this returns. */
__attribute__((unused)) static void gate_close(struct gate *gate, aclrtStream stream)
{
	const struct task task = {.run = gate_run, .dst = gate};

	sem_init(&gate->reached, 0, 0);
	sem_init(&gate->open, 0, 0);
	if (stream_submit((uintptr_t)stream, &task, sizeof(task), 0))
		bail_out("the gate is refused");
	sem_wait(&gate->reached);
}

__attribute__((unused)) static void gate_open(struct gate *gate)
{
	sem_post(&gate->open);
}

#endif /* GATE_H */
