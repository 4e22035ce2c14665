// SPDX-License-Identifier: MIT
#include "exec/value.h"

#include "debug/debug.h"
#include "base/base.h"
#include "exec/stream.h"

/* Anybody may write the memory, a device too: it is looked at, with longer pauses. */
#define FIRST_PAUSE 2000LL
#define LAST_PAUSE 1000000LL

struct value_task {
	struct task task;
	enum value_rule rule;
};

static int run_write(struct task *task)
{
	check_work_begins(task->dst, NULL);
	__atomic_store_n((uint64_t *)task->dst, task->value, __ATOMIC_RELEASE);
	check_work_ends(task->dst, NULL);
	return ACLKM_OK;
}

int value_write(void *addr, uint64_t value, uintptr_t stream)
{
	const struct task task = {.run = run_write, .dst = addr, .value = value};
	const struct uses uses = {"value write",
				  {{.at = addr, .size = sizeof(value), .writes = true}}};

	return stream_submit_using(stream, &task, sizeof(task), 0, &uses);
}

static bool is_met(const struct task *task, enum value_rule rule)
{
	uint64_t now = __atomic_load_n((uint64_t *)task->dst, __ATOMIC_ACQUIRE);

	switch (rule) {
	case VALUE_GEQ:
		return (int64_t)(now - task->value) >= 0;
	case VALUE_EQ:
		return now == task->value;
	case VALUE_AND:
		return now & task->value;
	default:
		return ~(now | task->value);
	}
}

static int value_run_wait(struct task *task)
{
	enum value_rule rule = ((const struct value_task *)task)->rule;
	int64_t pause = FIRST_PAUSE;
	_Atomic uint32_t nobody = 0;

	check_work_begins(task->dst, NULL);
	while (!is_met(task, rule)) {
		if (worker_sleep(task->worker, &nobody, 0, clock_now() + pause) ==
		    ACLKM_ERR_ABORTED)
			break;
		if (pause < LAST_PAUSE)
			pause *= 2;
	}
	check_work_ends(task->dst, NULL);
	return ACLKM_OK;
}

int value_wait(void *addr, uint64_t value, enum value_rule rule, uintptr_t stream)
{
	const struct value_task wait = {
		.task = {.run = value_run_wait, .dst = addr, .value = value},
		.rule = rule};
	const struct uses uses = {"value wait", {{.at = addr, .size = sizeof(value)}}};

	return stream_submit_using(stream, &wait.task, sizeof(wait), 0, &uses);
}
