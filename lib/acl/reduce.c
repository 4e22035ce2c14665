// SPDX-License-Identifier: MIT
/* Reductions: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "debug/debug.h"
#include "map/map.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

static aclError read_kind(aclrtReduceKind kind, enum reduce_kind *out)
{
	switch ((uint32_t)kind) {
	case ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM:
		*out = REDUCE_SUM;
		return ACL_SUCCESS;
	case ACL_RT_MEMCPY_SDMA_AUTOMATIC_MAX:
		*out = REDUCE_MAX;
		return ACL_SUCCESS;
	case ACL_RT_MEMCPY_SDMA_AUTOMATIC_MIN:
		*out = REDUCE_MIN;
		return ACL_SUCCESS;
	case ACL_RT_MEMCPY_SDMA_AUTOMATIC_EQUAL:
		return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
				  "kind = EQUAL (13): must be SUM, MAX or MIN");
	default:
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "kind = %d: must be SUM (10), MAX (11) or MIN (12)",
				  (int)kind);
	}
}

static aclError read_type(aclDataType type, enum reduce_type *out)
{
	static const struct {
		aclDataType from;
		enum reduce_type to;
	} types[] = {{ACL_INT8, REDUCE_INT8},	{ACL_INT16, REDUCE_INT16},
		     {ACL_INT32, REDUCE_INT32}, {ACL_FLOAT16, REDUCE_HALF},
		     {ACL_FLOAT, REDUCE_FLOAT}, {ACL_BF16, REDUCE_BFLOAT}};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].from == type) {
			*out = types[i].to;
			return ACL_SUCCESS;
		}
	}
	return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			  "type = %d: must be INT8, INT16, INT32, FLOAT16, FLOAT or BF16",
			  (int)type);
}

static aclError check_side(const void *ptr, const char *name, uint64_t count,
			   uint64_t size)
{
	if ((uintptr_t)ptr % size || count % size || !count)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "%s = %p, count = %llu: must be multiples of the "
				  "element's %llu bytes, count not 0",
				  name, ptr, (unsigned long long)count,
				  (unsigned long long)size);
	if (place_of(ptr) == PLACE_UNKNOWN)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "%s = %p: not memory of AscendCL", name, ptr);
	return ACL_SUCCESS;
}

aclError aclrtReduceAsync(void *dst, const void *src, uint64_t count,
			  aclrtReduceKind kind, aclDataType type, aclrtStream stream,
			  void *reserve)
{
	enum reduce_kind what = REDUCE_SUM;
	enum reduce_type of = REDUCE_INT8;
	aclError code = acl_enter(__func__) ?: acl_need(dst, "dst") ?:
			acl_need(src, "src");

	if (code)
		return code;
	if (reserve)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "reserve = %p: must be NULL",
				  reserve);
	code = context_need() ?: read_kind(kind, &what) ?: read_type(type, &of) ?:
	       check_side(dst, "dst", count, reduce_size(of)) ?:
	       check_side(src, "src", count, reduce_size(of));
	if (code)
		return code;
	if (check_wanted())
		check_copy(dst, src, count);
	return stream_result(reduce_submit(readonly_target(dst), src, count, what, of,
					   context_stream(stream)));
}
