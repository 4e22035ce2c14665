// SPDX-License-Identifier: MIT
/* Each environment variable, good values and bad, in a process of its own. */
#include "client.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a fresh process sees; it goes through a pipe as it is. */
struct seen {
	int init, set, run_mode_code, run_mode;
	int strange_policy, unaligned, native;
	uint32_t devices;
	char soc[32];
	unsigned long long align, ruled, total;
	unsigned long long cpus; /* that a stream's thread may use, the first 64 */
	char backend[8];
	char text[512];
};

static void look_at_memory(struct seen *seen)
{
	struct aclkm_memory_totals totals;
	struct aclkm_memory_info info;
	unsigned char *p[8];
	uint64_t together = 0;
	size_t i;

	for (i = 0; i < 8; i++) {
		if (aclrtMalloc((void **)&p[i], 100, ACL_MEM_MALLOC_NORMAL_ONLY))
			return;
		together |= (uint64_t)(uintptr_t)p[i];
	}
	aclkm_memory_query(p[0], &info);
	aclkm_memory_totals(&totals);
	/* The alignment that all eight have. */
	seen->align = together & (~together + 1);
	seen->ruled = info.ruled;
	seen->total = totals.total;
	snprintf(seen->backend, sizeof(seen->backend), "%s", totals.backend);
	seen->unaligned =
		aclrtMemcpyAsync(p[0], 10, p[1] + 1, 10, ACL_MEMCPY_DEFAULT, NULL);
	if (seen->unaligned)
		snprintf(seen->text, sizeof(seen->text), "%s", aclGetRecentErrMsg());
	aclrtSynchronizeStream(NULL);
	seen->strange_policy = aclrtMalloc((void **)&p[0], 100, (aclrtMemMallocPolicy)77);
}

static void note_cpus(void *out)
{
	cpu_set_t set;
	int cpu;

	sched_getaffinity(0, sizeof(set), &set);
	for (cpu = 0; cpu < 64; cpu++)
		*(unsigned long long *)out |= (unsigned long long)!!CPU_ISSET(cpu, &set)
					      << cpu;
}

static int probe(void)
{
	struct seen seen = {0};
	aclrtRunMode mode = (aclrtRunMode)9;
	const char *text;
	void *p;

	seen.init = aclInit(NULL);
	text = aclGetRecentErrMsg();
	if (text)
		snprintf(seen.text, sizeof(seen.text), "%s", text);
	seen.set = aclrtSetDevice(0);
	text = aclGetRecentErrMsg();
	if (text && !seen.text[0])
		snprintf(seen.text, sizeof(seen.text), "%s", text);
	seen.run_mode_code = aclrtGetRunMode(&mode);
	seen.run_mode = (int)mode;
	aclrtGetDeviceCount(&seen.devices);
	snprintf(seen.soc, sizeof(seen.soc), "%s", aclrtGetSocName());
	seen.native = aclkm_memory_alloc(100, 0, ACLKM_PAGES_NORMAL, &p);
	if (!seen.set)
		look_at_memory(&seen);
	if (!seen.set && !aclrtLaunchHostFunc(NULL, note_cpus, &seen.cpus))
		aclrtSynchronizeStream(NULL);
	return fwrite(&seen, sizeof(seen), 1, stdout) != 1;
}

static void exec_probe(int out)
{
	dup2(out, STDOUT_FILENO);
	execl("/proc/self/exe", "test_env", "probe", (char *)NULL);
	_exit(127);
}

/* Runs the probe with one variable more, or none when @name is NULL. */
static struct seen with(const char *name, const char *value)
{
	struct seen seen = {.init = -1};
	int pipes[2], status;
	FILE *in;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes))
		bail_out("no pipe");
	pid = fork();
	if (pid < 0)
		bail_out("no process");
	if (pid == 0) {
		if (name)
			setenv(name, value, 1);
		exec_probe(pipes[1]);
	}
	close(pipes[1]);
	in = fdopen(pipes[0], "r");
	if (!in || fread(&seen, sizeof(seen), 1, in) != 1)
		bail_out("the probe says nothing");
	fclose(in);
	waitpid(pid, &status, 0);
	is(status, 0, "%s=%s: the probe ends well", name ? name : "nothing",
	   name ? value : "");
	return seen;
}

static void refused(const char *name, const char *value)
{
	struct seen seen = with(name, value);
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "\"%s\"", value);
	is(seen.init, 100000, "%s=%s: aclInit refuses", name, value);
	is(seen.set, 100000, "%s=%s: aclrtSetDevice refuses", name, value);
	is(seen.native, ACLKM_ERR_CONFIG, "%s=%s: so does the native call", name, value);
	is(seen.run_mode_code, 100000, "%s=%s: and the run mode", name, value);
	ok(strstr(seen.text, name) && strstr(seen.text, quoted) &&
		   strstr(seen.text, "must be"),
	   "%s=%s: the text has name, value and rule", name, value);
}

