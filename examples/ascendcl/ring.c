// SPDX-License-Identifier: MIT
/*
 * A sum over processes, as libraries for collective communication make it: three ranks
 * in a ring, each with a third of the work. In each step a rank reads one chunk of its
 * left neighbour's memory, first adding it to its own (reduce), then in place of its own
 * (gather). Memory is shared by handles, the order is kept by notifies alone: no rank
 * waits on the host before its stream has done all steps.
 *
 * Two notifies belong to each rank: "ready" says that its next chunk may be read, "done"
 * that it has read its neighbour's.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Chunks are multiples of 64 bytes, as asynchronous copies want them. */
enum { RANKS = 3, UNIT = 2 << 20, WORDS = UNIT / 4 / RANKS / 16 * 16, KEY = 65 };
enum { CHUNK = WORDS * 4 };

/* What a rank tells the others. */
struct offer {
	uint64_t memory;
	char ready[KEY];
	char done[KEY];
};

struct rank {
	int number;
	aclrtStream stream;
	aclrtDrvMemHandle own_handle, left_handle;
	int32_t *own, *left;
	aclrtNotify ready, done, left_ready, right_done;
};

static void put(int fd, const void *data, size_t size)
{
	expect(write(fd, data, size) == (ssize_t)size, "another process is gone");
}

static void get(int fd, void *data, size_t size)
{
	char *at = data;

	while (size) {
		ssize_t n = read(fd, at, size);

		expect(n > 0, "another process is gone");
		at += n;
		size -= (size_t)n;
	}
}

static int32_t *map(aclrtDrvMemHandle handle)
{
	void *range;

	CHECK(aclrtReserveMemAddress(&range, UNIT, 0, NULL, 0));
	CHECK(aclrtMapMem(range, UNIT, 0, handle, 0));
	return range;
}

static void unmap(int32_t *range, aclrtDrvMemHandle handle)
{
	CHECK(aclrtUnmapMem(range));
	CHECK(aclrtReleaseMemAddress(range));
	CHECK(aclrtFreePhysical(handle));
}

/* Number @i of rank @rank's share. */
static int32_t word(int rank, int i)
{
	return i * (rank + 1) - rank * 1000;
}

static void make(struct rank *rank, struct offer *offer)
{
	const aclrtPhysicalMemProp prop = {
		.memAttr = ACL_HBM_MEM_HUGE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	int32_t *words = malloc(UNIT);
	int i;

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtCreateStream(&rank->stream));
	CHECK(aclrtMallocPhysical(&rank->own_handle, UNIT, &prop, 0));
	rank->own = map(rank->own_handle);
	expect(words, "no memory");
	for (i = 0; i < WORDS * RANKS; i++)
		words[i] = word(rank->number, i);
	CHECK(aclrtMemcpy(rank->own, UNIT, words, (size_t)CHUNK * RANKS,
			  ACL_MEMCPY_HOST_TO_DEVICE));
	free(words);
	CHECK(aclrtMemExportToShareableHandle(
		rank->own_handle, ACL_MEM_HANDLE_TYPE_NONE,
		ACL_RT_VMM_EXPORT_FLAG_DISABLE_PID_VALIDATION, &offer->memory));
	CHECK(aclrtCreateNotify(&rank->ready, ACL_NOTIFY_DEFAULT));
	CHECK(aclrtCreateNotify(&rank->done, ACL_NOTIFY_DEFAULT));
	CHECK(aclrtNotifyGetExportKey(rank->ready, offer->ready, KEY,
				      ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION));
	CHECK(aclrtNotifyGetExportKey(rank->done, offer->done, KEY,
				      ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION));
}

static void meet(struct rank *rank, const struct offer *offers)
{
	const struct offer *left = &offers[(rank->number + RANKS - 1) % RANKS];
	const struct offer *right = &offers[(rank->number + 1) % RANKS];

	CHECK(aclrtMemImportFromShareableHandle(left->memory, 0, &rank->left_handle));
	rank->left = map(rank->left_handle);
	CHECK(aclrtNotifyImportByKey(&rank->left_ready, left->ready, 0));
	CHECK(aclrtNotifyImportByKey(&rank->right_done, right->done, 0));
}

