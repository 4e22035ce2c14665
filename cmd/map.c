// SPDX-License-Identifier: MIT
/* aclkm map: what lies where in the arenas. This file reads; others draw. */
#include "map.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "show.h"
#include "users.h"

bool map_is_huge(const struct aclkm_map_extent *extent)
{
	return extent->map_page >= 2ULL << 20;
}

static bool is_owner(const struct owner *owner, const struct aclkm_map_extent *extent)
{
	if (!owner->known)
		return !(extent->flags & ACLKM_EXTENT_OWNER);
	return extent->flags & ACLKM_EXTENT_OWNER && owner->uid == extent->uid &&
	       owner->pid == extent->pid;
}

size_t map_owner(const struct map_view *view, const struct aclkm_map_extent *extent)
{
	size_t i;

	for (i = 0; i < view->nr_owners; i++)
		if (is_owner(&view->owners[i], extent))
			return i;
	return 0;
}

const char *map_state_text(const struct aclkm_map_extent *extent)
{
	switch (extent->state) {
	case ACLKM_STATE_FREE:
		return extent->flags & ACLKM_EXTENT_CLEAN ? "free, clean"
							  : "free, to be cleared";
	case ACLKM_STATE_REGION:
		return "region";
	case ACLKM_STATE_HELD:
		return "held";
	default:
		return "poisoned";
	}
}

void map_owner_text(const struct owner *owner, char *text, size_t room)
{
	char name[64];

	if (!owner->known) {
		snprintf(text, room, "others");
		return;
	}
	users_name(owner->uid, name, sizeof(name));
	snprintf(text, room, "%d %s%s%s", owner->pid, name, *owner->name ? " " : "",
		 *owner->name ? owner->name : " (ended)");
}

static void read_name(struct owner *owner)
{
	char path[64], *c;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", owner->pid);
	file = owner->pid ? fopen(path, "re") : NULL;
	if (!file)
		return;
	if (!fgets(owner->name, sizeof(owner->name), file))
		owner->name[0] = '\0';
	fclose(file);
	owner->name[strcspn(owner->name, "\n")] = '\0';
	/* A name may hold anything; it goes to terminals and into pages. */
	for (c = owner->name; *c; c++)
		if (*c < ' ' || *c > '~' || strchr("<>&\"'", *c))
			*c = '?';
}

/* Counts a region with its owner; false: no memory. */
static bool add_region(struct map_view *view, const struct aclkm_map_extent *extent)
{
	struct owner *owner, *more;
	size_t i;

	for (i = 0; i < view->nr_owners; i++)
		if (is_owner(&view->owners[i], extent))
			break;
	if (i == view->nr_owners) {
		more = realloc(view->owners, (i + 1) * sizeof(*more));
		if (!more)
			return false;
		view->owners = more;
		view->nr_owners++;
		memset(&more[i], 0, sizeof(more[i]));
		more[i].known = extent->flags & ACLKM_EXTENT_OWNER;
		more[i].uid = extent->uid;
		more[i].pid = extent->pid;
		read_name(&more[i]);
	}
	owner = &view->owners[i];
	owner->regions++;
	owner->bytes += extent->len;
	owner->huge += map_is_huge(extent) ? extent->len : 0;
	owner->pinned += extent->flags & ACLKM_EXTENT_PINNED ? extent->len : 0;
	owner->shared += extent->flags & ACLKM_EXTENT_SHARED ? extent->len : 0;
	return true;
}

static bool find_owners(struct map_view *view)
{
	size_t i, j;

	for (i = 0; i < view->nr_arenas; i++) {
		const struct arena *arena = &view->arenas[i];

		for (j = 0; j < arena->map.count; j++)
			if (arena->extents[j].state == ACLKM_STATE_REGION &&
			    !add_region(view, &arena->extents[j]))
				return false;
	}
	return true;
}

static cJSON *json_extent(const struct aclkm_map_extent *extent)
{
	static const char *const states[] = {"free", "region", "held", "poisoned"};
	static const char *const caches[] = {"wb", "wc", "uc"};
	cJSON *object = cJSON_CreateObject();

	show_json_number(object, "offset", extent->offset);
	show_json_number(object, "len", extent->len);
	cJSON_AddStringToObject(object, "state", states[extent->state & 3]);
	if (extent->state == ACLKM_STATE_FREE) {
		cJSON_AddBoolToObject(object, "clean",
				      extent->flags & ACLKM_EXTENT_CLEAN);
		return object;
	}
	if (extent->state == ACLKM_STATE_LOST)
		return object;
	show_json_number(object, "map_page", extent->map_page);
	cJSON_AddStringToObject(object, "cache", caches[extent->cache % 3]);
	cJSON_AddBoolToObject(object, "pinned", extent->flags & ACLKM_EXTENT_PINNED);
	cJSON_AddBoolToObject(object, "shared", extent->flags & ACLKM_EXTENT_SHARED);
	cJSON_AddBoolToObject(object, "poisoned", extent->flags & ACLKM_EXTENT_POISONED);
	if (extent->flags & ACLKM_EXTENT_OWNER) {
		show_json_number(object, "uid", extent->uid);
		show_json_number(object, "pid", (uint64_t)extent->pid);
	}
	return object;
}

