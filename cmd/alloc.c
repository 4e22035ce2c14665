// SPDX-License-Identifier: MIT
/*
 * aclkm alloc: takes one block of device memory, says what it got, and holds it. For
 * trying out what the machine can give, and for occupying memory in experiments.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aclkm/aclkm.h"
#include "command.h"
#include "driver.h"
#include "show.h"

struct wish {
	uint64_t size;
	uint64_t align;
	uint32_t flags;
	int node;
	unsigned int hold; /* seconds */
};

/* The result of one allocation, from either backend. */
struct block {
	const char *backend;
	uint64_t size;
	uint64_t page;
	uint64_t phys;
	bool phys_valid;
	bool contiguous;
	bool gup;
	int node; /* negative: not known */
	const char *cache;
};

static const char *reason_text(uint32_t reason)
{
	static const char *const texts[] = {
		[ACLKM_REASON_FREE] = "fewer bytes are free than that",
		[ACLKM_REASON_FRAGMENTED] = "enough is free, but in smaller pieces",
		[ACLKM_REASON_ROOT_RESERVE] = "the rest is kept for root "
					      "(limits/root_reserve)",
		[ACLKM_REASON_FILE_BYTES] =
			"the limit of one process (limits/file_bytes)",
		[ACLKM_REASON_FILE_REGIONS] =
			"the limit of one process (limits/file_regions)",
		[ACLKM_REASON_CGROUP] = "the limit of the cgroup (dmem.max)",
		[ACLKM_REASON_USER_BYTES] = "the limit of this user (limits/user_bytes)",
		[ACLKM_REASON_USER_REGIONS] =
			"the limit of this user (limits/user_regions)",
	};

	if (reason >= sizeof(texts) / sizeof(texts[0]) || !texts[reason])
		return "the driver has no memory for it";
	return texts[reason];
}

static int alloc_refuse(const struct wish *wish, const struct aclkm_alloc *alloc,
			int error)
{
	if (error != ENOSPC && error != EDQUOT)
		return command_failed(&command_alloc, "%s: %s", SHOW_SIZE(wish->size),
				      strerror(error));
	return command_failed(&command_alloc,
			      "no block of %s: %s; %s are free, the largest piece is %s",
			      SHOW_SIZE(wish->size), reason_text(alloc->reason),
			      SHOW_SIZE(alloc->free), SHOW_SIZE(alloc->largest_free));
}

/* Takes the block from the driver; it lives as long as the driver's open file. */
static int take_kmod(const struct driver *driver, const struct wish *wish,
		     struct block *block)
{
	static const char *const caches[] = {"write-back", "write-combined", "uncached"};
	struct aclkm_alloc alloc = {.size = wish->size,
				    .align = wish->align,
				    .flags = wish->flags,
				    .node = wish->node};
	struct aclkm_query query = {0};
	void *mem;

	if (ioctl(driver->fd, ACLKM_IOC_ALLOC, &alloc))
		return alloc_refuse(wish, &alloc, errno);
	query.handle = alloc.handle;
	if (ioctl(driver->fd, ACLKM_IOC_QUERY, &query))
		return command_failed(&command_alloc, "QUERY: %s", strerror(errno));
	mem = mmap(NULL, alloc.size, PROT_READ | PROT_WRITE, MAP_SHARED, driver->fd,
		   (off_t)alloc.offset);
	if (mem == MAP_FAILED)
		return command_failed(&command_alloc, "mmap: %s", strerror(errno));
	memset(mem, 0, alloc.size);
	*block = (struct block){.backend = "kmod",
				.size = alloc.size,
				.page = query.map_page,
				.phys = query.phys,
				.phys_valid = query.flags & ACLKM_QUERY_PHYS,
				.contiguous = true,
				.gup = query.flags & ACLKM_QUERY_GUP,
				.node = query.node,
				.cache = caches[query.cache % 3]};
	return EXIT_FINE;
}

static int take_user(const struct wish *wish, struct block *block)
{
	enum aclkm_pages pages = ACLKM_PAGES_HUGE_FIRST;
	struct aclkm_memory_info info;
	void *mem;

	if (wish->flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC))
		return command_failed(&command_alloc,
				      "write-combined and uncached memory is the "
				      "driver's alone, and it does not serve");
	if (wish->flags & ACLKM_ALLOC_SMALL)
		pages = ACLKM_PAGES_NORMAL;
	else if (wish->flags & ACLKM_ALLOC_HUGE_2M)
		pages = ACLKM_PAGES_HUGE_ONLY;
	else if (wish->flags & ACLKM_ALLOC_HUGE_1G)
		pages = ACLKM_PAGES_HUGE1G;
	if (aclkm_memory_alloc(wish->size, wish->align, pages, &mem) ||
	    aclkm_memory_query(mem, &info))
		return command_failed(&command_alloc, "%s", aclkm_last_error());
	*block = (struct block){.backend = info.backend,
				.size = info.ruled,
				.page = info.page_size,
				.phys = info.phys,
				.phys_valid = info.phys_valid,
				.contiguous = info.contiguous,
				.gup = true,
				.node = -1,
				.cache = "write-back"};
	return EXIT_FINE;
}

