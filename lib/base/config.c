// SPDX-License-Identifier: MIT
#include "base/config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/error.h"
#include "base/rules.h"

#define DEFAULT_ALIGN 512
#define MAX_ALIGN (1ULL << 30)
#define MIN_MEM (64ULL << 10)
#define MAX_MEM (1ULL << 46)
#define MAX_NODE 1023 /* of Linux */
#define DEFAULT_SOC_NAME "Ascend910B3"

static struct config config;
static pthread_once_t config_once = PTHREAD_ONCE_INIT;

/*
 * Who starts a setuid, setgid or file-capability program chooses its environment, and
 * must not choose what a more privileged program does or which files it writes.
 */
static const char *environment(const char *name)
{
	return getauxval(AT_SECURE) ? NULL : getenv(name);
}

static void config_refuse(const char *name, const char *value, const char *rule)
{
	if (!config.bad[0])
		snprintf(config.bad, sizeof(config.bad),
			 "%s=\"%.60s\" in the environment: must be %s", name, value,
			 rule);
}

/* The index of @name's value in @words; 0, the default, when it is not set. */
static int read_word(const char *name, const char *const *words, const char *rule)
{
	const char *value = environment(name);
	int i;

	if (!value)
		return 0;
	for (i = 0; words[i]; i++) {
		if (!strcmp(value, words[i]))
			return i;
	}
	config_refuse(name, value, rule);
	return 0;
}

static int suffix_shift(const char *suffix)
{
	if (!*suffix)
		return 0;
	if (suffix[1])
		return -1;
	switch (*suffix) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return -1;
	}
}

static bool parse_size(const char *value, uint64_t *out)
{
	unsigned long long number;
	char *end;
	int shift;

	/* strtoull would take a sign, and blanks before the number. */
	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	number = strtoull(value, &end, 10);
	shift = suffix_shift(end);
	if (errno || shift < 0 || number > (UINT64_MAX >> shift))
		return false;
	*out = (uint64_t)number << shift;
	return true;
}

static uint64_t read_size(const char *name, uint64_t otherwise, uint64_t min,
			  uint64_t max, bool power, const char *rule)
{
	const char *value = environment(name);
	uint64_t size;

	if (!value)
		return otherwise;
	if (parse_size(value, &size) && size >= min && size <= max &&
	    (!power || is_power_of_two(size)))
		return size;
	config_refuse(name, value, rule);
	return otherwise;
}

static void read_soc_name(void)
{
	const char *value = environment("ACLKM_SOC_NAME");

	if (!value)
		value = DEFAULT_SOC_NAME;
	if (*value && strlen(value) < sizeof(config.soc_name))
		strcpy(config.soc_name, value);
	else
		config_refuse("ACLKM_SOC_NAME", value, "1 to 31 characters");
}

/* So long that the name of a socket fits behind it. */
#define MAX_IPC_DIR 80

static void read_ipc_dir(void)
{
	const char *value = environment("ACLKM_IPC_DIR");

	if (!value)
		return;
	if (*value == '/' && strlen(value) <= MAX_IPC_DIR)
		config.ipc_dir = strdup(value);
	if (!config.ipc_dir)
		config_refuse("ACLKM_IPC_DIR", value,
			      "an absolute path of 80 characters at most");
}

/* Made absolute: the program may change its folder before the file is loaded. */
static void read_kernels(void)
{
	const char *value = environment("ACLKM_KERNELS");

	if (!value)
		return;
	config.kernels = realpath(value, NULL);
	if (!config.kernels)
		config_refuse("ACLKM_KERNELS", value,
			      "the path of a file that can be read");
}

/* "0,1": a number of a node for each device, the first again after the last. */
static void read_nodes(void)
{
	const char *value = environment("ACLKM_NODES"), *at = value;
	unsigned long node;
	char *end;

	while (at) {
		/* strtoul would take a sign, and blanks before the number. */
		node = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : ULONG_MAX;
		if (node > MAX_NODE || config.node_count == MAX_DEVICES ||
		    (*end && *end != ',')) {
			config.node_count = 0;
			config_refuse(
				"ACLKM_NODES", value,
				"numbers of nodes (0 to 1023) with commas, 64 at most");
			return;
		}
		config.nodes[config.node_count++] = (uint16_t)node;
		at = *end ? end + 1 : NULL;
	}
}

static void (*checks_start)(const struct check_list *list);

