// SPDX-License-Identifier: MIT
/*
 * aclkm: looks at the driver and the library, and lets an administrator change how much
 * memory is reserved. This file finds the command and parses the options that all have.
 */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclkm/aclkm.h"
#include "command.h"

static const struct command *const commands[] = {
	&command_info,	&command_map,	&command_top,	&command_doctor, &command_alloc,
	&command_bench, &command_check, &command_trace, &command_grow,	 &command_shrink,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))
#define MAX_OPTIONS 16

bool command_json;

static void print_commands(FILE *to)
{
	size_t i;

	fprintf(to, "usage: aclkm COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to,
		"\n"
		"Each command takes --json and --help, and exits with 0, with 1 if it\n"
		"found something amiss, with 2 if it was called wrongly.\n"
		"aclkm --version prints the version.\n");
}

static void main_print_usage(const struct command *command, FILE *to)
{
	fprintf(to, "usage: aclkm %s [OPTION...]%s%s\n", command->name,
		*command->arguments ? " " : "", command->arguments);
}

static void print_help(const struct command *command)
{
	main_print_usage(command, stdout);
	printf("\n%s.\n\noptions:\n%s", command->summary, command->help);
	printf("  -j, --json             print JSON\n"
	       "  -h, --help             print this text\n"
	       "\nThe manual page aclkm-%s(1) has the details.\n",
	       command->name);
}

void command_misused(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "aclkm %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	main_print_usage(command, stderr);
	exit(EXIT_USAGE);
}

int command_failed(const struct command *command, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "aclkm %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FINDING;
}

int command_option(const struct command *command, int argc, char **argv)
{
	static const struct option common[] = {{"json", no_argument, NULL, 'j'},
					       {"help", no_argument, NULL, 'h'},
					       {NULL, 0, NULL, 0}};
	struct option longs[MAX_OPTIONS];
	char shorts[64], name[32];
	size_t n = 0, i;
	int option;

	for (i = 0; command->longs && command->longs[i].name; i++)
		longs[n++] = command->longs[i];
	memcpy(longs + n, common, sizeof(common));
	/* "+": what follows the first argument belongs to a program that is to be run. */
	snprintf(shorts, sizeof(shorts), "%sjh%s", *command->shorts == '+' ? "+" : "",
		 command->shorts + (*command->shorts == '+'));
	/* getopt_long() begins its messages with this word. */
	snprintf(name, sizeof(name), "aclkm %s", command->name);
	argv[0] = name;
	option = getopt_long(argc, argv, shorts, longs, NULL);
	argv[0] = (char *)command->name;
	switch (option) {
	case 'j':
		command_json = true;
		return command_option(command, argc, argv);
	case 'h':
		print_help(command);
		exit(EXIT_FINE);
	case '?':
		main_print_usage(command, stderr);
		exit(EXIT_USAGE);
	default:
		return option;
	}
}

void command_no_arguments(const struct command *command, int argc, char **argv)
{
	if (optind < argc)
		command_misused(command, "takes no argument, but got \"%s\"",
				argv[optind]);
}

/* What a full disk or a closed pipe did to the output is found at the end. */
static int finish(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		perror("aclkm: standard output");
		return EXIT_FINDING;
	}
	return code;
}

int main(int argc, char **argv)
{
	size_t i;

	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_commands(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("aclkm %s\n", ACLKM_VERSION);
		return finish(EXIT_FINE);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_commands(stdout);
		return finish(EXIT_FINE);
	}
	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return finish(commands[i]->run(argc - 1, argv + 1));
	fprintf(stderr, "aclkm: there is no command \"%s\"; aclkm --help lists them\n",
		argv[1]);
	return EXIT_USAGE;
}