/* One step: all of it is tasks of the stream. */
static void step(struct rank *rank, int chunk, bool reduce)
{
	int32_t *to = rank->own + (size_t)chunk * WORDS;
	const int32_t *from = rank->left + (size_t)chunk * WORDS;

	CHECK(aclrtRecordNotify(rank->ready, rank->stream));
	CHECK(aclrtWaitAndResetNotify(rank->left_ready, rank->stream, 60));
	if (reduce)
		CHECK(aclrtReduceAsync(to, from, CHUNK, ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM,
				       ACL_INT32, rank->stream, NULL));
	else
		CHECK(aclrtMemcpyAsync(to, CHUNK, from, CHUNK,
				       ACL_MEMCPY_DEVICE_TO_DEVICE, rank->stream));
	CHECK(aclrtRecordNotify(rank->done, rank->stream));
	CHECK(aclrtWaitAndResetNotify(rank->right_done, rank->stream, 60));
}

static void all_reduce(struct rank *rank)
{
	int s;

	for (s = 0; s < RANKS - 1; s++)
		step(rank, (rank->number + 2 * RANKS - s - 1) % RANKS, true);
	for (s = 0; s < RANKS - 1; s++)
		step(rank, (rank->number + RANKS - s) % RANKS, false);
	CHECK(aclrtSynchronizeStream(rank->stream));
}

static void check_sum(const struct rank *rank)
{
	int32_t *back = malloc(UNIT);
	int i, r;

	expect(back, "no memory");
	CHECK(aclrtMemcpy(back, UNIT, rank->own, (size_t)CHUNK * RANKS,
			  ACL_MEMCPY_DEVICE_TO_HOST));
	for (i = 0; i < WORDS * RANKS; i++) {
		int32_t sum = 0;

		for (r = 0; r < RANKS; r++)
			sum += word(r, i);
		expect(back[i] == sum, "a number is not the sum over the ranks");
	}
	free(back);
}

static int run_rank(int number)
{
	struct rank rank = {.number = number};
	struct offer offers[RANKS];

	make(&rank, &offers[number]);
	put(STDOUT_FILENO, &offers[number], sizeof(offers[number]));
	get(STDIN_FILENO, offers, sizeof(offers));
	meet(&rank, offers);
	all_reduce(&rank);
	check_sum(&rank);
	/* Nobody ends while a neighbour may still look at its memory. */
	put(STDOUT_FILENO, &number, sizeof(number));
	get(STDIN_FILENO, &number, sizeof(number));
	unmap(rank.left, rank.left_handle);
	unmap(rank.own, rank.own_handle);
	CHECK(aclrtDestroyNotify(rank.left_ready));
	CHECK(aclrtDestroyNotify(rank.right_done));
	CHECK(aclrtDestroyNotify(rank.ready));
	CHECK(aclrtDestroyNotify(rank.done));
	CHECK(aclrtDestroyStream(rank.stream));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	return 0;
}

static pid_t start(int number, int *to, int *from)
{
	char text[16];
	int there[2], back[2];
	pid_t pid;

	snprintf(text, sizeof(text), "%d", number);
	expect(!pipe(there) && !pipe(back), "no pipe");
	pid = fork();
	expect(pid >= 0, "no process");
	if (!pid) {
		dup2(there[0], STDIN_FILENO);
		dup2(back[1], STDOUT_FILENO);
		close(there[1]);
		close(back[0]);
		execl("/proc/self/exe", "ring", text, (char *)NULL);
		_exit(127);
	}
	close(there[0]);
	close(back[1]);
	*to = there[1];
	*from = back[0];
	return pid;
}

int main(int argc, char **argv)
{
	int to[RANKS], from[RANKS], r, done, status;
	struct offer offers[RANKS];
	pid_t pids[RANKS];

	if (argc == 2)
		return run_rank(atoi(argv[1]));
	for (r = 0; r < RANKS; r++)
		pids[r] = start(r, &to[r], &from[r]);
	for (r = 0; r < RANKS; r++)
		get(from[r], &offers[r], sizeof(offers[r]));
	for (r = 0; r < RANKS; r++)
		put(to[r], offers, sizeof(offers));
	for (r = 0; r < RANKS; r++) {
		get(from[r], &done, sizeof(done));
		printf("rank %d has the sum of %d numbers of %d processes\n", done,
		       WORDS * RANKS, RANKS);
	}
	for (r = 0; r < RANKS; r++)
		put(to[r], &r, sizeof(r));
	for (r = 0; r < RANKS; r++) {
		waitpid(pids[r], &status, 0);
		expect(!status, "a rank has failed");
	}
	printf("ring: ok\n");
	return 0;
}
