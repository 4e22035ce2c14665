// SPDX-License-Identifier: MIT
/*
 * aclkm doctor: looks at everything that must be right before a program gets device
 * memory, and names a command to mend each fault. Changes nothing.
 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command.h"
#include "driver.h"
#include "show.h"

#define GROUP "aclkm"
#define UNIT "aclkm-reserve.service"
#define MAX_CHECKS 16
/* Less than this to lock, and registering a buffer of common size fails. */
#define MEMLOCK_MIN (64ULL << 20)

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_FINDING };

struct check {
	const char *name;
	enum verdict verdict;
	char found[256];
	char remedy[256];
};

static struct check checks[MAX_CHECKS];
static size_t nr_checks;

static struct check *add(const char *name, enum verdict verdict)
{
	struct check *check = &checks[nr_checks++];

	check->name = name;
	check->verdict = verdict;
	return check;
}

__attribute__((format(printf, 3, 4))) static struct check *
say(const char *name, enum verdict verdict, const char *format, ...)
{
	struct check *check = add(name, verdict);
	va_list args;

	va_start(args, format);
	vsnprintf(check->found, sizeof(check->found), format, args);
	va_end(args);
	return check;
}

__attribute__((format(printf, 2, 3))) static void mend(struct check *check,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->remedy, sizeof(check->remedy), format, args);
	va_end(args);
}

/* Whether a module of this name is installed for the running kernel. */
static bool module_is_installed(const char *release)
{
	char path[512], line[1024];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/lib/modules/%s/modules.dep", driver_root,
		 release);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "/aclkm.ko");
	if (file)
		fclose(file);
	return found;
}