static void test_defaults(void)
{
	struct seen seen = with(NULL, NULL);

	is(seen.init, 0, "default: aclInit");
	is(seen.set, 0, "default: aclrtSetDevice");
	is(seen.align, 512, "default: alignment 512");
	is(seen.ruled, 160, "default: 100 bytes take 160");
	is(seen.run_mode, ACL_HOST, "default: the host's run mode");
	is(seen.strange_policy, 0, "default: any policy");
	is(seen.unaligned, 0, "default: unaligned copies");
	is(seen.total, 48 * MIB, "default: ACLKM_MEM of this test");
}

static void test_alignment(void)
{
	static const char *const bad[] = {"0",	 "32",	"96", "-64", "",
					  "abc", "64x", "4G", " 64"};
	size_t i;

	is(with("ACLKM_ALIGN", "64").align, 64, "ACLKM_ALIGN=64");
	ok(with("ACLKM_ALIGN", "128").align >= 128, "ACLKM_ALIGN=128");
	ok(with("ACLKM_ALIGN", "4096").align >= 4096, "ACLKM_ALIGN=4096");
	ok(with("ACLKM_ALIGN", "64K").align >= 65536, "ACLKM_ALIGN=64K");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("ACLKM_ALIGN", bad[i]);
}

static void test_strict(void)
{
	struct seen seen = with("ACLKM_STRICT", "1");

	is(seen.align, 64, "strict: alignment 64");
	is(seen.ruled, 160, "strict: padding 32");
	is(seen.strange_policy, 107000, "strict: unknown policies are refused");
	is(seen.unaligned, 107008, "strict: unaligned copies are refused");
	ok(strstr(seen.text, "src = 0x") && strstr(seen.text, "multiple of 64"),
	   "strict: the text names the address and the rule");
	is(with("ACLKM_STRICT", "0").align, 512, "ACLKM_STRICT=0 is the default");
	refused("ACLKM_STRICT", "yes");
	refused("ACLKM_STRICT", "");
	setenv("ACLKM_ALIGN", "4096", 1);
	setenv("ACLKM_PADDING", "0", 1);
	seen = with("ACLKM_STRICT", "1");
	is(seen.align, 64, "strict wins over ACLKM_ALIGN");
	is(seen.ruled, 160, "and over ACLKM_PADDING");
	unsetenv("ACLKM_ALIGN");
	unsetenv("ACLKM_PADDING");
}

static void test_padding(void)
{
	is(with("ACLKM_PADDING", "0").ruled, 128, "ACLKM_PADDING=0: 100 bytes take 128");
	is(with("ACLKM_PADDING", "16").ruled, 128, "ACLKM_PADDING=16: 128");
	is(with("ACLKM_PADDING", "32").ruled, 160, "ACLKM_PADDING=32: 160");
	refused("ACLKM_PADDING", "8");
	refused("ACLKM_PADDING", "032");
}

static void test_run_mode(void)
{
	is(with("ACLKM_RUN_MODE", "device").run_mode, ACL_DEVICE,
	   "ACLKM_RUN_MODE=device");
	is(with("ACLKM_RUN_MODE", "host").run_mode, ACL_HOST, "ACLKM_RUN_MODE=host");
	refused("ACLKM_RUN_MODE", "0");
}

static void test_devices(void)
{
	is(with("ACLKM_DEVICES", "1").devices, 1, "ACLKM_DEVICES=1");
	is(with("ACLKM_DEVICES", "64").devices, 64, "ACLKM_DEVICES=64");
	is(with(NULL, NULL).devices, 1, "one by default");
	refused("ACLKM_DEVICES", "0");
	refused("ACLKM_DEVICES", "65");
	refused("ACLKM_DEVICES", "two");
	ok(!strcmp(with("ACLKM_SOC_NAME", "Ascend310P3").soc, "Ascend310P3"),
	   "ACLKM_SOC_NAME=Ascend310P3");
	ok(!strcmp(with(NULL, NULL).soc, "Ascend910B3"), "Ascend910B3 by default");
	refused("ACLKM_SOC_NAME", "");
	refused("ACLKM_CHECK", "redzone,everything");
	refused("ACLKM_CHECK", "abort=2");
	is(with("ACLKM_CHECK", "none").set, 0, "ACLKM_CHECK=none");
	is(with("ACLKM_CHECK", "").set, 0, "ACLKM_CHECK= with nothing in it");
	refused("ACLKM_SOC_NAME", "0123456789012345678901234567890123456789");
}

