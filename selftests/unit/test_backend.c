// SPDX-License-Identifier: MIT
/*
 * Which backend serves, and why. This program's own open() and ioctl() play a driver that
 * is missing, or is there and cannot be used; each cause is played in a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/aclkm.h>

#include "acl/acl.h"
#include "aclkm/aclkm.h"
#include "tap.h"

static int open_error; /* of the device; 0: it opens */
static int info_error;
static uint32_t abi = ACLKM_ABI_VERSION;
static int info_fd = -1;

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	if (!strcmp(path, ACLKM_DEVICE_PATH)) {
		if (open_error) {
			errno = open_error;
			return -1;
		}
		info_fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", flags, mode);
		return info_fd;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct aclkm_info *info;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request != ACLKM_IOC_INFO)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (info_error) {
		errno = info_error;
		return -1;
	}
	info = arg;
	info->abi_version = abi;
	info->granule = 4096;
	return 0;
}

/* What the child found, on its way to the test. */
struct report {
	int err;
	char name[16];
	char why[256];
	char recent[512];
	char last[512];
	char said[1024]; /* on standard error, all of it */
};

static struct report report;

/* Uses the library in a child, twice, with standard error in a pipe. */
static void play(const char *backend)
{
	const char *name = "", *why = "", *recent;
	int said[2], found[2];
	ssize_t len;
	void *mem;

	memset(&report, 0, sizeof(report));
	if (pipe(said) || pipe(found))
		abort();
	fflush(NULL);
	if (!fork()) {
		setenv("ACLKM_BACKEND", backend, 1);
		setenv("ACLKM_MEM", "48M", 1);
		dup2(said[1], STDERR_FILENO);
		report.err = aclkm_memory_alloc(100, 0, ACLKM_PAGES_NORMAL, &mem);
		if (!report.err)
			report.err = aclkm_memory_free(mem);
		snprintf(report.last, sizeof(report.last), "%s", aclkm_last_error());
		recent = aclGetRecentErrMsg();
		snprintf(report.recent, sizeof(report.recent), "%s",
			 recent ? recent : "");
		aclkm_memory_backend(&name, &why);
		snprintf(report.name, sizeof(report.name), "%s", name);
		snprintf(report.why, sizeof(report.why), "%s", why);
		_exit(write(found[1], &report, sizeof(report)) != sizeof(report));
	}
	close(said[1]);
	close(found[1]);
	if (read(found[0], &report, sizeof(report)) != sizeof(report))
		abort();
	len = read(said[0], report.said, sizeof(report.said) - 1);
	report.said[len > 0 ? len : 0] = '\0';
	close(said[0]);
	close(found[0]);
	wait(NULL);
}

static unsigned int lines(const char *text)
{
	unsigned int n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

/* A driver that is there and cannot be used: @why is said once, with what mends it. */
static void refused(const char *cause, const char *why, const char *remedy)
{
	play("auto");
	ok(!report.err && !strcmp(report.name, "user"), "%s: ordinary memory serves",
	   cause);
	ok(strstr(report.why, why) && strstr(report.why, remedy),
	   "%s: the reason and the remedy can be asked for", cause);
	ok(strstr(report.said, why) && strstr(report.said, remedy),
	   "%s: they are said on standard error", cause);
	is(lines(report.said), 1, "%s: once", cause);
	ok(strstr(report.recent, why) && strstr(report.recent, remedy),
	   "%s: they are in the recent error text", cause);
	play("user");
	ok(!report.err && !report.said[0] && !report.recent[0],
	   "%s: nothing is said to a program that chose ordinary memory", cause);
	play("kmod");
	ok(report.err == ACLKM_ERR_NODEV && !report.said[0],
	   "%s: ACLKM_BACKEND=kmod fails, and says it by the error alone", cause);
	ok(strstr(report.last, why) && strstr(report.last, remedy),
	   "%s: whose text has reason and remedy", cause);
}

static void missing(const char *cause, int error)
{
	open_error = error;
	play("auto");
	ok(!report.err && !strcmp(report.name, "user"), "%s: ordinary memory serves",
	   cause);
	ok(!report.said[0] && !report.recent[0], "%s: nothing is said", cause);
	ok(strstr(report.why, "not loaded"), "%s: the reason can be asked for", cause);
	play("kmod");
	ok(report.err == ACLKM_ERR_NODEV && strstr(report.last, "not loaded"),
	   "%s: ACLKM_BACKEND=kmod fails with the reason", cause);
	open_error = 0;
}

int main(void)
{
	const char *name, *why;

	missing("no device node", ENOENT);
	missing("a node without its driver", ENXIO);
	missing("a driver that is going away", ENODEV);

	if (access(ACLKM_DEVICE_PATH, F_OK))
		missing("no device node, and no descriptor to find that out", EMFILE);
	else
		skip("no device node, and no descriptor to find that out",
		     "there is one here");

	open_error = EACCES;
	refused("permission denied", "permission denied",
		"join group aclkm and log in again");
	open_error = EPERM;
	refused("a container without the device", "not permitted", "--device /dev/aclkm");
	open_error = EBUSY;
	refused("another error of open", strerror(EBUSY), "aclkm doctor");
	open_error = 0;
	info_error = ENOTTY;
	refused("INFO is refused", "INFO is refused", "load the module");
	info_error = 0;
	abi = ACLKM_ABI_VERSION + 1;
	refused("another ABI", "the driver has ABI 2, this library 1",
		"install the same version of both");

	is(aclkm_memory_backend(NULL, &why), ACLKM_ERR_INVALID, "name may not be NULL");
	is(aclkm_memory_backend(&name, NULL), ACLKM_ERR_INVALID, "why may not be NULL");
	done_testing();
}
