// SPDX-License-Identifier: MIT
/*
 * LD_PRELOAD=record.so RECORD=FILE program...: writes what the program allocates
 * and frees, for the replay of alloc.c. Only the process whose name is
 * RECORD_NAME (as in /proc/self/comm) is recorded, and at most RECORD_MAX words.
 *
 * Words of 32 bits: n >= 0 takes n bytes, the k-th of these is block k; -k gives
 * block k back. A realloc is a take and a give.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RECORD_MAX (1U << 20)
#define SLOTS (1U << 22) /* of the open table from address to block */

void *__libc_malloc(size_t size);
void __libc_free(void *p);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int32_t *words;
static uint32_t count, blocks;
static struct {
	void *ptr;
	int32_t block;
} * table;
static int state; /* 0: not decided, 1: records, 2: does not */

static int decide(void)
{
	const char *want = getenv("RECORD_NAME");
	char name[32] = "";
	FILE *file;

	state = 2;
	file = fopen("/proc/self/comm", "r");
	if (!file || !fgets(name, sizeof(name), file) || !want)
		return 0;
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, want))
		return 0;
	words = mmap(NULL, RECORD_MAX * sizeof(*words), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	table = mmap(NULL, SLOTS * sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (words != MAP_FAILED && (void *)table != MAP_FAILED)
		state = 1;
	return state == 1;
}

static uint32_t slot_of(void *ptr)
{
	uint32_t at = (uint32_t)(((uintptr_t)ptr >> 4) * 2654435761U) % SLOTS;

	while (table[at].ptr && table[at].ptr != ptr)
		at = (at + 1) % SLOTS;
	return at;
}

static void took(void *ptr, size_t size)
{
	uint32_t at;

	if (!ptr || state == 2 || (!state && !decide()))
		return;
	pthread_mutex_lock(&lock);
	if (count < RECORD_MAX && size < 1 << 30) {
		at = slot_of(ptr);
		table[at].ptr = ptr;
		table[at].block = (int32_t)++blocks;
		words[count++] = (int32_t)(size ? size : 1);
	}
	pthread_mutex_unlock(&lock);
}

static void gave(void *ptr)
{
	uint32_t at;

	if (!ptr || state != 1)
		return;
	pthread_mutex_lock(&lock);
	at = slot_of(ptr);
	if (table[at].ptr && table[at].block) {
		if (count < RECORD_MAX)
			words[count++] = -table[at].block;
		table[at].block = 0; /* the slot stays with its address */
	}
	pthread_mutex_unlock(&lock);
}

void *malloc(size_t size)
{
	void *p = __libc_malloc(size);

	took(p, size);
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = __libc_calloc(n, size);

	took(p, n * size);
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p;

	gave(old);
	p = __libc_realloc(old, size);
	took(p, size);
	return p;
}

void free(void *p)
{
	gave(p);
	__libc_free(p);
}

__attribute__((destructor)) static void write_out(void)
{
	const char *path = getenv("RECORD");
	FILE *file;

	if (state != 1 || !path)
		return;
	state = 2;
	file = fopen(path, "wb");
	if (!file)
		return;
	fwrite(words, sizeof(*words), count, file);
	fclose(file);
}