void config_on_checks(void (*start)(const struct check_list *list))
{
	checks_start = start;
}

static void read_checks(void)
{
	const char *value = environment("ACLKM_CHECK");

	if (!value)
		return;
	if (!check_list_parse(value, &config.check))
		config_refuse(
			"ACLKM_CHECK", value,
			"redzone, poison, free, align, bounds, flight, leak, sync, "
			"align64, portable, all, fill=N|all (N a multiple of 64), hold=N "
			"(1 to 65536), exitcode=N, abort=0|1, advice=0|1 or log=FILE, "
			"with commas");
	else if (checks_start)
		checks_start(&config.check);
}

static void read_cpus(void)
{
	const char *value = environment("ACLKM_WORKER_CPUS");
	char rule[192], list[128];

	if (!value || affinity_choose(&config.threads.affinity, value))
		return;
	snprintf(rule, sizeof(rule),
		 "numbers and ranges with commas, of CPUs that this process may use: %s",
		 affinity_allowed(list, sizeof(list)));
	config_refuse("ACLKM_WORKER_CPUS", value, rule);
}

static void read_node(void)
{
	const char *value = environment("ACLKM_WORKER_NODE");
	uint64_t node;

	if (!value || (parse_size(value, &node) && node <= INT32_MAX &&
		       affinity_choose_node(&config.threads.affinity, (int32_t)node)))
		return;
	config.threads.affinity.chosen = false;
	config_refuse(
		"ACLKM_WORKER_NODE", value,
		"the number of a NUMA node that has some of the CPUs that this process "
		"may use, and of ACLKM_WORKER_CPUS");
}

static void read_threads(void)
{
	config.threads.threads = (uint32_t)read_size("ACLKM_WORKERS", 0, 1, THREADS_MAX,
						     false, "a number from 1 to 16");
	config.threads.spin_set = environment("ACLKM_WORKER_SPIN");
	config.threads.spin_us =
		(uint32_t)read_size("ACLKM_WORKER_SPIN", 0, 0, THREADS_SPIN_US, false,
				    "microseconds from 0 to 1000000");
	read_cpus();
	read_node();
}

static void read_config(void)
{
	static const char *const backends[] = {"auto", "kmod", "user", NULL};
	static const char *const switches[] = {"0", "1", NULL};
	static const char *const guards[] = {"1", "0", NULL};
	static const char *const paddings[] = {"32", "16", "0", NULL};
	static const char *const modes[] = {"host", "device", NULL};
	static const uint32_t padding_of[] = {32, 16, 0};

	config.backend = (enum backend_choice)read_word("ACLKM_BACKEND", backends,
							"auto, kmod or user");
	read_soc_name();
	read_checks();
	read_nodes();
	read_ipc_dir();
	read_kernels();
	config.guard = !read_word("ACLKM_GUARD", guards, "1 or 0");
	config.strict = read_word("ACLKM_STRICT", switches, "0 or 1");
	config.product = product_find(config.soc_name) ?: product_find(DEFAULT_SOC_NAME);
	config.padding = padding_of[read_word("ACLKM_PADDING", paddings, "0, 16 or 32")];
	if (product_find(config.soc_name) && !environment("ACLKM_PADDING"))
		config.padding = config.product->padding;
	config.run_on_device = read_word("ACLKM_RUN_MODE", modes, "host or device");
	config.devices = (uint32_t)read_size("ACLKM_DEVICES", 1, 1, MAX_DEVICES, false,
					     "a number from 1 to 64");
	config.align = read_size("ACLKM_ALIGN", DEFAULT_ALIGN, ACLKM_RULE_ALIGN,
				 MAX_ALIGN, true, "a power of two from 64 to 1G");
	config.mem =
		read_size("ACLKM_MEM", 0, MIN_MEM, MAX_MEM, false,
			  "a size from 64K to 64T: digits, then nothing or K, M, G, T");
	read_threads();
	if (config.strict) {
		config.align = ACLKM_RULE_ALIGN;
		config.padding = ACLKM_RULE_PADDING;
	}
}

const struct config *config_get(void)
{
	pthread_once(&config_once, read_config);
	return &config;
}

int config_check(void)
{
	const struct config *c = config_get();

	if (!c->bad[0])
		return ACLKM_OK;
	return error_set(ACLKM_ERR_CONFIG, "%s", c->bad);
}
