// SPDX-License-Identifier: MIT
/*
 * What is around the library stays whole: pthread keys, signals, CPUs and policies of
 * threads, cancellation, functions of the program that do not return, fork, and a setuid
 * program's environment. Each program below is this one started again with its name.
 */
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "copy/copy.h"
#include "wrong_program.h"

/* pthread keys ---------------------------------------------------------------- */

static pthread_key_t first_key;

static void *work_without_keys(void *arg)
{
	void *p;

	pthread_setspecific(first_key, arg);
	if (aclrtSetDevice(0) || aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtFree(p) || pthread_getspecific(first_key) != arg)
		exit(90);
	if (!aclrtMalloc(&p, 0, ACL_MEM_MALLOC_NORMAL_ONLY) || !recent_has("aclrtMalloc"))
		exit(91);
	return NULL;
}

static void no_keys(void)
{
	static int mine;
	pthread_key_t key;

	/* The program has all of them, key 0 as well. */
	pthread_key_create(&first_key, NULL);
	while (!pthread_key_create(&key, NULL))
		;
	in_thread(work_without_keys, &mine);
	in_thread(work_without_keys, &mine);
}

/* Signals --------------------------------------------------------------------- */

static void on_fault(int number)
{
	_exit(number == SIGSEGV || number == SIGFPE ? 7 : 91);
}

static void fault(void *at)
{
	*(volatile int *)at = 1;
}

static void raise_here(void *number)
{
	pthread_kill(pthread_self(), (int)(intptr_t)number);
}

static void run_in_stream(void (*fn)(void *arg), void *arg)
{
	aclrtStream s = new_stream();

	if (aclrtLaunchHostFunc(s, fn, arg))
		exit(92);
	aclrtSynchronizeStream(s);
	aclrtDestroyStream(s);
}

static void fault_in_task(void)
{
	signal(SIGSEGV, on_fault);
	run_in_stream(fault, (void *)8);
	exit(93);
}

static void fpe_in_task(void)
{
	signal(SIGFPE, on_fault);
	run_in_stream(raise_here, (void *)SIGFPE);
	exit(93);
}

static void note_mask(void *out)
{
	pthread_sigmask(SIG_SETMASK, NULL, out);
}

static void test_signals(void)
{
	sigset_t mask;

	run("fault_in_task", NULL);
	is(status, 7, "a fault in a host function reaches the program's handler");
	run("fpe_in_task", NULL);
	is(status, 7, "SIGFPE does, too");
	run_in_stream(note_mask, &mask);
	ok(sigismember(&mask, SIGINT) && sigismember(&mask, SIGALRM) &&
		   sigismember(&mask, SIGCHLD),
	   "the program's other signals are not for the library's threads");
	ok(!sigismember(&mask, SIGBUS) && !sigismember(&mask, SIGILL) &&
		   !sigismember(&mask, SIGTRAP) && !sigismember(&mask, SIGSYS),
	   "those of faults are");
}

/* CPUs and policies ------------------------------------------------------------ */

struct scheduled {
	cpu_set_t cpus;
	int policy;
};

static void note_scheduling(void *out)
{
	struct scheduled *scheduled = out;

	sched_getaffinity(0, sizeof(scheduled->cpus), &scheduled->cpus);
	scheduled->policy = sched_getscheduler(0);
}

static void *create_pinned(void *out)
{
	const struct sched_param param = {0};
	cpu_set_t one;
	int cpu = 0;

	while (!CPU_ISSET(cpu, &((struct scheduled *)out)->cpus))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	sched_setscheduler(0, SCHED_BATCH, &param);
	aclrtSetDevice(0);
	run_in_stream(note_scheduling, out);
	return NULL;
}

static void test_scheduling(void)
{
	struct scheduled scheduled, got;

	note_scheduling(&scheduled);
	got = scheduled;
	in_thread(create_pinned, &got);
	is(got.policy, SCHED_OTHER, "a stream's thread is an ordinary one");
	if (CPU_COUNT(&scheduled.cpus) < 2)
		skip("CPUs", "this process may use one only");
	else
		ok(CPU_EQUAL(&got.cpus, &scheduled.cpus),
		   "it runs where the process may, not where its creator is pinned");
}