static bool secure_boot_is_on(void)
{
	char state[8];

	/* Four bytes of attributes precede the value. */
	memset(state, 0, sizeof(state));
	return driver_file("/sys/firmware/efi/efivars/"
			   "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			   state, sizeof(state)) &&
	       state[4] == 1;
}

static void check_module(const struct driver *driver)
{
	struct utsname system;
	char version[128];

	uname(&system);
	if (driver->loaded) {
		if (!driver_file("/sys/module/aclkm/version", version, sizeof(version)))
			version[0] = '\0';
		say("module", VERDICT_OK, "aclkm %s%sis loaded", version,
		    *version ? " " : "");
	} else if (module_is_installed(system.release)) {
		mend(say("module", VERDICT_FINDING, "aclkm is installed, but not loaded"),
		     "sudo modprobe aclkm");
	} else {
		mend(say("module", VERDICT_FINDING,
			 "there is no module aclkm for Linux %s", system.release),
		     "sudo apt install aclkm-dkms linux-headers-%s", system.release);
	}
}

static void check_secure_boot(const struct driver *driver)
{
	if (!secure_boot_is_on())
		say("Secure Boot", VERDICT_OK, "off: modules need no signature");
	else if (driver->loaded)
		say("Secure Boot", VERDICT_OK, "on, and the kernel took the module");
	else
		mend(say("Secure Boot", VERDICT_FINDING,
			 "on: the kernel loads only modules signed with an enrolled key"),
		     "sudo mokutil --import /var/lib/dkms/mok.pub, then reboot");
}

static void doctor_check_node(const struct driver *driver)
{
	const char *rule = "sudo udevadm control --reload && sudo udevadm trigger "
			   "--name-match=aclkm";
	const struct group *group = getgrgid(driver->gid);
	char owner[64];

	if (!driver->node) {
		if (driver->loaded)
			mend(say("device node", VERDICT_FINDING, "%s is missing",
				 ACLKM_DEVICE_PATH),
			     "%s", rule);
		else
			say("device node", VERDICT_NOTE,
			    "none: it comes with the module");
		return;
	}
	if (group)
		snprintf(owner, sizeof(owner), "%s", group->gr_name);
	else
		snprintf(owner, sizeof(owner), "%u", driver->gid);
	if (driver->mode & 07)
		mend(say("device node", VERDICT_FINDING,
			 "%s has mode %04o: every user may take the memory",
			 ACLKM_DEVICE_PATH, driver->mode & 07777),
		     "sudo chmod 0660 %s", ACLKM_DEVICE_PATH);
	else if (!(driver->mode & 060) || strcmp(owner, GROUP) != 0)
		mend(say("device node", VERDICT_FINDING,
			 "%s has mode %04o and group %s, not 0660 and %s",
			 ACLKM_DEVICE_PATH, driver->mode & 07777, owner, GROUP),
		     "%s", rule);
	else
		say("device node", VERDICT_OK, "%s has mode %04o and group %s",
		    ACLKM_DEVICE_PATH, driver->mode & 07777, owner);
}

static bool is_listed(const struct group *group, const struct passwd *user)
{
	char **name;

	if (user->pw_gid == group->gr_gid)
		return true;
	for (name = group->gr_mem; *name; name++)
		if (!strcmp(*name, user->pw_name))
			return true;
	return false;
}

static bool session_has(gid_t gid)
{
	int n = getgroups(0, NULL), i;
	bool found = getegid() == gid;
	gid_t *list;

	list = n > 0 ? calloc((size_t)n, sizeof(*list)) : NULL;
	if (list)
		n = getgroups(n, list);
	for (i = 0; list && i < n; i++)
		found |= list[i] == gid;
	free(list);
	return found;
}

/* The group of the user in the file, and of the session, which is as old as its login. */
static void check_group(void)
{
	const struct group *group = getgrnam(GROUP);
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? user->pw_name : "$USER";

	if (!group) {
		mend(say("group", VERDICT_FINDING, "there is no group %s", GROUP),
		     "sudo groupadd --system %s", GROUP);
		return;
	}
	if (!geteuid()) {
		say("group", VERDICT_OK, "%s exists; root needs no group", GROUP);
		return;
	}
	if (session_has(group->gr_gid))
		say("group", VERDICT_OK, "this session is in group %s", GROUP);
	else if (user && is_listed(group, user))
		mend(say("group", VERDICT_FINDING,
			 "%s is in group %s, but this session is older than that", name,
			 GROUP),
		     "log out and in again, or: newgrp %s", GROUP);
	else
		mend(say("group", VERDICT_FINDING, "%s is not in group %s", name, GROUP),
		     "sudo usermod -aG %s %s, then log in again", GROUP, name);
}

static void check_access(const struct driver *driver)
{
	if (driver->usable)
		say("access", VERDICT_OK, "%s opens; the driver has ABI %u",
		    ACLKM_DEVICE_PATH, driver->info.abi_version);
	else if (driver->fd >= 0 && driver->info_error)
		mend(say("access", VERDICT_FINDING, "%s refuses INFO: %s",
			 ACLKM_DEVICE_PATH, strerror(driver->info_error)),
		     "sudo modprobe -r aclkm && sudo modprobe aclkm");
	else if (driver->fd >= 0)
		mend(say("access", VERDICT_FINDING,
			 "the driver has ABI %u, this command %u",
			 driver->info.abi_version, (unsigned int)ACLKM_ABI_VERSION),
		     "sudo apt install --only-upgrade aclkm-dkms libaclkm0 aclkm-tools");
	else if (driver->node)
		mend(say("access", VERDICT_FINDING, "%s: %s", ACLKM_DEVICE_PATH,
			 strerror(driver->open_error)),
		     "sudo usermod -aG %s $USER, then log in again", GROUP);
	else
		say("access", VERDICT_NOTE, "no driver: programs use the user backend");
}

static void check_memory(const struct driver *driver)
{
	const struct aclkm_info *info = &driver->info;

	if (!driver->usable)
		return;
	if (!info->total)
		mend(say("arenas", VERDICT_FINDING, "no memory is reserved"),
		     "sudo aclkm grow 1G");
	else if (info->poisoned)
		mend(say("arenas", VERDICT_FINDING,
			 "%s of %s have failed (memory errors of the hardware)",
			 SHOW_SIZE(info->poisoned), SHOW_SIZE(info->total)),
		     "replace the memory module that journalctl -k names");
	else if (!info->free)
		mend(say("arenas", VERDICT_FINDING, "all %s are in use",
			 SHOW_SIZE(info->total)),
		     "aclkm top shows by whom; sudo aclkm grow 1G");
	else
		say("arenas", VERDICT_OK, "%s of %s are free", SHOW_SIZE(info->free),
		    SHOW_SIZE(info->total));
}

static void check_memlock(void)
{
	struct rlimit limit;

	if (!geteuid() || getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= MEMLOCK_MIN) {
		say("memlock", VERDICT_OK, "%s may be pinned",
		    limit.rlim_cur == RLIM_INFINITY ? "any memory"
						    : SHOW_SIZE(limit.rlim_cur));
		return;
	}
	mend(say("memlock", VERDICT_FINDING, "only %s may be pinned (RLIMIT_MEMLOCK)",
		 SHOW_SIZE(limit.rlim_cur)),
	     "echo '@" GROUP " - memlock unlimited' | sudo tee "
	     "/etc/security/limits.d/aclkm.conf");
}

static bool meminfo(const char *name, uint64_t *bytes)
{
	char text[8192], *at;

	if (!driver_file("/proc/meminfo", text, sizeof(text)))
		return false;
	at = strstr(text, name);
	if (!at)
		return false;
	*bytes = strtoull(at + strlen(name), NULL, 10) << 10;
	return true;
}

static void check_headroom(const struct driver *driver)
{
	uint64_t total, available;

	if (!meminfo("MemTotal:", &total) || !meminfo("MemAvailable:", &available))
		return;
	if (available >= total / 10)
		say("headroom", VERDICT_OK, "%s of %s are available to the system",
		    SHOW_SIZE(available), SHOW_SIZE(total));
	else
		mend(say("headroom", VERDICT_FINDING,
			 "only %s of %s are available to the system",
			 SHOW_SIZE(available), SHOW_SIZE(total)),
		     driver->usable && driver->info.free
			     ? "sudo aclkm shrink 256M"
			     : "end programs that use much memory: top -o %%MEM");
}

static void check_unit(void)
{
	bool installed = driver_exists("/lib/systemd/system/" UNIT) ||
			 driver_exists("/usr/lib/systemd/system/" UNIT) ||
			 driver_exists("/etc/systemd/system/" UNIT);
	bool enabled = driver_exists("/etc/systemd/system/sysinit.target.wants/" UNIT) ||
		       driver_exists("/etc/systemd/system/basic.target.wants/" UNIT) ||
		       driver_exists("/etc/systemd/system/multi-user.target.wants/" UNIT);

	if (!driver_exists("/run/systemd/system"))
		say("boot unit", VERDICT_NOTE, "this system does not run systemd");
	else if (!installed)
		mend(say("boot unit", VERDICT_FINDING, "%s is not installed", UNIT),
		     "sudo apt install aclkm-tools");
	else if (!enabled)
		mend(say("boot unit", VERDICT_FINDING,
			 "%s is not enabled: nothing is reserved at boot", UNIT),
		     "sudo systemctl enable %s", UNIT);
	else if (driver_exists("/etc/aclkm.conf"))
		say("boot unit", VERDICT_OK, "%s reserves by /etc/aclkm.conf", UNIT);
	else
		mend(say("boot unit", VERDICT_FINDING, "/etc/aclkm.conf is missing"),
		     "write it (man aclkm.conf), then sudo systemctl restart %s", UNIT);
}

static void check_iommu(void)
{
	struct dirent *entry;
	size_t groups = 0;
	char path[512];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/iommu_groups", driver_root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		groups += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	if (groups)
		say("IOMMU", VERDICT_OK, "on, with %zu groups", groups);
	else
		mend(say("IOMMU", VERDICT_NOTE,
			 "off: devices reach all memory, by bus addresses"),
		     "add intel_iommu=on or amd_iommu=on to the kernel's command line");
}

static void run_checks(void)
{
	struct driver driver;

	driver_look(&driver);
	check_module(&driver);
	check_secure_boot(&driver);
	doctor_check_node(&driver);
	check_group();
	check_access(&driver);
	check_memory(&driver);
	check_memlock();
	check_headroom(&driver);
	check_unit();
	check_iommu();
	driver_close(&driver);
}

static int doctor_print_json(int code, size_t findings)
{
	static const char *const words[] = {"ok", "note", "finding"};
	cJSON *root = cJSON_CreateObject(), *array, *object;
	size_t i;

	array = cJSON_AddArrayToObject(root, "checks");
	for (i = 0; i < nr_checks; i++) {
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "name", checks[i].name);
		cJSON_AddStringToObject(object, "verdict", words[checks[i].verdict]);
		cJSON_AddStringToObject(object, "found", checks[i].found);
		if (checks[i].remedy[0])
			cJSON_AddStringToObject(object, "remedy", checks[i].remedy);
		cJSON_AddItemToArray(array, object);
	}
	show_json_number(root, "findings", findings);
	return show_json(root, code);
}

