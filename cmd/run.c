// SPDX-License-Identifier: MIT
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child waits for a byte, so that the parent can prepare what follows its number. */
static int gate = -1;

pid_t run_begin(char **argv)
{
	int ends[2], error;
	char byte;
	pid_t pid;

	if (pipe(ends))
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid) {
		error = errno;
		close(ends[0]);
		gate = ends[1];
		errno = error;
		return pid;
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		_exit(125);
	close(ends[0]);
	execvp(argv[0], argv);
	fprintf(stderr, "aclkm: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int run_finish(pid_t pid)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
	int status;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	if (write(gate, "g", 1) != 1)
		kill(pid, SIGKILL);
	close(gate);
	while (waitpid(pid, &status, 0) != pid && errno == EINTR)
		;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
