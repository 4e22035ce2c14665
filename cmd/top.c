// SPDX-License-Identifier: MIT
/*
 * aclkm top: the processes that use the driver, redrawn, with how fast their memory grows
 * or shrinks. On a terminal, q ends it; elsewhere it prints one sample after the other.
 */
#include <cjson/cJSON.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "driver.h"
#include "show.h"
#include "users.h"

#define DEFAULT_DELAY 1.0
#define BAR 40

struct sample {
	struct user *users;
	size_t nr_users;
	size_t hidden;
	double at; /* seconds */
};

static struct termios terminal;
static bool terminal_changed;

static void terminal_restore(void)
{
	if (terminal_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	terminal_changed = false;
}

static void terminal_end(int number)
{
	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
}

/* Keys come at once and are not shown, until the command ends. */
static void terminal_raw(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal))
		return;
	raw = terminal;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	terminal_changed = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	signal(SIGINT, terminal_end);
	signal(SIGTERM, terminal_end);
}

/* Waits; true: the user wants to end. */
static bool wait_for_key(double seconds)
{
	struct pollfd input = {.fd = terminal_changed ? STDIN_FILENO : -1,
			       .events = POLLIN};
	char key = 0;

	if (poll(&input, 1, (int)(seconds * 1000)) <= 0)
		return false;
	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

static void take_sample(struct sample *sample)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	sample->users = users_find(&sample->nr_users, &sample->hidden);
}

/* Bytes a second that a process has gained since the sample before; 0 if it is new. */
static double rate(const struct sample *before, const struct sample *now,
		   const struct user *user)
{
	size_t i;

	for (i = 0; i < before->nr_users; i++)
		if (before->users[i].pid == user->pid)
			return ((double)user->allocated -
				(double)before->users[i].allocated) /
			       (now->at - before->at);
	return 0;
}

static void rate_text(double bytes, char *text, size_t room)
{
	if (bytes > -1 && bytes < 1)
		snprintf(text, room, "0");
	else
		snprintf(text, room, "%c%s/s", bytes < 0 ? '-' : '+',
			 SHOW_SIZE((uint64_t)(bytes < 0 ? -bytes : bytes)));
}

static void top_print_head(const struct driver *driver)
{
	const struct aclkm_info *info = &driver->info;
	char bar[256];

	show_bar(bar, sizeof(bar), BAR, info->total - info->free, info->total);
	printf("%s %s of %s\n", bar, SHOW_SIZE(info->total - info->free),
	       SHOW_SIZE(info->total));
	printf("regions %llu  held %s  pinned %s  to be cleared %s\n\n",
	       (unsigned long long)info->nr_regions, SHOW_SIZE(info->held),
	       SHOW_SIZE(info->pinned), SHOW_SIZE(info->free - info->clean));
}

static void print_sample(const struct driver *driver, const struct sample *before,
			 const struct sample *now)
{
	char name[64], change[32];
	size_t i;

	top_print_head(driver);
	printf("%s%7s %-10s %-15s %8s %10s %12s %10s%s\n", show_colour(SHOW_BOLD), "PID",
	       "User", "Program", "Handles", "Allocated", "Change", "Pinned",
	       show_colour(SHOW_PLAIN));
	for (i = 0; i < now->nr_users; i++) {
		const struct user *user = &now->users[i];

		rate_text(rate(before, now, user), change, sizeof(change));
		printf("%7d %-10.10s %-15.15s %8llu %10s %12s %10s\n", user->pid,
		       users_name(user->uid, name, sizeof(name)), user->name,
		       (unsigned long long)user->handles, SHOW_SIZE(user->allocated),
		       change, SHOW_SIZE(user->pinned));
	}
	if (now->hidden)
		printf("%s%zu processes of other users are not shown%s\n",
		       show_colour(SHOW_DIM), now->hidden, show_colour(SHOW_PLAIN));
}

static void top_print_json(const struct driver *driver, const struct sample *before,
			   const struct sample *now)
{
	cJSON *root = cJSON_CreateObject(), *array, *object;
	char *text;
	size_t i;

	show_json_number(root, "total", driver->info.total);
	show_json_number(root, "free", driver->info.free);
	array = cJSON_AddArrayToObject(root, "users");
	for (i = 0; i < now->nr_users; i++) {
		const struct user *user = &now->users[i];

		object = cJSON_CreateObject();
		show_json_number(object, "pid", (uint64_t)user->pid);
		show_json_number(object, "uid", user->uid);
		cJSON_AddStringToObject(object, "program", user->name);
		show_json_number(object, "handles", user->handles);
		show_json_number(object, "allocated", user->allocated);
		show_json_number(object, "imported", user->imported);
		show_json_number(object, "pinned", user->pinned);
		cJSON_AddNumberToObject(object, "allocated_per_second",
					rate(before, now, user));
		cJSON_AddItemToArray(array, object);
	}
	/* One line a sample, so that a reader can take them as they come. */
	text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	puts(text ? text : "null");
	cJSON_free(text);
}

static int watch(double delay, unsigned long count)
{
	struct sample before = {0}, now;
	bool redraw = show_is_terminal() && !command_json;
	struct driver driver;
	char why[512];
	int code = EXIT_FINE;

	if (redraw)
		terminal_raw();
	for (;;) {
		driver_look(&driver);
		if (!driver.usable) {
			driver_reason(&driver, why, sizeof(why));
			driver_close(&driver);
			code = command_failed(&command_top, "%s", why);
			break;
		}
		take_sample(&now);
		if (redraw)
			fputs("\033[H\033[J", stdout);
		if (command_json)
			top_print_json(&driver, &before, &now);
		else
			print_sample(&driver, &before, &now);
		fflush(stdout);
		driver_close(&driver);
		free(before.users);
		before = now;
		if ((count && !--count) || ferror(stdout) || wait_for_key(delay))
			break;
	}
	terminal_restore();
	free(before.users);
	return code;
}

static const struct option longs[] = {{"delay", required_argument, NULL, 'd'},
				      {"count", required_argument, NULL, 'n'},
				      {NULL, 0, NULL, 0}};

static int run_top(int argc, char **argv)
{
	/* For a file or a pipe one sample is enough, unless more are asked for. */
	unsigned long count = show_is_terminal() ? 0 : 1;
	double delay = DEFAULT_DELAY;
	char *end;
	int option;

	while ((option = command_option(&command_top, argc, argv)) != -1) {
		if (option == 'd') {
			delay = strtod(optarg, &end);
			if (!*optarg || *end || !(delay >= 0.1 && delay <= 3600))
				command_misused(
					&command_top,
					"the delay \"%s\" is not 0.1 to 3600 seconds",
					optarg);
		} else {
			count = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end)
				command_misused(&command_top,
						"\"%s\" is no number of samples", optarg);
		}
	}
	command_no_arguments(&command_top, argc, argv);
	return watch(delay, count);
}

const struct command command_top = {
	.name = "top",
	.arguments = "",
	.summary = "Watch the processes that use the driver",
	.help = "  -d, --delay SECONDS    between two samples; 1 if not given\n"
		"  -n, --count N          end after N samples; 0: never\n",
	.shorts = "d:n:",
	.longs = longs,
	.run = run_top,
};
