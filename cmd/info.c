// SPDX-License-Identifier: MIT
/* aclkm info: which backend serves this user and why, how much there is, who has it. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "aclkm/aclkm.h"
#include "arenas.h"
#include "command.h"
#include "driver.h"
#include "show.h"
#include "users.h"

#define BAR 17

struct info {
	struct driver driver;
	struct utsname system;
	struct aclkm_memory_totals totals;
	bool library_works;
	char why[512];
	struct arena *arenas; /* NULL: of a driver without MAP */
	size_t nr_arenas;
	struct user *users;
	size_t nr_users;
	size_t hidden;
};

static const char *const limit_names[] = {"file_bytes", "file_regions", "user_bytes",
					  "user_regions", "root_reserve"};

#define LIMITS (sizeof(limit_names) / sizeof(limit_names[0]))

static const struct {
	uint64_t bit;
	const char *name;
} feature_names[] = {
	{ACLKM_FEATURE_GUP, "gup"},	    {ACLKM_FEATURE_HUGE_2M, "huge-2m"},
	{ACLKM_FEATURE_HUGE_1G, "huge-1g"}, {ACLKM_FEATURE_GUP_1G, "gup-1g"},
	{ACLKM_FEATURE_CACHE, "cache"},	    {ACLKM_FEATURE_DMABUF, "dma-buf"},
	{ACLKM_FEATURE_PIN, "pin"},	    {ACLKM_FEATURE_MAP, "map"},
};

#define FEATURES (sizeof(feature_names) / sizeof(feature_names[0]))

static void collect(struct info *info)
{
	const char *why;
	int error;

	memset(info, 0, sizeof(*info));
	driver_look(&info->driver);
	uname(&info->system);
	info->library_works = !aclkm_memory_totals(&info->totals) &&
			      !aclkm_memory_backend(&info->totals.backend, &why);
	snprintf(info->why, sizeof(info->why), "%s",
		 info->library_works ? why : aclkm_last_error());
	if (info->driver.usable)
		info->arenas =
			arenas_read(&info->driver, false, &info->nr_arenas, &error);
	info->users = users_find(&info->nr_users, &info->hidden);
}

static bool read_limit(size_t i, uint64_t *value)
{
	char name[64];

	snprintf(name, sizeof(name), "limits/%s", limit_names[i]);
	return driver_number(name, value);
}

static cJSON *json_nodes(const struct info *info)
{
	cJSON *array = cJSON_CreateArray(), *object;
	size_t i;

	for (i = 0; i < info->nr_arenas; i++) {
		const struct aclkm_map *map = &info->arenas[i].map;

		object = cJSON_CreateObject();
		show_json_number(object, "id", map->arena);
		show_json_number(object, "node", (uint64_t)map->node);
		show_json_number(object, "size", map->size);
		show_json_number(object, "free", map->free);
		show_json_number(object, "regions", map->nr_regions);
		cJSON_AddItemToArray(array, object);
	}
	return array;
}

static cJSON *json_driver(const struct aclkm_info *all)
{
	cJSON *object = cJSON_CreateObject(), *features;
	size_t i;

	show_json_number(object, "abi", all->abi_version);
	show_json_number(object, "arenas", all->nr_arenas);
	show_json_number(object, "total", all->total);
	show_json_number(object, "free", all->free);
	show_json_number(object, "largest_free", all->largest_free);
	show_json_number(object, "clean", all->clean);
	show_json_number(object, "held", all->held);
	show_json_number(object, "regions", all->nr_regions);
	show_json_number(object, "pinned", all->pinned);
	show_json_number(object, "poisoned", all->poisoned);
	features = cJSON_AddArrayToObject(object, "features");
	for (i = 0; i < FEATURES; i++)
		if (all->features & feature_names[i].bit)
			cJSON_AddItemToArray(features,
					     cJSON_CreateString(feature_names[i].name));
	return object;
}

