// SPDX-License-Identifier: MIT
/* aclInit, aclFinalize and the recent errors. */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl_rt.h"
#include "../config.h"
#include "../device.h"
#include "context.h"
#include "result.h"

#define MAX_CONFIG_FILE (10L << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t init_count;

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

/* What has a meaning here. */
struct items {
	long message_mode;   /* "err_msg_mode": 0 or 1 */
	long default_device; /* "default_device": -1: none */
};

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

static void read_items(FILE *file, struct items *items)
{
	char *text = NULL;
	size_t room = 0;

	rewind(file);
	if (getdelim(&text, &room, '\0', file) > 0) {
		read_item(text, "\"err_msg_mode\"", &items->message_mode);
		read_item(text, "\"default_device\"", &items->default_device);
	}
	free(text);
}

static aclError check_config_file(const char *path, struct items *items)
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

aclError aclInit(const char *configPath)
{
	struct items items = {.default_device = -1};
	bool again;
	aclError code = acl_enter(__func__) ?: acl_result(config_check());

	if (code)
		return code;
	if (configPath && *configPath) {
		code = check_config_file(configPath, &items);
		if (code)
			return code;
	}

	pthread_mutex_lock(&lock);
	again = init_count++ > 0;
	if (!again) {
		error_share(items.message_mode == 1);
		device_set_default((int32_t)items.default_device);
	}
	pthread_mutex_unlock(&lock);
	if (again)
		return acl_refuse(ACL_ERROR_REPEAT_INITIALIZE,
				  "called before in this process");
	return ACL_SUCCESS;
}

aclError aclFinalize(void)
{
	bool live;
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	live = init_count > 0;
	init_count = 0;
	device_set_default(-1);
	pthread_mutex_unlock(&lock);
	if (!live)
		return acl_refuse(ACL_ERROR_REPEAT_FINALIZE,
				  "not initialised, or finalised before");
	return ACL_SUCCESS;
}

aclError aclFinalizeReference(uint64_t *refCount)
{
	bool live;
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	live = init_count > 0;
	if (live)
		init_count--;
	if (live && refCount)
		*refCount = init_count;
	if (!init_count)
		device_set_default(-1);
	pthread_mutex_unlock(&lock);
	if (!live)
		return acl_refuse(ACL_ERROR_REPEAT_FINALIZE,
				  "not initialised, or finalised before");
	return ACL_SUCCESS;
}

static aclError check_level(aclrtLastErrLevel level)
{
	if (level == ACL_RT_THREAD_LEVEL)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "level = %d: must be ACL_RT_THREAD_LEVEL (0)", (int)level);
}

aclError aclrtPeekAtLastError(aclrtLastErrLevel level)
{
	return check_level(level) ?: acl_last(0);
}

aclError aclrtGetLastError(aclrtLastErrLevel level)
{
	return check_level(level) ?: acl_last(1);
}

const char *aclGetRecentErrMsg(void)
{
	return error_take_recent();
}