static void alloc_print_block(const struct block *block)
{
	printf("backend      %s\nsize         %s\n", block->backend,
	       SHOW_SIZE(block->size));
	printf("contiguous   %s\n", block->contiguous ? "yes" : "not for certain");
	printf("pages        %s%s\n", SHOW_SIZE(block->page),
	       block->gup ? "; can be pinned (O_DIRECT, io_uring, RDMA)"
			  : "; cannot be pinned");
	printf("cache mode   %s\n", block->cache);
	if (block->node >= 0)
		printf("NUMA node    %d\n", block->node);
	if (block->phys_valid)
		printf("address      %#llx (physical)\n",
		       (unsigned long long)block->phys);
	fflush(stdout);
}

static int alloc_print_json(const struct block *block)
{
	cJSON *root = cJSON_CreateObject();

	cJSON_AddStringToObject(root, "backend", block->backend);
	show_json_number(root, "size", block->size);
	show_json_number(root, "page", block->page);
	cJSON_AddBoolToObject(root, "contiguous", block->contiguous);
	cJSON_AddBoolToObject(root, "gup", block->gup);
	cJSON_AddStringToObject(root, "cache", block->cache);
	if (block->node >= 0)
		show_json_number(root, "node", (uint64_t)block->node);
	if (block->phys_valid)
		show_json_number(root, "phys", block->phys);
	return show_json(root, EXIT_FINE);
}

static uint32_t page_flag(const char *word)
{
	if (!strcmp(word, "any"))
		return 0;
	if (!strcmp(word, "4K"))
		return ACLKM_ALLOC_SMALL;
	if (!strcmp(word, "2M"))
		return ACLKM_ALLOC_HUGE_2M;
	if (!strcmp(word, "1G"))
		return ACLKM_ALLOC_HUGE_1G;
	command_misused(&command_alloc, "the page size \"%s\" is not any, 4K, 2M or 1G",
			word);
}

static uint32_t cache_flag(const char *word)
{
	if (!strcmp(word, "wb"))
		return 0;
	if (!strcmp(word, "wc"))
		return ACLKM_ALLOC_WC;
	if (!strcmp(word, "uc"))
		return ACLKM_ALLOC_UC;
	command_misused(&command_alloc, "the cache mode \"%s\" is not wb, wc or uc",
			word);
}

static unsigned int number(const char *word, const char *what, unsigned int most)
{
	char *end;
	unsigned long value;

	value = *word >= '0' && *word <= '9' ? strtoul(word, &end, 10) : most + 1UL;
	if (value > most || *end)
		command_misused(&command_alloc, "the %s \"%s\" is no number up to %u",
				what, word, most);
	return (unsigned int)value;
}

static const struct option longs[] = {
	{"align", required_argument, NULL, 'a'}, {"cache", required_argument, NULL, 'c'},
	{"hold", required_argument, NULL, 't'},	 {"node", required_argument, NULL, 'n'},
	{"page", required_argument, NULL, 'p'},	 {NULL, 0, NULL, 0}};

static void read_wish(int argc, char **argv, struct wish *wish)
{
	uint32_t page = 0, cache = 0;
	int option;

	*wish = (struct wish){.node = ACLKM_NODE_ANY};
	while ((option = command_option(&command_alloc, argc, argv)) != -1) {
		switch (option) {
		case 'a':
			if (!show_parse_size(optarg, &wish->align) || !wish->align ||
			    wish->align & (wish->align - 1) ||
			    wish->align > ACLKM_ALIGN_MAX)
				command_misused(&command_alloc,
						"the alignment \"%s\" is no power of two "
						"up to 1G",
						optarg);
			break;
		case 'c':
			cache = cache_flag(optarg);
			break;
		case 't':
			wish->hold = number(optarg, "time", 1000000);
			break;
		case 'n':
			wish->node = (int)number(optarg, "node", 1023);
			break;
		case 'p':
			page = page_flag(optarg);
			break;
		}
	}
	if (optind + 1 != argc)
		command_misused(&command_alloc, "takes one size, such as 64M");
	if (!show_parse_size(argv[optind], &wish->size) || !wish->size)
		command_misused(&command_alloc,
				"\"%s\" is no size: digits, then nothing or K, M, G, T",
				argv[optind]);
	if (cache && page & (ACLKM_ALLOC_HUGE_2M | ACLKM_ALLOC_HUGE_1G))
		command_misused(&command_alloc,
				"write-combined and uncached memory has pages of 4K");
	wish->flags = page | cache;
}

static int run_alloc(int argc, char **argv)
{
	const char *name = "", *why;
	struct driver driver;
	struct block block = {0};
	struct wish wish;
	int code;

	read_wish(argc, argv, &wish);
	driver_look(&driver);
	if (aclkm_memory_backend(&name, &why))
		code = command_failed(&command_alloc, "%s", aclkm_last_error());
	else if (!strcmp(name, "kmod"))
		code = take_kmod(&driver, &wish, &block);
	else
		code = take_user(&wish, &block);
	if (code == EXIT_FINE) {
		if (command_json)
			alloc_print_json(&block);
		else
			alloc_print_block(&block);
		fflush(stdout);
		sleep(wish.hold);
	}
	driver_close(&driver);
	return code;
}

const struct command command_alloc = {
	.name = "alloc",
	.arguments = "SIZE",
	.summary = "Take one block of device memory and say what it is",
	.help = "  -a, --align SIZE       of the (physical) address, a power of two\n"
		"  -c, --cache wb|wc|uc   cache mode\n"
		"  -n, --node NODE        NUMA node\n"
		"  -p, --page any|4K|2M|1G  page-table entries\n"
		"  -t, --hold SECONDS     hold the block so long; 0 if not given\n",
	.shorts = "a:c:t:n:p:",
	.longs = longs,
	.run = run_alloc,
};