/* Cancellation ------------------------------------------------------------------ */

static void *cancelled_in_destroy(void *arg)
{
	aclrtStream s;

	aclrtSetDevice(0);
	s = new_stream();
	aclrtLaunchHostFunc(s, note_mask, &(sigset_t){0});
	pthread_cancel(pthread_self());
	aclrtDestroyStream(s);
	*(int *)arg = 1;
	pthread_testcancel();
	return NULL;
}

static pthread_t caller;

static void slow_part(void *arg, size_t part)
{
	(void)arg;
	(void)part;
	usleep(pthread_equal(pthread_self(), caller) ? 1 : 20000);
}

static void *cancelled_in_copy(void *arg)
{
	int before;

	caller = pthread_self();
	/* The parts themselves are no place to end, here. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	crew_run(slow_part, NULL, 4);
	pthread_setcancelstate(before, NULL);
	pthread_cancel(pthread_self());
	crew_run(slow_part, NULL, 64);
	*(int *)arg = 1;
	pthread_testcancel();
	return NULL;
}

static void test_cancellation(void)
{
	int returned = 0;

	in_thread(cancelled_in_destroy, &returned);
	is(returned, 1, "a cancelled thread first ends its call: a stream is destroyed");
	returned = 0;
	crew_set_size(2);
	in_thread(cancelled_in_copy, &returned);
	is(returned, 1, "a copy of several threads ends");
	ok(crew_run(slow_part, NULL, 2), "and leaves no lock behind");
}

/* Functions that do not return --------------------------------------------------- */

static _Atomic int calls;

static void leave_thread(void *arg)
{
	(void)arg;
	calls++;
	pthread_exit(NULL);
}

static void count_call(void *arg)
{
	(void)arg;
	calls++;
}

static void *process_one(void *arg)
{
	aclrtProcessReport(-1);
	return arg;
}

static void exits_in_tasks(void)
{
	aclrtStream s = new_stream();
	pthread_t thread;
	int i;

	/* A stream that stands is a failure, not a wait. */
	alarm(20);
	for (i = 0; i < 3; i++) {
		if (aclrtLaunchHostFunc(s, leave_thread, NULL) ||
		    aclrtLaunchHostFunc(s, count_call, NULL) || aclrtSynchronizeStream(s))
			exit(90);
	}
	if (calls != 6)
		exit(91);
	if (pthread_create(&thread, NULL, process_one, NULL) ||
	    aclrtSubscribeReport((uint64_t)thread, s) ||
	    aclrtLaunchCallback(leave_thread, NULL, ACL_CALLBACK_BLOCK, s) ||
	    aclrtSynchronizeStream(s) || pthread_join(thread, NULL) || calls != 7)
		exit(92);
	aclrtUnSubscribeReport((uint64_t)thread, s);
	if (aclrtDestroyStream(s) || aclrtResetDevice(0))
		exit(93);
}

/* Another thread's reset ---------------------------------------------------------- */

static _Atomic int stop, wrong;

static void *uses_device_1(void *arg)
{
	aclrtPtrAttributes attributes;
	aclrtStream s;
	void *p;

	while (!stop) {
		aclrtSetDevice(1);
		if (!aclrtMallocHost(&p, 100))
			aclrtFreeHost(p);
		aclrtCtxGetCurrentDefaultStream(&s);
		if (!aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY)) {
			if (!aclrtPointerGetAttributes(p, &attributes))
				wrong += attributes.location.id != 1;
			aclrtFree(p);
		}
		aclrtSynchronizeStream(NULL);
	}
	return arg;
}

static void *resets_device_1(void *arg)
{
	while (!stop) {
		aclrtSetDevice(1);
		aclrtResetDeviceForce(1);
	}
	return arg;
}

static void reset_by_others(void)
{
	pthread_t user, resetter;

	if (pthread_create(&user, NULL, uses_device_1, NULL) ||
	    pthread_create(&resetter, NULL, resets_device_1, NULL))
		exit(90);
	usleep(700000);
	stop = 1;
	pthread_join(user, NULL);
	pthread_join(resetter, NULL);
	if (wrong)
		exit(91);
}

/* fork ---------------------------------------------------------------------------- */

