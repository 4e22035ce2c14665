/* SPDX-License-Identifier: MIT */
/* Running the program of the user, for `check` and `trace`. */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include <sys/types.h>

/* Starts a program in a stopped child, which run_finish() lets go; -1: errno tells. */
pid_t run_begin(char **argv);

/*
 * Lets the child go and waits for it, while SIGINT and SIGQUIT are for the child alone.
 * Returns its exit code, or 128 and the signal that ended it, as shells do.
 */
int run_finish(pid_t pid);

#endif /* CMD_RUN_H */
