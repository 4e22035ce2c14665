// SPDX-License-Identifier: MIT
#include "exec/reduce.h"

#include "debug/debug.h"
#include "base/base.h"
#include "exec/float16.h"
#include "exec/stream.h"

struct reduce_task {
	struct task task;
	enum reduce_kind kind;
	enum reduce_type type;
};

uint64_t reduce_size(enum reduce_type type)
{
	switch (type) {
	case REDUCE_INT8:
		return 1;
	case REDUCE_INT32:
	case REDUCE_FLOAT:
		return 4;
	default:
		return 2;
	}
}

/* Sums wrap around, as those of the device do. NaN: the second operand of the two. */
#define LOOP(TYPE, SUM)                                                                  \
	do {                                                                             \
		TYPE *to = dst;                                                          \
		const TYPE *from = src;                                                  \
		for (i = 0; i < n; i++) {                                                \
			TYPE a = to[i], b = from[i];                                     \
			to[i] = kind == REDUCE_SUM   ? (TYPE)(SUM)                       \
				: kind == REDUCE_MAX ? (a > b ? a : b)                   \
						     : (a < b ? a : b);                  \
		}                                                                        \
	} while (0)

static float combine(float a, float b, enum reduce_kind kind)
{
	if (kind == REDUCE_SUM)
		return a + b;
	return (kind == REDUCE_MAX) == (a > b) ? a : b;
}

static void reduce_halves(uint16_t *dst, const uint16_t *src, uint64_t n,
			  enum reduce_kind kind)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		dst[i] = float_to_half(
			combine(half_to_float(dst[i]), half_to_float(src[i]), kind));
}

static void reduce_bfloats(uint16_t *dst, const uint16_t *src, uint64_t n,
			   enum reduce_kind kind)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		dst[i] = float_to_bfloat(
			combine(bfloat_to_float(dst[i]), bfloat_to_float(src[i]), kind));
}

static void reduce(void *dst, const void *src, uint64_t n, enum reduce_kind kind,
		   enum reduce_type type)
{
	uint64_t i;

	switch (type) {
	case REDUCE_INT8:
		LOOP(int8_t, (uint8_t)a + (uint8_t)b);
		break;
	case REDUCE_INT16:
		LOOP(int16_t, (uint16_t)a + (uint16_t)b);
		break;
	case REDUCE_INT32:
		LOOP(int32_t, (uint32_t)a + (uint32_t)b);
		break;
	case REDUCE_FLOAT:
		LOOP(float, a + b);
		break;
	case REDUCE_HALF:
		reduce_halves(dst, src, n, kind);
		break;
	default:
		reduce_bfloats(dst, src, n, kind);
	}
}

static int run_reduce(struct task *task)
{
	const struct reduce_task *made = (const struct reduce_task *)task;

	check_work_begins(task->dst, task->src);
	reduce(task->dst, task->src, task->count, made->kind, made->type);
	check_work_ends(task->dst, task->src);
	return ACLKM_OK;
}

int reduce_submit(void *dst, const void *src, uint64_t count, enum reduce_kind kind,
		  enum reduce_type type, uintptr_t stream)
{
	const struct reduce_task task = {.task = {.run = run_reduce,
						  .dst = dst,
						  .src = src,
						  .count = count / reduce_size(type)},
					 .kind = kind,
					 .type = type};
	const struct uses uses = {
		"reduction",
		{{.at = dst, .size = count, .writes = true}, {.at = src, .size = count}}};

	return stream_submit_using(stream, &task.task, sizeof(task), 0, &uses);
}