static cJSON *json_users(const struct info *info)
{
	cJSON *array = cJSON_CreateArray(), *object;
	size_t i;

	for (i = 0; i < info->nr_users; i++) {
		const struct user *user = &info->users[i];

		object = cJSON_CreateObject();
		show_json_number(object, "pid", (uint64_t)user->pid);
		show_json_number(object, "uid", user->uid);
		cJSON_AddStringToObject(object, "program", user->name);
		show_json_number(object, "handles", user->handles);
		show_json_number(object, "allocated", user->allocated);
		show_json_number(object, "imported", user->imported);
		show_json_number(object, "pinned", user->pinned);
		cJSON_AddItemToArray(array, object);
	}
	return array;
}

static int info_print_json(const struct info *info, int code)
{
	cJSON *root = cJSON_CreateObject(), *object;
	uint64_t value;
	size_t i;

	cJSON_AddStringToObject(root, "library", aclkm_version());
	cJSON_AddStringToObject(root, "kernel", info->system.release);
	object = cJSON_AddObjectToObject(root, "backend");
	if (info->library_works) {
		cJSON_AddStringToObject(object, "name", info->totals.backend);
		show_json_number(object, "total", info->totals.total);
		show_json_number(object, "free", info->totals.free);
		show_json_number(object, "largest_free", info->totals.largest);
	} else {
		cJSON_AddNullToObject(object, "name");
	}
	cJSON_AddStringToObject(object, "reason", info->why);
	if (info->driver.usable)
		cJSON_AddItemToObject(root, "driver", json_driver(&info->driver.info));
	else
		cJSON_AddNullToObject(root, "driver");
	cJSON_AddItemToObject(root, "arenas", json_nodes(info));
	object = cJSON_AddObjectToObject(root, "limits");
	for (i = 0; i < LIMITS; i++)
		if (read_limit(i, &value))
			show_json_number(object, limit_names[i], value);
	cJSON_AddItemToObject(root, "users", json_users(info));
	show_json_number(root, "hidden_processes", info->hidden);
	return show_json(root, code);
}

/* Wraps a text at blanks to the lines of the box. */
static void print_wrapped(const char *label, const char *text)
{
	const size_t room = SHOW_WIDTH - 4 - 10;
	size_t len, cut;

	do {
		len = strlen(text);
		cut = len;
		if (len > room) {
			cut = room;
			while (cut && text[cut] != ' ')
				cut--;
			if (!cut)
				cut = room;
		}
		show_line("%-9s %.*s", label, (int)cut, text);
		label = "";
		text += cut;
		while (*text == ' ')
			text++;
	} while (*text);
}

static void info_print_head(const struct info *info)
{
	char backend[640];
	char abi[24] = "none";

	if (info->driver.usable)
		snprintf(abi, sizeof(abi), "ABI %u", info->driver.info.abi_version);
	show_rule('-');
	show_line("%saclkm %s%s    driver: %s    Linux %s", show_colour(SHOW_BOLD),
		  aclkm_version(), show_colour(SHOW_PLAIN), abi, info->system.release);
	snprintf(backend, sizeof(backend), "%s: %s",
		 info->library_works ? info->totals.backend : "none", info->why);
	print_wrapped("Backend", backend);
	show_rule('=');
}

/* One row; of an arena the driver does not tell the largest piece: UINT64_MAX. */
static void info_print_usage(const char *name, const char *node, uint64_t size,
			     uint64_t free, uint64_t largest, const char *regions)
{
	uint64_t used = size > free ? size - free : 0;
	struct show_size piece = show_size(largest);
	char bar[128];

	show_bar(bar, sizeof(bar), BAR, used, size);
	show_line("%-6s %4s %10s %10s %10s %7s %s%s%s %3.0f%%", name, node,
		  SHOW_SIZE(size), SHOW_SIZE(free),
		  largest == UINT64_MAX ? "" : piece.text, regions,
		  show_colour(SHOW_INFO), bar, show_colour(SHOW_PLAIN),
		  size ? 100.0 * (double)used / (double)size : 0.0);
}

