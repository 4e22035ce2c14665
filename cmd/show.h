/* SPDX-License-Identifier: MIT */
/*
 * How the commands look: units, bars, colours, boxes of 80 columns. Colour only on a
 * terminal and without NO_COLOR; characters beyond ASCII only in a UTF-8 locale.
 */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

#define SHOW_WIDTH 80

enum show_colour {
	SHOW_PLAIN,
	SHOW_BOLD,
	SHOW_DIM,
	SHOW_GOOD,
	SHOW_WARN,
	SHOW_BAD,
	SHOW_INFO,
};

/* The bytes that switch to a colour; empty where there are no colours. */
const char *show_colour(enum show_colour colour);
bool show_is_terminal(void);
bool show_is_utf8(void);

/* Columns that a UTF-8 text fills. Escape sequences fill none. */
size_t show_columns(const char *text);

struct show_size {
	char text[24];
};

/* "64 MiB", "1.5 GiB". SHOW_SIZE is a string for as long as the block lasts. */
struct show_size show_size(uint64_t bytes);
#define SHOW_SIZE(bytes) (show_size(bytes).text)

/* Digits, then nothing or K, M, G, T; false: it is not that, or too much. */
bool show_parse_size(const char *text, uint64_t *bytes);

/* Fills @text with a bar of @columns columns, @part of @whole full. */
void show_bar(char *text, size_t room, unsigned int columns, uint64_t part,
	      uint64_t whole);

/* A line across the box, of '-' or '='. */
void show_rule(char mark);

/* One line between the box's sides; what is too long is cut. */
__attribute__((format(printf, 1, 2))) void show_line(const char *format, ...);

/* Redraws the last line of a terminal; elsewhere prints nothing. "" removes it. */
__attribute__((format(printf, 1, 2))) void show_status(const char *format, ...);

/* JSON: numbers of 64 bits without loss, and the whole value on standard output. */
void show_json_number(struct cJSON *object, const char *name, uint64_t value);
int show_json(struct cJSON *value, int code);

#endif /* CMD_SHOW_H */
