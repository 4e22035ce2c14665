// SPDX-License-Identifier: MIT
/*
 * Blocks of a page or more start on a page, and exporting one changes no byte of any
 * other: other threads write on.
 */
#include <stdatomic.h>
#include <sys/wait.h>

#include "client.h"

#define PAGE 4096UL
#define WORDS (3 * MIB / sizeof(uint64_t))
#define EXPORTS 10

static atomic_bool stop;
static _Atomic uint64_t rounds;
static uint64_t lost;

static void *write_and_read(void *arg)
{
	volatile uint64_t *words = arg;
	uint64_t value, i;

	for (value = 1; !atomic_load(&stop); value++) {
		for (i = 0; i < WORDS; i += 8)
			words[i] = value;
		for (i = 0; i < WORDS; i += 8)
			lost += words[i] != value;
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

static void wait_rounds(uint64_t more)
{
	uint64_t until = atomic_load(&rounds) + more;

	while (atomic_load(&rounds) < until)
		usleep(100);
}

static void test_other_threads_write_on(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *mine, *shared[EXPORTS];
	pthread_t thread;
	int i, bad = 0;

	if (aclrtMalloc((void **)&mine, 3 * MIB, ACL_MEM_MALLOC_HUGE_FIRST))
		bail_out("no memory");
	if (pthread_create(&thread, NULL, write_and_read, mine))
		bail_out("no thread");
	for (i = 0; i < EXPORTS; i++) {
		if (aclrtMalloc((void **)&shared[i], i % 2 ? MIB : 64 * KIB,
				ACL_MEM_MALLOC_HUGE_FIRST))
			bail_out("no memory");
		memset(shared[i], i, 64 * KIB);
		wait_rounds(1);
		bad |= aclrtIpcMemGetExportKey(shared[i], 64 * KIB, key, sizeof(key), 1);
		wait_rounds(1);
		bad |= shared[i][64 * KIB - 1] != i;
		bad |= aclrtIpcMemClose(key);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	is(bad, 0, "%d exports", EXPORTS);
	is(lost, 0, "no value of another block goes back in time");
	for (i = 0; i < EXPORTS; i++)
		aclrtFree(shared[i]);
	aclrtFree(mine);
}

static int take(int how, void **out, size_t size)
{
	switch (how) {
	case 0:
		return aclrtMalloc(out, size, ACL_MEM_MALLOC_HUGE_FIRST);
	case 1:
		return aclrtMalloc(out, size, ACL_MEM_MALLOC_NORMAL_ONLY);
	case 2:
		return aclrtMallocAlign32(out, size, ACL_MEM_MALLOC_HUGE_FIRST);
	case 3:
		return aclrtMallocCached(out, size, ACL_MEM_MALLOC_HUGE_FIRST);
	default:
		return aclrtMallocHost(out, size);
	}
}

static void test_starts(void)
{
	static const size_t sizes[] = {4096,  4097,  5000,   8160, 8192,    12288,  20000,
				       32768, 65536, 100000, MIB,  MIB + 1, 2 * MIB};
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	void *block[3], *small;
	int how, k, bad = 0, refused = 0;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (how = 0; how < 5; how++) {
			/* The second and later ones, with other lengths between. */
			for (k = 0; k < 3; k++) {
				if (take(how, &small, 100 + 700 * (size_t)k) ||
				    take(how, &block[k], sizes[i]))
					bail_out("no memory");
				bad += (uintptr_t)block[k] % PAGE != 0;
				memset(block[k], 1, sizes[i]);
				how == 4 ? aclrtFreeHost(small) : aclrtFree(small);
			}
			for (k = 0; k < 3; k++) {
				if (how < 4 &&
				    aclrtIpcMemGetExportKey(block[k], sizes[i], key,
							    sizeof(key), 1))
					refused++;
				else if (how < 4)
					aclrtIpcMemClose(key);
				how == 4 ? aclrtFreeHost(block[k]) : aclrtFree(block[k]);
			}
		}
	}
	is(bad, 0, "blocks of a page or more that do not start on a page");
	is(refused, 0, "exports of them that are refused");
}

static void test_huge_only(void)
{
	void *block[3];
	int k;

	if (aclrtMalloc(&block[0], 2 * MIB, ACL_MEM_MALLOC_HUGE_ONLY)) {
		skip("HUGE_ONLY blocks of 2 MiB start on 2 MiB", "no huge pages");
		return;
	}
	is(aclrtMalloc(&block[1], 2 * MIB, ACL_MEM_MALLOC_HUGE_ONLY), 0, "a second");
	is(aclrtMalloc(&block[2], 100 * KIB, ACL_MEM_MALLOC_HUGE_ONLY), 0, "a small one");
	ok((uintptr_t)block[0] % (2 * MIB) == 0 && (uintptr_t)block[1] % (2 * MIB) == 0,
	   "HUGE_ONLY blocks of 2 MiB start on 2 MiB");
	for (k = 0; k < 3; k++)
		aclrtFree(block[k]);
}

/* A block of a page in memory of huge pages: the importer gets its bytes and address. */
static void test_part_of_a_huge_page(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *block, *seen = NULL;

	if (aclrtMalloc((void **)&block, 3 * MIB, ACL_MEM_MALLOC_HUGE_FIRST))
		bail_out("no memory");
	memset(block, 'a', 3 * MIB);
	memset(block + 5 * PAGE, 'b', PAGE);
	is(aclrtIpcMemGetExportKey(block + 5 * PAGE, PAGE, key, sizeof(key), 1), 0,
	   "export one page");
	is(aclrtIpcMemImportByKey((void **)&seen, key, 0), 0, "import it");
	ok(seen && seen[0] == 'b' && seen[PAGE - 1] == 'b', "it is that page");
	is(aclrtIpcMemClose(key), 0, "close the import");
	is(aclrtFree(block), 0, "free the block");
	is(aclrtIpcMemImportByKey((void **)&seen, key, 0), 107017,
	   "with the block its offer ends");
	is(aclrtIpcMemClose(key), 0, "the key can still be closed");
	is(aclrtIpcMemClose(key), 107017, "once");
}

/* Small blocks are freed by the fast path, which must not pass an offer by. */
static void test_small_block_freed(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	void *block, *seen;
	int i;

	for (i = 0; i < 3; i++) {
		if (aclrtMalloc(&block, PAGE, ACL_MEM_MALLOC_NORMAL_ONLY))
			bail_out("no memory");
		is(aclrtIpcMemGetExportKey(block, PAGE, key, sizeof(key), 1), 0,
		   "export");
		is(aclrtFree(block), 0, "free");
		is(aclrtIpcMemImportByKey(&seen, key, 0), 107017,
		   "nobody can import a freed page");
	}
}

int main(void)
{
	small_device();
	need_device();
	test_starts();
	test_huge_only();
	test_part_of_a_huge_page();
	test_small_block_freed();
	test_other_threads_write_on();
	return done_testing();
}
