// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [-t SECONDS] [-s SEED] [-n PROGRAMS] [-r PROGRAMS] [-i INSTRUMENTED] [-c] [-p PROGRAM]
 *
 * -r: programs between two bursts of racing threads
 * -i: how many places of the module are instrumented, to print the covered share
 * -c: print the covered places
 * -p: run the one program that a failure has printed, nothing else
 */
#include "fuzz.h"

#include <signal.h>
#include <stdarg.h>
#include <time.h>

#define GIB_EVERY 100
/* Of so many, each kind has its turn. */
#define ENOUGH_CALLS 20000

static struct world world;
static struct program running;
static unsigned int at_call;
static unsigned long programs, calls;
static uint64_t seed = 1;
/* A burst of racing threads after this many programs. */
static unsigned long race_every = 64;
struct op *current_op;
bool gib_allowed;

void wrong(const char *fmt, ...)
{
	va_list args;

	printf("# seed %llu, program %lu, call %u (%s): ", (unsigned long long)seed, programs, at_call,
	       current_op ? current_op->name : "end");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	program_print(&running, at_call);
	printf("not ok 1 - every call answers as the model says\n");
	fflush(NULL);
	_exit(1);
}

void answer(int got, int want)
{
	if (got != want)
		wrong("answered %d, should be %d", got, want);
	current_op->succeeded += !got;
}

void answer_valid(int got, bool valid)
{
	if (!got != valid)
		wrong("answered %d, should %s", got, valid ? "succeed" : "fail");
	current_op->succeeded += !got;
}

/* A touched page that is not there: a finding, not the end of the fuzzer's words. */
static void on_signal(int sig, siginfo_t *info, void *context)
{
	wrong("signal %d at address %p", sig, info->si_addr);
}

/* Whether the program reached something new. */
static bool run(const struct program *p)
{
	unsigned int new = 0;

	running = *p;
	for (at_call = 0; at_call < p->n; at_call++) {
		const struct call *c = &p->calls[at_call];

		current_op = &ops[c->op];
		current_op->ran++;
		calls++;
		kcov_begin();
		current_op->run(&world, c);
		new += kcov_end();
		world_check(&world);
	}
	current_op = NULL;
	kcov_begin();
	world_reset(&world);
	new += kcov_end();
	programs++;
	return new;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void report(bool steered, unsigned long instrumented)
{
	unsigned int i, never = 0, dead = 0;

	for (i = 0; i < nr_ops; i++) {
		never += !ops[i].ran;
		dead += ops[i].ran && !ops[i].succeeded && strcmp(ops[i].name, "unknown") &&
			strcmp(ops[i].name, "read") &&
			(ops[i].feature & world.base.features) == ops[i].feature;
		printf("# %-10s %8lu calls, %8lu succeeded\n", ops[i].name, ops[i].ran, ops[i].succeeded);
	}
	printf("ok 1 - every call answers as the model says\n");
	if ((never || dead) && calls < ENOUGH_CALLS)
		printf("ok 2 - every kind of call ran # SKIP only %lu calls in this time\n", calls);
	else
		printf("%sok 2 - every kind of call ran, and succeeded at times\n",
		       never || dead ? "not " : "");
	if (!steered)
		printf("ok 3 - reaches the module # SKIP the kernel has no KCOV\n");
	else
		printf("%sok 3 - reaches the module\n", kcov_total() > 100 ? "" : "not ");
	printf("# fuzzed: %lu calls in %lu programs, and %lu by racing threads; seed %llu, %u programs kept\n",
	       calls, programs, race_calls, (unsigned long long)seed, corpus_size());
	if (steered && instrumented)
		printf("# covered: %u of the module's %lu instrumented places, %.1f %%\n", kcov_total(),
		       instrumented, 100.0 * kcov_total() / instrumented);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	unsigned long instrumented = 0, limit = 0;
	double seconds = 10, start, shown;
	bool steered, places = false;
	struct program p;
	const char *hex = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "t:s:n:r:i:cp:")) != -1) {
		switch (opt) {
		case 't':
			seconds = atof(optarg);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			limit = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			race_every = strtoul(optarg, NULL, 0);
			break;
		case 'i':
			instrumented = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			places = true;
			break;
		case 'p':
			hex = optarg;
			break;
		default:
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..3\n");
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGSEGV, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	rnd_seed(seed);
	steered = kcov_open();
	world_init(&world);

	start = now();
	if (hex) {
		if (!program_parse(&p, hex)) {
			fprintf(stderr, "fuzz: -p wants the digits that a failure has printed\n");
			return 2;
		}
		gib_allowed = true;
		run(&p);
		limit = 1;
	}
	shown = start;
	while (now() - start < seconds && (!limit || programs < limit)) {
		corpus_next(&p);
		gib_allowed = programs % GIB_EVERY == 0;
		if (run(&p))
			corpus_keep(&p);
		if (race_every && programs % race_every == 0)
			race_burst(&world, rnd());
		if (now() - shown > 30) {
			shown = now();
			printf("# %.0f s: %lu calls, %u places, %u programs kept\n", shown - start, calls,
			       kcov_total(), corpus_size());
		}
	}
	report(steered, instrumented);
	if (places)
		kcov_print();
	return 0;
}
