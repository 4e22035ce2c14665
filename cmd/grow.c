// SPDX-License-Identifier: MIT
/*
 * aclkm grow, aclkm shrink: an administrator changes how much memory is reserved. The
 * kernel does the work inside one write() to a file of sysfs, which may take minutes. A
 * thread makes that call; this one shows how far the kernel has come.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "driver.h"
#include "show.h"

#define SIZE_2M (2ULL << 20)
#define BAR 40
#define SPEC_MAX 1024

struct change {
	const char *file; /* of DRIVER_SYSFS */
	char text[SPEC_MAX];
	int error;
	atomic_bool done;
};

static void *write_change(void *arg)
{
	struct change *change = arg;
	ssize_t len = (ssize_t)strlen(change->text);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), DRIVER_SYSFS "%s", change->file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, change->text, (size_t)len) != len)
		change->error = errno;
	if (fd >= 0)
		close(fd);
	atomic_store(&change->done, true);
	return NULL;
}

/* What the driver says in the kernel's log from now on; -1: no right to read it. */
static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* The driver's last line since open_log(), without what the kernel puts before it. */
static void grow_read_log(int fd, char *last, size_t room)
{
	char record[2048], *text, *end;
	ssize_t len;

	last[0] = '\0';
	if (fd < 0)
		return;
	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len <= 0)
			continue;
		record[len] = '\0';
		text = strstr(record, ";aclkm: ");
		if (!text)
			continue;
		text += strlen(";aclkm: ");
		end = strchr(text, '\n');
		if (end)
			*end = '\0';
		snprintf(last, room, "%s", text);
	}
	close(fd);
}

static uint64_t distance(uint64_t before, uint64_t now)
{
	return now > before ? now - before : before - now;
}

/* Runs the change and shows how many of @wanted bytes have moved; returns how many. */
static uint64_t run_change(struct change *change, const char *verb, uint64_t wanted)
{
	uint64_t before = 0, now = 0, moved;
	pthread_t thread;
	char bar[256];

	driver_number("total", &before);
	if (pthread_create(&thread, NULL, write_change, change)) {
		change->error = EAGAIN;
		return 0;
	}
	while (!atomic_load(&change->done)) {
		usleep(100 * 1000);
		driver_number("total", &now);
		moved = distance(before, now);
		show_bar(bar, sizeof(bar), BAR, moved, wanted);
		show_status("%s %s %s of %s", verb, bar, SHOW_SIZE(moved),
			    SHOW_SIZE(wanted));
	}
	pthread_join(thread, NULL);
	show_status("%s", "");
	driver_number("total", &now);
	return distance(before, now);
}

static int explain(const struct command *command, int error, const char *log)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
		return command_failed(command, "the driver is not loaded: run \"sudo "
					       "modprobe aclkm\", then try again");
	case EACCES:
	case EPERM:
		return command_failed(command,
				      "permission denied: only an administrator may do "
				      "this; run \"sudo aclkm %s ...\"",
				      command->name);
	case ENOMEM:
		return command_failed(command, "no memory could be reserved%s%s",
				      *log ? ": " : "", log);
	case EBUSY:
		return command_failed(command,
				      "nothing could be given back: no memory is free at "
				      "an arena's end; aclkm map shows what lies there");
	case EINTR:
		return command_failed(command, "interrupted%s%s", *log ? ": " : "", log);
	default:
		return command_failed(command, "the driver refused it: %s%s%s",
				      strerror(error), *log ? ": " : "", log);
	}
}

static int grow_report(const struct command *command, const char *verb,
		       struct change *change, uint64_t wanted)
{
	uint64_t got, total = 0, free = 0;
	int fd = open_log(), code = EXIT_FINE;
	char log[512];
	cJSON *root;

	got = run_change(change, verb, wanted);
	grow_read_log(fd, log, sizeof(log));
	if (change->error)
		code = explain(command, change->error, log);
	else if (got < wanted)
		code = EXIT_FINDING;
	driver_number("total", &total);
	driver_number("free", &free);
	if (command_json) {
		root = cJSON_CreateObject();
		show_json_number(root, "wanted", wanted);
		show_json_number(root, "got", got);
		show_json_number(root, "total", total);
		show_json_number(root, "free", free);
		cJSON_AddStringToObject(root, "log", log);
		return show_json(root, code);
	}
	if (change->error)
		return code;
	printf("%s %s of %s; the arenas now have %s, of which %s are free\n", verb,
	       SHOW_SIZE(got), SHOW_SIZE(wanted), SHOW_SIZE(total), SHOW_SIZE(free));
	if (got < wanted && *log)
		printf("the driver says: %s\n", log);
	return code;
}

static void check_page(const char *page)
{
	if (strcmp(page, "2M") && strcmp(page, "1G"))
		command_misused(&command_grow, "the page size %s is not 2M or 1G", page);
}