static void print_check(const struct check *check)
{
	static const char *const marks[] = {"ok", "--", "!!"};
	static const enum show_colour colours[] = {SHOW_GOOD, SHOW_DIM, SHOW_BAD};

	printf("%s%s%s  %-12s  %s\n", show_colour(colours[check->verdict]),
	       marks[check->verdict], show_colour(SHOW_PLAIN), check->name, check->found);
	if (check->remedy[0])
		printf("%18s%s%s%s\n", "", show_colour(SHOW_INFO), check->remedy,
		       show_colour(SHOW_PLAIN));
}

static const struct option longs[] = {{"root", required_argument, NULL, 'r'},
				      {NULL, 0, NULL, 0}};

static int run_doctor(int argc, char **argv)
{
	size_t findings = 0, i;
	int code;

	while (command_option(&command_doctor, argc, argv) != -1)
		driver_root = optarg;
	command_no_arguments(&command_doctor, argc, argv);
	run_checks();
	for (i = 0; i < nr_checks; i++)
		findings += checks[i].verdict == VERDICT_FINDING;
	code = findings ? EXIT_FINDING : EXIT_FINE;
	if (command_json)
		return doctor_print_json(code, findings);
	for (i = 0; i < nr_checks; i++)
		print_check(&checks[i]);
	if (findings)
		printf("\n%zu finding%s; the line below each says what mends it\n",
		       findings, findings == 1 ? "" : "s");
	else
		printf("\nnothing is amiss\n");
	return code;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Look for what keeps programs from device memory, and how to mend it",
	.help = "  -r, --root DIR         look at the files below DIR in place of /\n",
	.shorts = "r:",
	.longs = longs,
	.run = run_doctor,
};
