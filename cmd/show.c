// SPDX-License-Identifier: MIT
/* What the commands print, in one look. All of it goes to standard output. */
#include "show.h"

#include <cjson/cJSON.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

bool show_is_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

bool show_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static bool show_has_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return show_is_terminal() && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

const char *show_colour(enum show_colour colour)
{
	static const char *const codes[] = {
		[SHOW_PLAIN] = "\033[0m", [SHOW_BOLD] = "\033[1m",
		[SHOW_DIM] = "\033[2m",	  [SHOW_GOOD] = "\033[32m",
		[SHOW_WARN] = "\033[33m", [SHOW_BAD] = "\033[31m",
		[SHOW_INFO] = "\033[36m",
	};

	return show_has_colours() ? codes[colour] : "";
}

/* The length of the escape sequence at the start of a text, or 0. */
static size_t escape_length(const char *text)
{
	size_t n;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	n = 2 + strspn(text + 2, "0123456789;");
	return text[n] ? n + 1 : n;
}

/* Bytes of the text that fill at most @columns columns. */
static size_t bytes_in(const char *text, size_t columns, size_t *filled)
{
	size_t at = 0, escape;

	*filled = 0;
	while (text[at]) {
		escape = escape_length(text + at);
		if (escape) {
			at += escape;
			continue;
		}
		if (*filled == columns)
			break;
		++*filled;
		do
			at++;
		while ((text[at] & 0xc0) == 0x80);
	}
	return at;
}

size_t show_columns(const char *text)
{
	size_t filled;

	bytes_in(text, SIZE_MAX, &filled);
	return filled;
}

struct show_size show_size(uint64_t bytes)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	struct show_size size;
	unsigned int unit = 0;

	while (unit < 6 && bytes >> (10 * unit) >= 1024)
		unit++;
	if (bytes % (1ULL << (10 * unit)))
		snprintf(size.text, sizeof(size.text), "%.1f %s",
			 (double)bytes / (double)(1ULL << (10 * unit)), units[unit]);
	else
		snprintf(size.text, sizeof(size.text), "%llu %s",
			 (unsigned long long)(bytes >> (10 * unit)), units[unit]);
	return size;
}

bool show_parse_size(const char *text, uint64_t *bytes)
{
	static const char letters[] = "KMGT";
	unsigned long long number;
	unsigned int shift = 0;
	const char *letter;
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 20)
		return false;
	number = strtoull(text, &end, 10);
	if (*end) {
		letter = strchr(letters, *end >= 'a' ? *end - 32 : *end);
		if (!letter || end[1])
			return false;
		shift = 10 * (unsigned int)(letter - letters + 1);
	}
	if (number > UINT64_MAX >> shift)
		return false;
	*bytes = (uint64_t)number << shift;
	return true;
}

void show_bar(char *text, size_t room, unsigned int columns, uint64_t part,
	      uint64_t whole)
{
	bool utf8 = show_is_utf8();
	const char *full = utf8 ? "█" : "#", *empty = utf8 ? "░" : ".";
	unsigned int filled = 0, i;
	size_t at = 0;

	if (whole)
		filled = (unsigned int)((double)part / (double)whole * columns + 0.5);
	/* What is not nothing is seen. */
	if (part && !filled)
		filled = 1;
	if (filled > columns)
		filled = columns;
	text[0] = '\0';
	for (i = 0; i < columns && at + 4 < room; i++)
		at += (size_t)snprintf(text + at, room - at, "%s",
				       i < filled ? full : empty);
}

void show_rule(char mark)
{
	int i;

	putchar('+');
	for (i = 0; i < SHOW_WIDTH - 2; i++)
		putchar(mark);
	puts("+");
}

void show_line(const char *format, ...)
{
	size_t inside = SHOW_WIDTH - 4, bytes, filled;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bytes = bytes_in(text, inside, &filled);
	printf("| %.*s%s%*s |\n", (int)bytes, text, show_colour(SHOW_PLAIN),
	       (int)(inside - filled), "");
}

void show_status(const char *format, ...)
{
	va_list args;

	if (!isatty(STDERR_FILENO) || command_json)
		return;
	fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
}

void show_json_number(cJSON *object, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	cJSON_AddRawToObject(object, name, text);
}

int show_json(cJSON *value, int code)
{
	char *text = cJSON_Print(value);

	cJSON_Delete(value);
	if (!text) {
		fputs("aclkm: no memory for the JSON text\n", stderr);
		return EXIT_FINDING;
	}
	puts(text);
	cJSON_free(text);
	return code;
}
