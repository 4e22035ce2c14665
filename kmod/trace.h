/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, in /sys/kernel/tracing/events/aclkm. They name places by arena and
 * offset in it, not by physical address.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM aclkm

#if !defined(ACLKM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ACLKM_TRACE_H

#include <linux/mm_types.h>
#include <linux/tracepoint.h>

#include "aclkm.h"

DECLARE_EVENT_CLASS(aclkm_region_class,
	TP_PROTO(const struct aclkm_region *region),
	TP_ARGS(region),
	TP_STRUCT__entry(
		__field(unsigned int, arena)
		__field(u64, offset)
		__field(u64, len)
		__field(u64, align)
		__field(u8, map_order)
		__field(u8, cache)
	),
	TP_fast_assign(
		__entry->arena = region->arena->id;
		__entry->offset = region->extent->start - region->arena->start;
		__entry->len = region->extent->len;
		__entry->align = BIT_ULL(region->align_shift);
		__entry->map_order = region->map_order;
		__entry->cache = region->cache;
	),
	TP_printk("arena=%u offset=0x%llx len=0x%llx align=0x%llx map_order=%u cache=%u",
		  __entry->arena, __entry->offset, __entry->len, __entry->align,
		  __entry->map_order, __entry->cache)
);

DEFINE_EVENT(aclkm_region_class, aclkm_alloc,
	TP_PROTO(const struct aclkm_region *region),
	TP_ARGS(region)
);

DEFINE_EVENT(aclkm_region_class, aclkm_release,
	TP_PROTO(const struct aclkm_region *region),
	TP_ARGS(region)
);

TRACE_EVENT(aclkm_alloc_fail,
	TP_PROTO(u64 size, u64 align, int node, u32 reason, int err),
	TP_ARGS(size, align, node, reason, err),
	TP_STRUCT__entry(
		__field(u64, size)
		__field(u64, align)
		__field(int, node)
		__field(u32, reason)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->size = size;
		__entry->align = align;
		__entry->node = node;
		__entry->reason = reason;
		__entry->err = err;
	),
	TP_printk("size=0x%llx align=0x%llx node=%d reason=%u err=%d", __entry->size,
		  __entry->align, __entry->node, __entry->reason, __entry->err)
);

TRACE_EVENT(aclkm_map,
	TP_PROTO(const struct aclkm_region *region, const struct vm_area_struct *vma, int err),
	TP_ARGS(region, vma, err),
	TP_STRUCT__entry(
		__field(unsigned int, arena)
		__field(u64, offset)
		__field(unsigned long, start)
		__field(unsigned long, len)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->arena = region->arena->id;
		__entry->offset = region->extent->start - region->arena->start +
				  (((u64)vma->vm_pgoff << PAGE_SHIFT) & (ACLKM_REGION_MAX - 1));
		__entry->start = vma->vm_start;
		__entry->len = vma->vm_end - vma->vm_start;
		__entry->err = err;
	),
	TP_printk("arena=%u offset=0x%llx addr=0x%lx len=0x%lx err=%d", __entry->arena,
		  __entry->offset, __entry->start, __entry->len, __entry->err)
);

TRACE_EVENT(aclkm_fault,
	TP_PROTO(const struct aclkm_region *region, u64 at, unsigned int order),
	TP_ARGS(region, at, order),
	TP_STRUCT__entry(
		__field(unsigned int, arena)
		__field(u64, offset)
		__field(unsigned int, order)
	),
	TP_fast_assign(
		__entry->arena = region->arena->id;
		__entry->offset = region->extent->start - region->arena->start + at;
		__entry->order = order;
	),
	TP_printk("arena=%u offset=0x%llx order=%u", __entry->arena, __entry->offset,
		  __entry->order)
);

TRACE_EVENT(aclkm_export,
	TP_PROTO(const struct aclkm_region *region, u64 at, u64 len, int err),
	TP_ARGS(region, at, len, err),
	TP_STRUCT__entry(
		__field(int, arena)
		__field(u64, offset)
		__field(u64, len)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->arena = region ? (int)region->arena->id : -1;
		__entry->offset = region ? region->extent->start - region->arena->start + at : at;
		__entry->len = len;
		__entry->err = err;
	),
	TP_printk("arena=%d offset=0x%llx len=0x%llx err=%d", __entry->arena, __entry->offset,
		  __entry->len, __entry->err)
);

TRACE_EVENT(aclkm_scrub,
	TP_PROTO(unsigned int arena, u64 offset, u64 len),
	TP_ARGS(arena, offset, len),
	TP_STRUCT__entry(
		__field(unsigned int, arena)
		__field(u64, offset)
		__field(u64, len)
	),
	TP_fast_assign(
		__entry->arena = arena;
		__entry->offset = offset;
		__entry->len = len;
	),
	TP_printk("arena=%u offset=0x%llx len=0x%llx", __entry->arena, __entry->offset,
		  __entry->len)
);

#endif /* ACLKM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