static void grow_check_node(const char *node)
{
	if (!*node || strspn(node, "0123456789") != strlen(node) || strlen(node) > 4)
		command_misused(&command_grow, "\"%s\" is no number of a NUMA node",
				node);
}

/* The words behind the size of an item: PAGE, then NODE, and force at the end. */
static void check_words(char *words)
{
	unsigned int n = 0;
	char *word;

	while ((word = strsep(&words, ":"))) {
		if (!strcmp(word, "force") && !words)
			return;
		if (n == 0)
			check_page(word);
		else if (n == 1)
			grow_check_node(word);
		else
			command_misused(&command_grow,
					"\"%s\" is too much: SIZE:PAGE:NODE:force is all",
					word);
		n++;
	}
}

/* Adds up the sizes of SIZE[:PAGE[:NODE]][:force][,...], and checks each item. */
static uint64_t sum_spec(const char *spec)
{
	char copy[SPEC_MAX], *item, *rest = copy, *size;
	uint64_t bytes, sum = 0;

	snprintf(copy, sizeof(copy), "%s", spec);
	while ((item = strsep(&rest, ","))) {
		size = strsep(&item, ":");
		if (!show_parse_size(size, &bytes))
			command_misused(&command_grow,
					"\"%s\" is no size: digits, then nothing or K, "
					"M, G, T",
					size);
		if (!bytes || bytes % SIZE_2M)
			command_misused(&command_grow,
					"the size %s is not a multiple of 2M above 0",
					size);
		if (item)
			check_words(item);
		sum += bytes;
	}
	return sum;
}

static const struct option grow_longs[] = {{"page", required_argument, NULL, 'p'},
					   {"node", required_argument, NULL, 'n'},
					   {"force", no_argument, NULL, 'f'},
					   {NULL, 0, NULL, 0}};

static int run_grow(int argc, char **argv)
{
	const char *page = NULL, *node = NULL, *spec;
	struct change change = {.file = "grow"};
	bool force = false;
	uint64_t wanted;
	int option;

	while ((option = command_option(&command_grow, argc, argv)) != -1) {
		switch (option) {
		case 'p':
			page = optarg;
			check_page(page);
			break;
		case 'n':
			node = optarg;
			grow_check_node(node);
			break;
		case 'f':
			force = true;
			break;
		}
	}
	if (optind + 1 != argc)
		command_misused(&command_grow, "takes one size, such as 1G");
	spec = argv[optind];
	if (strlen(spec) + 32 > SPEC_MAX)
		command_misused(&command_grow, "the size is longer than %d characters",
				SPEC_MAX - 32);
	if ((page || node || force) && strpbrk(spec, ":,"))
		command_misused(&command_grow,
				"--page, --node and --force go with a plain size");
	wanted = sum_spec(spec);
	snprintf(change.text, sizeof(change.text), "%s%s%s%s%s%s", spec,
		 page || node ? ":" : "", page ? page : (node ? "2M" : ""),
		 node ? ":" : "", node ? node : "", force ? ":force" : "");
	return grow_report(&command_grow, "reserved", &change, wanted);
}

static int run_shrink(int argc, char **argv)
{
	struct change change = {.file = "shrink"};
	uint64_t bytes = 0;

	command_option(&command_shrink, argc, argv);
	if (optind + 1 != argc)
		command_misused(&command_shrink,
				"takes one size, such as 512M, or the word all");
	if (!strcmp(argv[optind], "all")) {
		driver_number("free", &bytes);
		bytes -= bytes % SIZE_2M;
		if (!bytes && driver_exists(DRIVER_SYSFS))
			return explain(&command_shrink, EBUSY, "");
	} else if (!show_parse_size(argv[optind], &bytes)) {
		command_misused(&command_shrink,
				"\"%s\" is no size: digits, then nothing or K, M, G, T",
				argv[optind]);
	} else if (!bytes || bytes % SIZE_2M) {
		command_misused(&command_shrink,
				"the size %s is not a multiple of 2M above 0",
				argv[optind]);
	}
	snprintf(change.text, sizeof(change.text), "%llu", (unsigned long long)bytes);
	return grow_report(&command_shrink, "gave back", &change, bytes);
}

const struct command command_grow = {
	.name = "grow",
	.arguments = "SIZE[:PAGE[:NODE]][:force][,...]",
	.summary = "Reserve more memory (administrator)",
	.help = "  -p, --page 2M|1G       alignment of the arena\n"
		"  -n, --node NODE        NUMA node; any if not given\n"
		"  -f, --force            also of the tenth that is kept for the "
		"kernel\n",
	.shorts = "p:n:f",
	.longs = grow_longs,
	.run = run_grow,
};

const struct command command_shrink = {
	.name = "shrink",
	.arguments = "SIZE|all",
	.summary = "Give free memory back to the kernel (administrator)",
	.help = "",
	.shorts = "",
	.run = run_shrink,
};
