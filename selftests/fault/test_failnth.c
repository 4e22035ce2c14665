// SPDX-License-Identifier: GPL-2.0
/*
 * Each operation with every possible fault of the kernel in turn: after one
 * that failed, the accounts, the descriptors and the mappings are as before,
 * and the error is one that it may have.
 */
#include "fault.h"

#include <dirent.h>

/* More places than this no operation has; one that never ends is a bug. */
#define MOST 2000

static int nth_fd = -1;

/* The next @nth place that can fail in this thread does so. */
static void arm(int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	/* Switching off may be what the fault comes to; then it is off. */
	while (pwrite(nth_fd, text, len, 0) != len)
		if (errno != EFAULT)
			abort();
}

/*
 * True if the fault has come. Reading copies to user space, which is itself a
 * place that can fail: then it has not come before.
 */
static bool disarm(void)
{
	char text[16] = "";
	ssize_t got = pread(nth_fd, text, sizeof(text) - 1, 0);
	bool came = got > 0 && atoi(text) == 0;

	arm(0);
	return came;
}

static int count_dir(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int count_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	if (!f)
		abort();
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "aclkm") != NULL;
	fclose(f);
	return n;
}

static void state_init(struct state *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = s->extra[0] = s->extra[1] = s->buf = -1;
}

static void state_drop(struct state *s)
{
	if (s->addr)
		munmap(s->addr, s->len);
	if (s->addr2)
		munmap(s->addr2, s->len2);
	if (s->user)
		munmap(s->user, USER_BYTES);
	if (s->buf >= 0)
		close(s->buf);
	if (s->extra[0] >= 0)
		close(s->extra[0]);
	if (s->extra[1] >= 0)
		close(s->extra[1]);
	if (s->fd >= 0)
		close(s->fd);
}

static bool allowed(const struct fault_op *op, int err)
{
	int i;

	for (i = 0; i < 4; i++)
		if (op->errors[i] && err == -op->errors[i])
			return true;
	return false;
}

/* One run with the @nth place failing; true if it was reached. */
static bool one_run(const struct fault_op *op, int nth, int control, struct aclkm_info *base,
		    bool *bad, unsigned long *failed)
{
	struct aclkm_info before;
	int fds, maps, err;
	struct state s;
	bool came;

	state_init(&s);
	if (op->setup)
		op->setup(&s);
	before = dev_info(control);
	fds = count_dir("/proc/self/fd");
	maps = count_mappings();

	arm(nth);
	err = op->run(&s);
	came = disarm();

	if (err) {
		*failed += 1;
		if (!came || !allowed(op, err)) {
			printf("# %s, place %d: error %d%s\n", op->name, nth, err,
			       came ? " is not one of its errors" : " without a fault");
			*bad = true;
		}
		if (!accounts_as(control, &before) || count_dir("/proc/self/fd") != fds ||
		    (count_mappings() != maps && !op->splits)) {
			printf("# %s, place %d: it failed (%d) and has changed something: %d descriptors of %d, %d mappings of %d\n",
			       op->name, nth, err, count_dir("/proc/self/fd"), fds, count_mappings(),
			       maps);
			*bad = true;
		}
	} else if (op->good && !op->good(&s)) {
		printf("# %s, place %d: it succeeded, and the result is wrong\n", op->name, nth);
		*bad = true;
	}
	state_drop(&s);
	if (!accounts_as(control, base)) {
		printf("# %s, place %d (%d): something is left behind\n", op->name, nth, err);
		*bad = true;
		/* Said once; what follows is measured from here. */
		*base = dev_info(control);
	}
	return came;
}

int main(void)
{
	unsigned long runs = 0, failed = 0;
	struct aclkm_info base;
	unsigned int i;
	int control, bads = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		printf("1..0 # SKIP the kernel has no fault injection\n");
		return 4;
	}
	printf("1..%u\n", nr_fault_ops);
	control = dev_open(O_RDWR);
	if (control < 0)
		abort();
	base = dev_info(control);

	for (i = 0; i < nr_fault_ops; i++) {
		const struct fault_op *op = &fault_ops[i];
		unsigned long failed_before = failed;
		bool bad = false;
		int nth = 1;

		while (nth < MOST && one_run(op, nth, control, &base, &bad, &failed))
			nth++;
		if (nth == MOST) {
			printf("# %s: still finds places to fail after %d\n", op->name, MOST);
			bad = true;
		}
		bads += bad;
		runs += nth - 1;
		printf("%sok %u - %s (%d places, %lu failures)\n", bad ? "not " : "", i + 1, op->name, nth - 1,
		       failed - failed_before);
	}
	printf("# injected: %lu runs with a fault, %lu of them failed\n", runs, failed);
	return bads != 0;
}
