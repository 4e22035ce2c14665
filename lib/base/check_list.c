// SPDX-License-Identifier: MIT
#include "base/check_list.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FILL (1 << 30)

static const struct {
	const char *name;
	uint32_t check;
} names[] = {
	{"redzone", CHECK_REDZONE}, {"poison", CHECK_POISON},
	{"free", CHECK_FREE},	    {"align", CHECK_ALIGN},
	{"bounds", CHECK_BOUNDS},   {"flight", CHECK_FLIGHT},
	{"leak", CHECK_LEAK},	    {"sync", CHECK_SYNC},
	{"align64", CHECK_ALIGN64}, {"portable", CHECK_PORTABLE},
	{"all", CHECK_ALL},	    {"none", 0},
};

static bool parse_number(const char *text, int max, int *out)
{
	char *end;
	long number;

	if (*text < '0' || *text > '9')
		return false;
	number = strtol(text, &end, 10);
	if (*end || number > max)
		return false;
	*out = (int)number;
	return true;
}

static bool parse_word(const char *word, struct check_list *options)
{
	int number = 0;
	size_t i;

	if (!strncmp(word, "exitcode=", 9))
		return parse_number(word + 9, 255, &options->exit_code);
	if (!strcmp(word, "fill=all")) {
		options->fill = UINT64_MAX;
		return true;
	}
	if (!strncmp(word, "fill=", 5)) {
		if (!parse_number(word + 5, MAX_FILL, &number) || number % 64 || !number)
			return false;
		options->fill = (uint64_t)number;
		return true;
	}
	if (!strncmp(word, "hold=", 5)) {
		if (!parse_number(word + 5, CHECK_HOLD_MAX, &number) || !number)
			return false;
		options->hold = (uint32_t)number;
		return true;
	}
	if (!strncmp(word, "abort=", 6)) {
		if (!parse_number(word + 6, 1, &number))
			return false;
		options->abort_first = number;
		return true;
	}
	if (!strncmp(word, "advice=", 7)) {
		if (!parse_number(word + 7, 1, &number))
			return false;
		options->count_advice = number;
		return true;
	}
	if (!strncmp(word, "log=", 4)) {
		strcpy(options->log, word + 4);
		return options->log[0];
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(word, names[i].name)) {
			options->checks |= names[i].check;
			return true;
		}
	}
	return false;
}

bool check_list_parse(const char *text, struct check_list *out)
{
	struct check_list list = {
		.exit_code = 66, .fill = CHECK_FILL, .hold = CHECK_HOLD};
	char word[256];
	size_t length;

	for (; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		if (length >= sizeof(word))
			return false;
		memcpy(word, text, length);
		word[length] = '\0';
		if (!parse_word(word, &list))
			return false;
	}
	*out = list;
	return true;
}