static int map_print_json(const struct map_view *view)
{
	cJSON *root = cJSON_CreateObject(), *array, *object, *extents;
	size_t i, j;

	array = cJSON_AddArrayToObject(root, "arenas");
	for (i = 0; i < view->nr_arenas; i++) {
		const struct aclkm_map *map = &view->arenas[i].map;

		object = cJSON_CreateObject();
		show_json_number(object, "id", map->arena);
		show_json_number(object, "node", (uint64_t)map->node);
		show_json_number(object, "size", map->size);
		show_json_number(object, "free", map->free);
		show_json_number(object, "clean", map->clean);
		show_json_number(object, "held", map->held);
		show_json_number(object, "regions", map->nr_regions);
		show_json_number(object, "poisoned", map->poisoned);
		cJSON_AddBoolToObject(object, "carveout",
				      map->flags & ACLKM_MAP_CARVEOUT);
		if (map->flags & ACLKM_MAP_PHYS)
			show_json_number(object, "phys", map->phys);
		extents = cJSON_AddArrayToObject(object, "extents");
		for (j = 0; j < map->count; j++)
			cJSON_AddItemToArray(extents,
					     json_extent(&view->arenas[i].extents[j]));
		cJSON_AddItemToArray(array, object);
	}
	return show_json(root, EXIT_FINE);
}

static int write_file(const struct map_view *view, const char *path,
		      void (*write)(const struct map_view *view, FILE *to))
{
	FILE *to = strcmp(path, "-") ? fopen(path, "we") : stdout;
	bool failed;

	if (!to)
		return command_failed(&command_map, "%s: %s", path, strerror(errno));
	write(view, to);
	failed = fflush(to) || ferror(to);
	if (to != stdout)
		failed |= fclose(to);
	if (failed)
		return command_failed(&command_map, "%s: %s", path, strerror(errno));
	return EXIT_FINE;
}

static int print_view(const struct map_view *view, const char *svg, const char *html)
{
	int code = EXIT_FINE;

	if (svg)
		code = write_file(view, svg, map_write_svg);
	if (html && code == EXIT_FINE)
		code = write_file(view, html, map_write_html);
	if (svg || html)
		return code;
	if (command_json)
		return map_print_json(view);
	map_print_terminal(view);
	return EXIT_FINE;
}

static int map_refuse(const struct driver *driver, int error)
{
	char why[512];

	if (driver->usable && error == ENOTTY)
		return command_failed(&command_map,
				      "the driver is older than this command and has no "
				      "map; upgrade aclkm-dkms");
	if (driver->usable)
		return command_failed(&command_map, "%s: %s", ACLKM_DEVICE_PATH,
				      strerror(error));
	driver_reason(driver, why, sizeof(why));
	return command_failed(&command_map, "%s", why);
}

static const struct option longs[] = {{"svg", required_argument, NULL, 's'},
				      {"html", required_argument, NULL, 'w'},
				      {NULL, 0, NULL, 0}};

static int run_map(int argc, char **argv)
{
	const char *svg = NULL, *html = NULL;
	struct map_view view = {0};
	struct driver driver;
	int option, code, error = 0;

	while ((option = command_option(&command_map, argc, argv)) != -1) {
		if (option == 's')
			svg = optarg;
		else
			html = optarg;
	}
	command_no_arguments(&command_map, argc, argv);
	if (command_json && (svg || html))
		command_misused(&command_map, "--json does not go with --svg and --html");
	driver_look(&driver);
	if (driver.usable)
		view.arenas = arenas_read(&driver, true, &view.nr_arenas, &error);
	if (!view.arenas)
		code = map_refuse(&driver, error);
	else if (!find_owners(&view))
		code = command_failed(&command_map, "no memory");
	else
		code = print_view(&view, svg, html);
	arenas_free(view.arenas, view.nr_arenas);
	free(view.owners);
	driver_close(&driver);
	return code;
}

const struct command command_map = {
	.name = "map",
	.arguments = "",
	.summary = "Draw what lies where in the arenas",
	.help = "  -s, --svg FILE         write a picture; - is standard output\n"
		"  -w, --html FILE        write a page with the picture and a table\n",
	.shorts = "s:w:",
	.longs = longs,
	.run = run_map,
};