static void *churn(void *arg)
{
	void *p, *q;

	aclrtSetDevice(0);
	while (!stop) {
		if (!aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY) &&
		    !aclrtMalloc(&q, 3 * MIB, ACL_MEM_MALLOC_HUGE_FIRST))
			aclrtFree(q);
		aclrtFree(p);
		aclrtFree(arg);
		aclGetRecentErrMsg();
	}
	return arg;
}

/* The calls of the child are refused, and its end is its own: none hangs. */
static void child(void *keep)
{
	void *p;

	alarm(20);
	if (!aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY) || !aclrtFree(keep) ||
	    !recent_has("exec"))
		_exit(90);
	pthread_exit(NULL);
}

static void forks(void)
{
	pthread_t threads[2];
	void *keep = device(1000);
	int i, ended;
	pid_t pid;

	aclrtSetExceptionInfoCallback(NULL);
	for (i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, churn, NULL))
			exit(91);
	}
	for (i = 0; i < 40; i++) {
		pid = fork();
		if (!pid)
			child(keep);
		if (pid < 0 || waitpid(pid, &ended, 0) != pid || ended)
			exit(92);
	}
	stop = 1;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	aclrtFree(keep);
}

/* A setuid program ------------------------------------------------------------------ */

static void secure(void)
{
	/* No set-user-ID here: the file system or a sandbox forbids it. */
	if (!getauxval(AT_SECURE))
		exit(77);
	if (strcmp(aclrtGetSocName(), "Ascend910B3"))
		exit(90);
	device(100);
}

static bool copy_file(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	return !system(command);
}

/* As somebody else, with an environment that asks for a file to be written. */
static void run_setuid(const char *program, const char *log)
{
	char list[300];
	pid_t pid = fork();

	if (!pid) {
		snprintf(list, sizeof(list), "leak,log=%s", log);
		setenv("ACLKM_CHECK", list, 1);
		setenv("ACLKM_SOC_NAME", "Other", 1);
		if (setgid(65534) || setuid(65534))
			_exit(127);
		execl(program, "setuid", "secure", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void test_setuid(void)
{
	char dir[] = "/tmp/aclkm-setuid-XXXXXX", program[64], log[64], own[256];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (geteuid() || n <= 0 || !mkdtemp(dir)) {
		skip("setuid", "only root can make such a program");
		return;
	}
	own[n] = '\0';
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	if (chmod(dir, 0777) || !copy_file(own, program) || chmod(program, 04755))
		bail_out("no setuid program");
	run_setuid(program, log);
	if (status == 77 || status == 127)
		skip("setuid", "not honoured here");
	else
		is(status, 0, "a setuid program obeys no environment");
	ok(access(log, F_OK), "and writes no file that its user names");
	unlink(program);
	unlink(log);
	rmdir(dir);
}

static const struct program programs[] = {
	{"no_keys", no_keys},
	{"fault_in_task", fault_in_task},
	{"fpe_in_task", fpe_in_task},
	{"exits_in_tasks", exits_in_tasks},
	{"reset_by_others", reset_by_others},
	{"forks", forks},
	{"secure", secure},
};

static void ends_well(const char *name, const char *what)
{
	run(name, NULL);
	if (!is(status, 0, "%s", what))
		show();
	run(name, "all");
	if (!is(status, 0, "%s, with checks", what))
		show();
}

int main(int argc, char **argv)
{
	small_device();
	/* What has no key or no thread left cannot be told to a sanitizer. */
	without_guard();
	if (argc == 2 && !strcmp(argv[1], "reset_by_others"))
		setenv("ACLKM_DEVICES", "2", 1);
	if (argc == 2)
		return run_program(programs, sizeof(programs) / sizeof(programs[0]),
				   argv[1]);
	ends_well("no_keys", "a program with all pthread keys keeps them, and has texts");
	ends_well("exits_in_tasks", "functions that end their thread end no stream");
	ends_well("reset_by_others", "another thread's reset is an error, not a crash");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip("fork", "the sanitizer's own locks may be held in a child");
	(void)forks;
#else
	ends_well("forks", "forked children are refused, and end");
#endif
	need_device();
	test_signals();
	test_scheduling();
	test_cancellation();
	test_setuid();
	return done_testing();
}
