/* SPDX-License-Identifier: MIT */
/*
 * Sets of CPUs: lists as text, those of a NUMA node, those that the process may use. No
 * state but what the process may use, which is read once, when the library is loaded.
 */
#ifndef LIB_AFFINITY_H
#define LIB_AFFINITY_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct affinity {
	cpu_set_t cpus;
	bool chosen; /* @cpus counts, else all that the process may use */
};

/*
 * Chooses the CPUs of a list, "0-3,8". False: it is no such list, or names a CPU that the
 * process may not use.
 */
bool affinity_choose(struct affinity *out, const char *list);

/*
 * Leaves those of a NUMA node, of what was chosen before or else of all. False: there is
 * no such node, or none is left.
 */
bool affinity_choose_node(struct affinity *out, int32_t node);

/* The CPUs that this process may use, as a list for texts. */
const char *affinity_allowed(char *text, int size);

/* The same as a set; constant. */
extern cpu_set_t affinity_at_load;

#endif /* LIB_AFFINITY_H */
