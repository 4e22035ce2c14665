// SPDX-License-Identifier: MIT
/* acl.rt: copies and sets. */
#include "args.h"

#define KIND(i) ((aclrtMemcpyKind)w[i])

ACL_RET(memcpy, "kkkkI", aclrtMemcpy(PTR(0), w[1], PTR(2), w[3], KIND(4)))
ACL_RET(memcpy_async, "kkkkIk",
	aclrtMemcpyAsync(PTR(0), w[1], PTR(2), w[3], KIND(4), PTR(5)))
ACL_RET(memcpy_async_with_condition, "kkkkIk",
	aclrtMemcpyAsyncWithCondition(PTR(0), w[1], PTR(2), w[3], KIND(4), PTR(5)))
ACL_RET(memcpy2d, "kkkkkkI",
	aclrtMemcpy2d(PTR(0), w[1], PTR(2), w[3], w[4], w[5], KIND(6)))
ACL_RET(memcpy2d_async, "kkkkkkIk",
	aclrtMemcpy2dAsync(PTR(0), w[1], PTR(2), w[3], w[4], w[5], KIND(6), PTR(7)))
ACL_RET(memset, "kkik", aclrtMemset(PTR(0), w[1], I32(2), w[3]))
ACL_RET(memset_async, "kkikk", aclrtMemsetAsync(PTR(0), w[1], I32(2), w[3], PTR(4)))
ACL_OUT(get_memcpy_desc_size, "I", size_t, aclrtGetMemcpyDescSize(KIND(0), &out))
ACL_RET(set_memcpy_desc, "kIkkkk",
	aclrtSetMemcpyDesc(PTR(0), KIND(1), PTR(2), PTR(3), w[4], PTR(5)))
ACL_RET(memcpy_async_with_desc, "kIk", aclrtMemcpyAsyncWithDesc(PTR(0), KIND(1), PTR(2)))
ACL_RET(cmo_async, "kkIk", aclrtCmoAsync(PTR(0), w[1], (aclrtCmoType)w[2], PTR(3)))
ACL_RET(mem_flush, "kk", aclrtMemFlush(PTR(0), w[1]))
ACL_RET(mem_invalidate, "kk", aclrtMemInvalidate(PTR(0), w[1]))

PyMethodDef acl_copy_methods[] = {
	FN(memcpy, "(dst, dst_max, src, count, kind)", "Copy now. Gives ret."),
	FN(memcpy_async, "(dst, dst_max, src, count, kind, stream)",
	   "Copy in a stream. Memory that AscendCL did not give, such as that of bytes,\n"
	   "is copied before the call returns. Gives ret."),
	FN(memcpy_async_with_condition, "(dst, dst_max, src, count, kind, stream)",
	   "Deprecated: memcpy_async. Gives ret."),
	FN(memcpy2d, "(dst, dpitch, src, spitch, width, height, kind)",
	   "Copy rows now. Gives ret."),
	FN(memcpy2d_async, "(dst, dpitch, src, spitch, width, height, kind, stream)",
	   "Copy rows in a stream. Gives ret."),
	FN(memset, "(ptr, max_count, value, count)", "Fill now. Gives ret."),
	FN(memset_async, "(ptr, max_count, value, count, stream)",
	   "Fill in a stream. Gives ret."),
	FN(get_memcpy_desc_size, "(kind)",
	   "Bytes of a copy that is described in memory. Gives (size, ret)."),
	FN(set_memcpy_desc, "(desc, kind, src_addr, dst_addr, count, config)",
	   "Describe a copy; config 0. Gives ret."),
	FN(memcpy_async_with_desc, "(desc, kind, stream)",
	   "Copy in a stream what is described when it runs. Gives ret."),
	FN(cmo_async, "(src, size, cmo_type, stream)", "A cache hint. Gives ret."),
	FN(mem_flush, "(ptr, size)", "Never needed. Gives ret."),
	FN(mem_invalidate, "(ptr, size)", "Never needed. Gives ret."),
	FN_END,
};
