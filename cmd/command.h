/* SPDX-License-Identifier: MIT */
/*
 * Declarations that the commands of `aclkm` share: the table that main() dispatches by,
 * the common options, the exit codes. Each command lives in a file of its own and offers
 * one struct command.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include <getopt.h>
#include <stdbool.h>

enum exit_code {
	EXIT_FINE = 0,
	EXIT_FINDING = 1, /* the command ran, and found or met something amiss */
	EXIT_USAGE = 2,	  /* a wrong option or argument; nothing was done */
};

/**
 * struct command - one word after "aclkm"
 * @name:	the word
 * @arguments:	behind the options, for the usage line
 * @summary:	one line for the list of commands
 * @help:	the command's own options, one a line
 * @shorts:	of getopt_long, for the command's own options; "+" in front: what follows
 *		the first argument is left alone
 * @longs:	likewise, with an empty last entry; or NULL
 * @run:	argc and argv begin with the command's name; returns enum exit_code
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	const char *shorts;
	const struct option *longs;
	int (*run)(int argc, char **argv);
};

extern const struct command command_alloc, command_bench, command_check, command_doctor,
	command_grow, command_info, command_map, command_shrink, command_top,
	command_trace;

/* --json was given: standard output gets one JSON value and nothing else. */
extern bool command_json;

/*
 * The next option of the command's own, or -1 after the last. Handles --json and
 * --help. A wrong option ends the program with EXIT_USAGE.
 */
int command_option(const struct command *command, int argc, char **argv);

/* Ends the program with EXIT_USAGE after a message that names the command. */
__attribute__((noreturn, format(printf, 2, 3))) void
command_misused(const struct command *command, const char *format, ...);

/* Refuses what is left of @argv behind the options. */
void command_no_arguments(const struct command *command, int argc, char **argv);

/* A message on standard error that begins with the command; returns EXIT_FINDING. */
__attribute__((format(printf, 2, 3))) int command_failed(const struct command *command,
							 const char *format, ...);

#endif /* CMD_COMMAND_H */
