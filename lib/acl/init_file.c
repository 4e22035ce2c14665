// SPDX-License-Identifier: MIT
#include "acl/init_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/context.h"
#include "acl/result.h"

#define MAX_CONFIG_FILE (10L << 20)

/* First and last character that are no blanks; 0 for an empty file. */
static void outer_characters(FILE *file, int *first, int *last, long *size)
{
	int c;

	*first = 0;
	*last = 0;
	*size = 0;
	while (*size <= MAX_CONFIG_FILE && (c = getc(file)) != EOF) {
		(*size)++;
		if (isspace(c))
			continue;
		if (!*first)
			*first = c;
		*last = c;
	}
}

static const char *skip_blanks(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* The number of an item, quoted or not; as it was where it is not there. */
static void read_item(const char *text, const char *name, long *out)
{
	const char *at = strstr(text, name);
	char *end;
	long number;

	if (!at)
		return;
	at = skip_blanks(at + strlen(name));
	if (*at == ':')
		at = skip_blanks(at + 1);
	if (*at == '"')
		at++;
	number = strtol(at, &end, 10);
	if (end != at)
		*out = number;
}

static void read_items(FILE *file, struct init_file *out)
{
	size_t room = 0;

	rewind(file);
	if (getdelim(&out->text, &room, '\0', file) > 0) {
		read_item(out->text, "\"err_msg_mode\"", &out->message_mode);
		read_item(out->text, "\"default_device\"", &out->default_device);
	}
}

static aclError check_config_file(const char *path, struct init_file *items)
{
	FILE *file = fopen(path, "re");
	int first, last, failed;
	long size;

	if (!file)
		return acl_refuse(ACL_ERROR_INVALID_FILE, "configPath = \"%s\": %s", path,
				  strerror(errno));
	outer_characters(file, &first, &last, &size);
	failed = ferror(file);
	if (!failed && size <= MAX_CONFIG_FILE)
		read_items(file, items);
	fclose(file);
	if (failed)
		return acl_refuse(ACL_ERROR_INVALID_FILE,
				  "configPath = \"%s\": cannot be read", path);
	if (size > MAX_CONFIG_FILE)
		return acl_refuse(ACL_ERROR_INVALID_FILE_SIZE,
				  "configPath = \"%s\": larger than %ld bytes", path,
				  MAX_CONFIG_FILE);
	if (first != '{' || last != '}')
		return acl_refuse(
			ACL_ERROR_PARSE_FILE,
			"configPath = \"%s\": holds no JSON object, not even {}", path);
	return items->default_device == -1 ? ACL_SUCCESS
					   : context_check_device(items->default_device);
}

aclError init_file_read(const char *path, struct init_file *out)
{
	aclError code = ACL_SUCCESS;

	*out = (struct init_file){.default_device = -1};
	if (path && *path)
		code = check_config_file(path, out);
	if (code)
		init_file_free(out);
	return code;
}

void init_file_free(struct init_file *file)
{
	free(file->text);
	file->text = NULL;
}
