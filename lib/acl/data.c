// SPDX-License-Identifier: MIT
/* Data buffers, element types, and the program's own log lines. */
#include "acl/acl_rt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "acl/result.h"

struct aclDataBuffer {
	void *data;
	size_t size;
};

aclDataBuffer *aclCreateDataBuffer(void *data, size_t size)
{
	aclDataBuffer *buffer;

	if (acl_enter(__func__))
		return NULL;
	buffer = malloc(sizeof(*buffer));
	if (!buffer) {
		acl_refuse(ACL_ERROR_BAD_ALLOC,
			   "no memory for the library's own records");
		return NULL;
	}
	buffer->data = data;
	buffer->size = size;
	return buffer;
}

aclError aclDestroyDataBuffer(const aclDataBuffer *dataBuffer)
{
	aclError code = acl_enter(__func__) ?: acl_need(dataBuffer, "dataBuffer");

	if (!code)
		free((void *)(uintptr_t)dataBuffer);
	return code;
}

aclError aclUpdateDataBuffer(aclDataBuffer *dataBuffer, void *data, size_t size)
{
	aclError code = acl_enter(__func__) ?: acl_need(dataBuffer, "dataBuffer");

	if (code)
		return code;
	dataBuffer->data = data;
	dataBuffer->size = size;
	return ACL_SUCCESS;
}

void *aclGetDataBufferAddr(const aclDataBuffer *dataBuffer)
{
	if (acl_enter(__func__) || acl_need(dataBuffer, "dataBuffer"))
		return NULL;
	return dataBuffer->data;
}

uint32_t aclGetDataBufferSize(const aclDataBuffer *dataBuffer)
{
	return (uint32_t)aclGetDataBufferSizeV2(dataBuffer);
}

size_t aclGetDataBufferSizeV2(const aclDataBuffer *dataBuffer)
{
	if (acl_enter(__func__) || acl_need(dataBuffer, "dataBuffer"))
		return 0;
	return dataBuffer->size;
}

size_t aclDataTypeSize(aclDataType dataType)
{
	switch (dataType) {
	case ACL_INT8:
	case ACL_UINT8:
	case ACL_BOOL:
	case ACL_INT4:
	case ACL_UINT1:
	case ACL_HIFLOAT8:
	case ACL_FLOAT8_E5M2:
	case ACL_FLOAT8_E4M3FN:
	case ACL_FLOAT8_E8M0:
		return 1;
	case ACL_FLOAT16:
	case ACL_INT16:
	case ACL_UINT16:
	case ACL_BF16:
		return 2;
	case ACL_FLOAT:
	case ACL_INT32:
	case ACL_UINT32:
	case ACL_COMPLEX32:
		return 4;
	case ACL_INT64:
	case ACL_UINT64:
	case ACL_DOUBLE:
	case ACL_COMPLEX64:
		return 8;
	case ACL_COMPLEX128:
		return 16;
	default:
		return 0;
	}
}

/* Level and text to standard error from warnings on; a lower level is dropped. */
void aclAppLog(aclLogLevel logLevel, const char *func, const char *file, uint32_t line,
	       const char *fmt, ...)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
	char text[1024];
	va_list args;

	if (!fmt || logLevel < ACL_WARNING || logLevel > ACL_ERROR)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "[%s] %s:%u %s: %s\n", names[logLevel], file ? file : "?", line,
		func ? func : "?", text);
}

#define HALF_MAX 0x7bffU

float aclFloat16ToFloat(aclFloat16 value)
{
	float size = (float)(1024 + (value & HALF_FRACTION)) * 64.0f;

	if ((value & HALF_EXPONENT) == HALF_EXPONENT)
		return value & 0x8000U ? -size : size;
	return half_to_float(value);
}

aclFloat16 aclFloatToFloat16(float value)
{
	aclFloat16 half = float_to_half(value);

	if ((half & HALF_EXPONENT) == HALF_EXPONENT)
		return (half & 0x8000U) | HALF_MAX;
	return half;
}
