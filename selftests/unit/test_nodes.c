// SPDX-License-Identifier: MIT
/*
 * ACLKM_NODES on the driver: where a device's memory comes from. It wants arenas on the
 * nodes 0 and 1, and root, who may read the driver's map.
 */
#include <sys/wait.h>

#include "client.h"

#define MAP "/sys/kernel/debug/aclkm/arenas"
#define SIZE (20 * MIB)

static unsigned long free_kib[2];
static bool there[2];

/* What each node has left. */
static bool read_map(void)
{
	unsigned long long total, at, left;
	unsigned int arena;
	char line[400];
	FILE *map = fopen(MAP, "re");
	int node;

	memset(free_kib, 0, sizeof(free_kib));
	while (map && fgets(line, sizeof(line), map)) {
		if (sscanf(line, "arena %u: %llu KiB at 0x%llx, node %d, free %llu KiB",
			   &arena, &total, &at, &node, &left) != 5 ||
		    node < 0 || node > 1)
			continue;
		there[node] = true;
		free_kib[node] += left;
	}
	if (map)
		fclose(map);
	return there[0] && there[1];
}

/* Takes memory of a device, which must come from this node alone. */
static void *take(int device, int node)
{
	unsigned long before[2];
	void *p = NULL;

	memcpy(before, free_kib, sizeof(before));
	if (aclrtSetDevice(device))
		bail_out("aclrtSetDevice fails");
	is(aclrtMalloc(&p, SIZE, ACL_MEM_MALLOC_HUGE_FIRST), 0, "memory of device %d",
	   device);
	read_map();
	ok(before[node] - free_kib[node] >= SIZE / KIB, "is from node %d", node);
	is(free_kib[!node], before[!node], "and not from node %d", !node);
	return p;
}

/* Both devices on one node: what it has not comes from the other. */
static int both_on_one(void)
{
	size_t free = 0, total = 0;
	void *p;
	int d;

	for (d = 0; d < 2; d++) {
		if (aclrtSetDevice(d) || aclrtGetMemInfo(ACL_HBM_MEM, &free, &total) ||
		    aclrtMalloc(&p, total / 8 * 7, ACL_MEM_MALLOC_HUGE_FIRST))
			return 1;
	}
	return 0;
}

static void test_spill(void)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		bail_out("no process");
	if (!child) {
		setenv("ACLKM_NODES", "1", 1);
		execl("/proc/self/exe", "test_nodes", "one", (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	is(status, 0, "two devices of one node have most of both nodes");
}

int main(int argc, char **argv)
{
	size_t free = 0, total = 0;
	void *first, *second;

	setenv("ACLKM_DEVICES", "2", 1);
	setenv("ACLKM_NODES", "1,0", 0);
	if (argc == 2 && !strcmp(argv[1], "one"))
		return both_on_one();
	if (!read_map()) {
		skip("nodes", "no map of arenas on two nodes in " MAP);
		return done_testing();
	}
	test_spill();
	read_map();
	first = take(0, 1);
	second = take(1, 0);
	is(aclrtGetMemInfo(ACL_HBM_MEM, &free, &total), 0, "device 1");
	ok(total - free >= SIZE && total - free < SIZE + 2 * MIB,
	   "has its own used only");
	is(aclrtFree(first) | aclrtFree(second), 0, "free");
	return done_testing();
}
