// SPDX-License-Identifier: MIT
/*
 * aclkm trace: runs a program and shows what the driver does for it, from the kernel's
 * tracepoints. They are recorded in an instance of tracefs of our own, so that nobody
 * else's tracing is disturbed; only events of the program and of its children are in it.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "driver.h"
#include "run.h"
#include "show.h"

#define TRACEFS "/sys/kernel/tracing"
#define LINE_MAX_BYTES 1024

struct instance {
	char path[128];
};

static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
				      {NULL, 0, NULL, 0}};

static int instance_write(const struct instance *instance, const char *file,
			  const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", instance->path, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int instance_make(struct instance *instance)
{
	snprintf(instance->path, sizeof(instance->path), TRACEFS "/instances/aclkm-%d",
		 getpid());
	return mkdir(instance->path, 0700) ? errno : 0;
}

/* Events of the program @pid and of what it starts. */
static int instance_start(const struct instance *instance, pid_t pid)
{
	char text[16];
	int err;

	snprintf(text, sizeof(text), "%d", pid);
	err = instance_write(instance, "set_event_pid", text);
	if (!err)
		err = instance_write(instance, "options/event-fork", "1");
	if (!err)
		err = instance_write(instance, "events/aclkm/enable", "1");
	return err;
}

/**
 * struct event - one line of the trace
 * @name:	"aclkm_alloc"
 * @task:	the program's name
 * @pid:	of the thread
 * @seconds:	since boot
 * @rest:	the event's own words
 */
struct event {
	char name[64];
	char task[32];
	int pid;
	double seconds;
	const char *rest;
};

/* "     cat-123   [001] .....   12.345678: aclkm_alloc: arena=0 ..." */
static bool parse_event(char *line, struct event *event)
{
	char *dash, *bracket, *at, *end;

	line[strcspn(line, "\n")] = '\0';
	bracket = *line == '#' ? NULL : strchr(line, '[');
	if (!bracket)
		return false;
	for (dash = bracket; dash > line && *dash != '-';)
		dash--;
	if (dash == line)
		return false;
	at = line + strspn(line, " ");
	snprintf(event->task, sizeof(event->task), "%.*s", (int)(dash - at), at);
	event->pid = atoi(dash + 1);
	at = strchr(bracket, ':');
	if (!at)
		return false;
	while (at > bracket && at[-1] != ' ')
		at--;
	event->seconds = strtod(at, &end);
	if (*end != ':')
		return false;
	at = end + 1 + strspn(end + 1, " ");
	end = strchr(at, ':');
	if (!end || (size_t)(end - at) >= sizeof(event->name))
		return false;
	snprintf(event->name, sizeof(event->name), "%.*s", (int)(end - at), at);
	event->rest = end + 1 + strspn(end + 1, " ");
	return true;
}

/* Chrome's trace format, which Perfetto reads: instant events of a thread. */
static cJSON *json_event(const struct event *event)
{
	cJSON *object = cJSON_CreateObject(), *args;
	char text[32];

	cJSON_AddStringToObject(object, "name", event->name);
	cJSON_AddStringToObject(object, "cat", "aclkm");
	cJSON_AddStringToObject(object, "ph", "i");
	cJSON_AddStringToObject(object, "s", "t");
	snprintf(text, sizeof(text), "%.0f", event->seconds * 1e6);
	cJSON_AddRawToObject(object, "ts", text);
	show_json_number(object, "pid", (uint64_t)event->pid);
	show_json_number(object, "tid", (uint64_t)event->pid);
	args = cJSON_AddObjectToObject(object, "args");
	cJSON_AddStringToObject(args, "task", event->task);
	cJSON_AddStringToObject(args, "words", event->rest);
	return object;
}

static void trace_print_json(FILE *from, FILE *to)
{
	cJSON *root = cJSON_CreateObject(), *events;
	char line[LINE_MAX_BYTES], *text;
	struct event event;

	events = cJSON_AddArrayToObject(root, "traceEvents");
	while (fgets(line, sizeof(line), from))
		if (parse_event(line, &event))
			cJSON_AddItemToArray(events, json_event(&event));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	fprintf(to, "%s\n", text ? text : "{}");
	cJSON_free(text);
}

static void print_plain(FILE *from, FILE *to)
{
	char line[LINE_MAX_BYTES];
	struct event event;
	double first = -1;

	while (fgets(line, sizeof(line), from)) {
		if (!parse_event(line, &event))
			continue;
		if (first < 0)
			first = event.seconds;
		fprintf(to, "%11.6f %7d %-15s %-20s %s\n", event.seconds - first,
			event.pid, event.task,
			!strncmp(event.name, "aclkm_", 6) ? event.name + 6 : event.name,
			event.rest);
	}
}

static int write_trace(const struct instance *instance, const char *output)
{
	FILE *from, *to = output ? fopen(output, "we") : stdout;
	char path[256];
	bool failed;

	if (!to)
		return command_failed(&command_trace, "%s: %s", output, strerror(errno));
	snprintf(path, sizeof(path), "%s/trace", instance->path);
	from = fopen(path, "re");
	if (from) {
		if (command_json)
			trace_print_json(from, to);
		else
			print_plain(from, to);
		fclose(from);
	}
	failed = !from || ferror(to);
	if (output)
		failed |= fclose(to);
	return failed ? command_failed(&command_trace, "the trace: %s", strerror(errno))
		      : EXIT_FINE;
}

static int trace_refuse(int error)
{
	if (!driver_exists("/sys/module/aclkm"))
		return command_failed(&command_trace,
				      "the driver is not loaded, and only the driver has "
				      "tracepoints");
	if (error == EACCES || error == EPERM)
		return command_failed(&command_trace,
				      "tracing is for administrators; run \"sudo aclkm "
				      "trace ...\"");
	return command_failed(&command_trace, TRACEFS ": %s", strerror(error));
}

static int run_trace(int argc, char **argv)
{
	const char *output = NULL;
	struct instance instance = {.path = ""};
	int err, code, program;
	pid_t pid;

	while (command_option(&command_trace, argc, argv) != -1)
		output = optarg;
	if (optind == argc)
		command_misused(&command_trace, "names no program");
	err = driver_exists("/sys/module/aclkm") ? instance_make(&instance) : ENODEV;
	if (err)
		return trace_refuse(err);
	pid = run_begin(argv + optind);
	err = pid < 0 ? errno : instance_start(&instance, pid);
	if (err) {
		code = command_failed(&command_trace, "%s", strerror(err));
		goto remove;
	}
	program = run_finish(pid);
	instance_write(&instance, "events/aclkm/enable", "0");
	code = write_trace(&instance, output);
	if (program)
		code = command_failed(&command_trace, "the program ended with %d",
				      program);
remove:
	rmdir(instance.path);
	return code;
}

const struct command command_trace = {
	.name = "trace",
	.arguments = "[--] PROGRAM [ARGUMENT...]",
	.summary = "Run a program and show what the driver does for it (administrator)",
	.help = "  -o, --output FILE      write the trace there\n",
	.shorts = "+o:",
	.longs = longs,
	.run = run_trace,
};