static void print_limits(void)
{
	char text[256] = "";
	size_t i, at = 0;
	uint64_t value;
	bool bytes;

	for (i = 0; i < LIMITS; i++) {
		if (!read_limit(i, &value) || !value)
			continue;
		bytes = !strstr(limit_names[i], "regions");
		if (bytes)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s",
					       at ? ", " : "", limit_names[i],
					       SHOW_SIZE(value));
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %llu",
					       at ? ", " : "", limit_names[i],
					       (unsigned long long)value);
	}
	print_wrapped("Limits", at ? text : "none");
}

static void print_arenas(const struct info *info)
{
	char name[24], node[24], regions[24];
	size_t i;

	for (i = 0; i < info->nr_arenas; i++) {
		const struct aclkm_map *map = &info->arenas[i].map;

		snprintf(name, sizeof(name), "%u", map->arena);
		snprintf(node, sizeof(node), "%d", map->node);
		snprintf(regions, sizeof(regions), "%llu",
			 (unsigned long long)map->nr_regions);
		info_print_usage(name, node, map->size, map->free, UINT64_MAX, regions);
	}
}

static void print_driver(const struct info *info)
{
	const struct aclkm_info *all = &info->driver.info;
	char regions[24];

	show_line("%-6s %4s %10s %10s %10s %7s %s", "Arena", "Node", "Size", "Free",
		  "Largest", "Regions", "In use");
	print_arenas(info);
	snprintf(regions, sizeof(regions), "%llu", (unsigned long long)all->nr_regions);
	info_print_usage("all", "", all->total, all->free, all->largest_free, regions);
	show_rule('-');
	show_line("Free: %s clean, %s still to be cleared", SHOW_SIZE(all->clean),
		  SHOW_SIZE(all->free - all->clean));
	show_line("Held %s    Pinned %s    Poisoned %s%s", SHOW_SIZE(all->held),
		  SHOW_SIZE(all->pinned), all->poisoned ? show_colour(SHOW_BAD) : "",
		  SHOW_SIZE(all->poisoned));
	print_limits();
	show_rule('-');
}

static void print_users(const struct info *info)
{
	char name[64];
	size_t i;

	show_line("%7s %-12s %-16s %8s %10s %8s %9s", "PID", "User", "Program", "Handles",
		  "Allocated", "Imported", "Pinned");
	for (i = 0; i < info->nr_users; i++) {
		const struct user *user = &info->users[i];

		show_line("%7d %-12.12s %-16.16s %8llu %10s %8s %9s", user->pid,
			  users_name(user->uid, name, sizeof(name)), user->name,
			  (unsigned long long)user->handles, SHOW_SIZE(user->allocated),
			  SHOW_SIZE(user->imported), SHOW_SIZE(user->pinned));
	}
	if (!info->nr_users)
		show_line("No process %shas the driver open",
			  info->hidden ? "of yours " : "");
	if (info->hidden)
		show_line("%s%zu processes of other users are not shown%s",
			  show_colour(SHOW_DIM), info->hidden, show_colour(SHOW_PLAIN));
	show_rule('-');
}

static void print_box(const struct info *info)
{
	info_print_head(info);
	if (info->driver.usable) {
		print_driver(info);
		print_users(info);
		return;
	}
	show_line("%-6s %4s %10s %10s %10s %7s %s", "Device", "", "Size", "Free",
		  "Largest", "", "In use");
	info_print_usage("0", "", info->totals.total, info->totals.free,
			 info->totals.largest, "");
	show_rule('-');
}

static int run_info(int argc, char **argv)
{
	struct info info;
	int code = EXIT_FINE;

	command_option(&command_info, argc, argv);
	command_no_arguments(&command_info, argc, argv);
	collect(&info);
	/* A driver that is there and of no use is amiss; to have none is not. */
	if (!info.library_works || (info.driver.node && !info.driver.usable))
		code = EXIT_FINDING;
	if (command_json)
		code = info_print_json(&info, code);
	else
		print_box(&info);
	arenas_free(info.arenas, info.nr_arenas);
	free(info.users);
	driver_close(&info.driver);
	return code;
}

const struct command command_info = {
	.name = "info",
	.arguments = "",
	.summary = "Show the backend, the arenas, the limits and the users",
	.help = "",
	.shorts = "",
	.run = run_info,
};