static void test_backend(void)
{
	struct seen seen = with("ACLKM_BACKEND", "user");

	is(seen.set, 0, "ACLKM_BACKEND=user");
	ok(!strcmp(seen.backend, "user"), "it is used");
	is(with("ACLKM_BACKEND", "auto").set, 0, "ACLKM_BACKEND=auto");
	refused("ACLKM_BACKEND", "kernel");
	refused("ACLKM_BACKEND", "");

	seen = with("ACLKM_BACKEND", "kmod");
	if (access("/dev/aclkm", R_OK | W_OK)) {
		is(seen.init, 0, "ACLKM_BACKEND=kmod, no driver: aclInit");
		is(seen.set, 207004, "ACLKM_BACKEND=kmod, no driver: no device");
		is(seen.native, ACLKM_ERR_NODEV, "the native call says so too");
		ok(strstr(seen.text, "/dev/aclkm"), "the text names the device");
	} else {
		is(seen.set, 0, "ACLKM_BACKEND=kmod");
		ok(!strcmp(seen.backend, "kmod"), "it is used");
	}
}

static void test_size(void)
{
	static const char *const bad[] = {
		"0",   "1K", "65T", "-1",	  "1.5G",
		"1GB", "G",  "",    "0x10000000", "99999999999999999999"};
	size_t i;

	is(with("ACLKM_MEM", "16M").total, 16 * MIB, "ACLKM_MEM=16M");
	is(with("ACLKM_MEM", "16384k").total, 16 * MIB, "ACLKM_MEM=16384k");
	is(with("ACLKM_MEM", "16777216").total, 16 * MIB, "ACLKM_MEM=16777216");
	is(with("ACLKM_MEM", "2G").total, 2048 * MIB, "ACLKM_MEM=2G");
	is(with("ACLKM_MEM", "64K").total, 64 * KIB, "ACLKM_MEM=64K");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("ACLKM_MEM", bad[i]);
	unsetenv("ACLKM_MEM");
	ok(with(NULL, NULL).total >= 64 * MIB, "without it: half of the memory");
}

/* Where the library's threads run. */
static void test_workers(void)
{
	static const char *const bad_cpus[] = {
		"", "a", "0-", "-1", "1-0", "0,", "0 1", "0,,0", "1023", "99999", "0x0"};
	unsigned long long all = with(NULL, NULL).cpus, one = all & -all;
	char number[16];
	size_t i;

	snprintf(number, sizeof(number), "%d", __builtin_ctzll(all));
	is(with("ACLKM_WORKER_CPUS", number).cpus, one, "ACLKM_WORKER_CPUS=%s", number);
	for (i = 0; i < sizeof(bad_cpus) / sizeof(bad_cpus[0]); i++)
		refused("ACLKM_WORKER_CPUS", bad_cpus[i]);
	is(with("ACLKM_WORKER_SPIN", "0").cpus, all, "ACLKM_WORKER_SPIN=0");
	is(with("ACLKM_WORKER_SPIN", "1000000").set, 0, "ACLKM_WORKER_SPIN=1000000");
	refused("ACLKM_WORKER_SPIN", "1000001");
	refused("ACLKM_WORKER_SPIN", "-1");
	refused("ACLKM_WORKER_SPIN", "");
	is(with("ACLKM_WORKERS", "1").set, 0, "ACLKM_WORKERS=1");
	is(with("ACLKM_WORKERS", "16").set, 0, "ACLKM_WORKERS=16");
	refused("ACLKM_WORKERS", "0");
	refused("ACLKM_WORKERS", "17");
	refused("ACLKM_WORKER_NODE", "12345");
	refused("ACLKM_WORKER_NODE", "-1");
	refused("ACLKM_WORKER_NODE", "");
	if (access("/sys/devices/system/node/node0/cpulist", R_OK)) {
		skip("ACLKM_WORKER_NODE=0", "this machine does not tell its nodes");
		return;
	}
	ok(with("ACLKM_WORKER_NODE", "0").cpus & all, "ACLKM_WORKER_NODE=0");
	setenv("ACLKM_WORKER_CPUS", number, 1);
	is(with("ACLKM_WORKER_NODE", "0").cpus, one, "and one of its CPUs");
	unsetenv("ACLKM_WORKER_CPUS");
}

int main(int argc, char **argv)
{
	const char *given = getenv("ACLKM_BACKEND");

	if (argc == 2 && !strcmp(argv[1], "probe"))
		return probe();

	/* The rules are the same on both; the sizes are those of the user backend. */
	printf("# ACLKM_BACKEND=%s from outside; where sizes matter it is user\n",
	       given ? given : "");
	unsetenv("ACLKM_ALIGN");
	unsetenv("ACLKM_STRICT");
	unsetenv("ACLKM_PADDING");
	unsetenv("ACLKM_RUN_MODE");
	unsetenv("ACLKM_DEVICES");
	unsetenv("ACLKM_SOC_NAME");
	unsetenv("ACLKM_CHECK");
	unsetenv("ACLKM_WORKERS");
	unsetenv("ACLKM_WORKER_CPUS");
	unsetenv("ACLKM_WORKER_NODE");
	unsetenv("ACLKM_WORKER_SPIN");
	test_devices();
	test_backend();
	setenv("ACLKM_MEM", "48M", 1);
	test_alignment();
	test_strict();
	test_padding();
	test_run_mode();
	test_workers();
	setenv("ACLKM_BACKEND", "user", 1);
	test_defaults();
	test_size();
	return done_testing();
}
