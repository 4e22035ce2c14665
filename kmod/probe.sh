#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh KDIR DIR: what this kernel's headers offer, as #defines on standard
# output. Each probe is a few lines that compile or not; a version number would
# say less, because distributions carry features back.
set -eu

kdir=$1
dir=$2

rm -rf "$dir"
mkdir -p "$dir"

# The empty probe must compile: a broken kernel tree would otherwise look like
# a kernel that has nothing.
cat >"$dir/base.c" <<'C'
#include <linux/mm.h>
C

cat >"$dir/vm_flags_set.c" <<'C'
#include <linux/mm.h>
void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma) { vm_flags_set(vma, VM_MIXEDMAP); }
C

cat >"$dir/contig_acr_flags.c" <<'C'
#include <linux/gfp.h>
int probe(unsigned long a, unsigned long b);
int probe(unsigned long a, unsigned long b)
{
	return alloc_contig_range(a, b, ACR_FLAGS_NONE, GFP_KERNEL);
}
C

cat >"$dir/mm_get_unmapped_area.c" <<'C'
#include <linux/mm.h>
#include <linux/sched/mm.h>
unsigned long probe(struct file *f);
unsigned long probe(struct file *f)
{
	return mm_get_unmapped_area(current->mm, f, 0, 0, 0, 0);
}
C

cat >"$dir/get_unmapped_area_of_current.c" <<'C'
#include <linux/mm.h>
#include <linux/sched/mm.h>
unsigned long probe(struct file *f);
unsigned long probe(struct file *f) { return mm_get_unmapped_area(f, 0, 0, 0, 0); }
C

cat >"$dir/vma_start_write.c" <<'C'
#include <linux/mm.h>
void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma) { vma_start_write(vma); }
C

# pin_user_pages() with an array for the mappings: the kernels that have it pin what
# is not mapped (see aclkm_pin_user_pages).
cat >"$dir/pin_vmas.c" <<'C'
#include <linux/mm.h>
long probe(struct page **p, struct vm_area_struct **v);
long probe(struct page **p, struct vm_area_struct **v) { return pin_user_pages(0, 1, 0, p, v); }
C

# How the first tails of a compound page say what it is.
cat >"$dir/compound_page.c" <<'C'
#include <linux/mm.h>
void probe(struct page *p);
void probe(struct page *p)
{
	set_compound_page_dtor(p, COMPOUND_PAGE_DTOR);
	set_compound_order(p, 9);
	atomic_set(compound_mapcount_ptr(p), -1);
	atomic_set(compound_pincount_ptr(p), 0);
	p[1].compound_nr = 0;
}
C

cat >"$dir/compound_folio.c" <<'C'
#include <linux/mm.h>
void probe(struct folio *f);
void probe(struct folio *f)
{
	f->_flags_1 = 9;
	f->_folio_nr_pages = 512;
	atomic_set(&f->_large_mapcount, -1);
	atomic_set(&f->_entire_mapcount, -1);
	atomic_set(&f->_nr_pages_mapped, 0);
	atomic_set(&f->_pincount, 0);
	INIT_LIST_HEAD(&f->_deferred_list);
}
C

cat >"$dir/compound_mm_ids.c" <<'C'
#include <linux/mm.h>
void probe(struct page *tail, struct folio *f);
void probe(struct page *tail, struct folio *f)
{
	set_compound_head(tail, &f->page, 9);
	f->_flags_1 = 9;
	atomic_set(&f->_large_mapcount, -1);
	atomic_set(&f->_nr_pages_mapped, 0);
	atomic_set(&f->_entire_mapcount, -1);
	atomic_set(&f->_pincount, 0);
	f->_mm_ids = 0;
	f->_mm_id_mapcount[0] = f->_mm_id_mapcount[1] = -1;
	INIT_LIST_HEAD(&f->_deferred_list);
}
C

# Entries that have a reference of their unit.
cat >"$dir/insert_folio.c" <<'C'
#include <linux/mm.h>
#include <linux/huge_mm.h>
vm_fault_t probe(struct vm_fault *vmf, struct folio *f);
vm_fault_t probe(struct vm_fault *vmf, struct folio *f)
{
	return vmf_insert_folio_pmd(vmf, f, true) | vmf_insert_folio_pud(vmf, f, true) |
	       vmf_insert_page_mkwrite(vmf, &f->page, true);
}
C

cat >"$dir/insert_pfn_pmd.c" <<'C'
#include <linux/mm.h>
#include <linux/huge_mm.h>
#include <linux/pfn_t.h>
vm_fault_t probe(struct vm_fault *vmf);
vm_fault_t probe(struct vm_fault *vmf)
{
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(0), true) |
	       vmf_insert_pfn_pud(vmf, pfn_to_pfn_t(0), true);
}
C

# ->huge_fault gets the size of the entry by a name, and not as an order.
cat >"$dir/huge_fault_pe_size.c" <<'C'
#include <linux/mm.h>
enum page_entry_size probe = PE_SIZE_PMD;
C

cat >"$dir/system_dfl_wq.c" <<'C'
#include <linux/workqueue.h>
struct workqueue_struct *probe(void);
struct workqueue_struct *probe(void) { return system_dfl_wq; }
C

cat >"$dir/import_ns_word.c" <<'C'
#include <linux/module.h>
MODULE_IMPORT_NS(DMA_BUF);
C

cat >"$dir/rb_add.c" <<'C'
#include <linux/rbtree.h>
bool less(struct rb_node *a, const struct rb_node *b);
void probe(struct rb_node *n, struct rb_root *t);
void probe(struct rb_node *n, struct rb_root *t) { rb_add(n, t, less); }
C

# How ->vmap of a dma-buf hands over the address.
cat >"$dir/iosys_map.c" <<'C'
#include <linux/iosys-map.h>
void probe(struct iosys_map *m);
void probe(struct iosys_map *m) { iosys_map_set_vaddr(m, NULL); }
C

cat >"$dir/dma_buf_map.c" <<'C'
#include <linux/dma-buf-map.h>
void probe(struct dma_buf_map *m);
void probe(struct dma_buf_map *m) { dma_buf_map_set_vaddr(m, NULL); }
C

cat >"$dir/vmcore_cb.c" <<'C'
#include <linux/crash_dump.h>
void probe(struct vmcore_cb *cb);
void probe(struct vmcore_cb *cb) { register_vmcore_cb(cb); }
C

cat >"$dir/zap_special_vma_range.c" <<'C'
#include <linux/mm.h>
void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma) { zap_special_vma_range(vma, 0, PAGE_SIZE); }
C

cat >"$dir/vma_lookup.c" <<'C'
#include <linux/mm.h>
struct vm_area_struct *probe(struct mm_struct *mm);
struct vm_area_struct *probe(struct mm_struct *mm) { return vma_lookup(mm, 0); }
C

cat >"$dir/vm_ops_may_split.c" <<'C'
#include <linux/mm.h>
int may_split(struct vm_area_struct *vma, unsigned long addr);
struct vm_operations_struct probe = { .may_split = may_split };
C

cat >"$dir/vm_ops_mprotect.c" <<'C'
#include <linux/mm.h>
int change(struct vm_area_struct *vma, unsigned long a, unsigned long b, unsigned long flags);
struct vm_operations_struct probe = { .mprotect = change };
C

cat >"$dir/unpin_range.c" <<'C'
#include <linux/mm.h>
void probe(struct page *p);
void probe(struct page *p) { unpin_user_page_range_dirty_lock(p, 1, true); }
C

cat >"$dir/folio_has_hwpoisoned.c" <<'C'
#include <linux/mm.h>
void probe(struct page *p);
void probe(struct page *p) { folio_clear_has_hwpoisoned(page_folio(p)); }
C

cat >"$dir/page_has_hwpoisoned.c" <<'C'
#include <linux/mm.h>
void probe(struct page *p);
void probe(struct page *p) { ClearPageHasHWPoisoned(p); }
C

cat >"$dir/folio_pinned.c" <<'C'
#include <linux/mm.h>
bool probe(struct page *p);
bool probe(struct page *p) { return folio_maybe_dma_pinned(page_folio(p)); }
C

# What registers memory with the dmem controller has got a struct in place of a size.
cat >"$dir/dmem_init.c" <<'C'
#include <linux/cgroup_dmem.h>
struct dmem_cgroup_region *probe(const struct dmem_cgroup_init *i);
struct dmem_cgroup_region *probe(const struct dmem_cgroup_init *i)
{
	return dmem_cgroup_register_region(i, "probe");
}
C

cat >"$dir/dmem_bytes.c" <<'C'
#include <linux/cgroup_dmem.h>
struct dmem_cgroup_region *probe(u64 bytes);
struct dmem_cgroup_region *probe(u64 bytes)
{
	return dmem_cgroup_register_region(bytes, "probe");
}
C

names="base rb_add iosys_map dma_buf_map vmcore_cb vma_lookup vm_ops_may_split vm_ops_mprotect"
names="$names zap_special_vma_range unpin_range folio_has_hwpoisoned page_has_hwpoisoned folio_pinned"
names="$names dmem_init dmem_bytes"
names="$names vm_flags_set contig_acr_flags mm_get_unmapped_area compound_page compound_folio"
names="$names compound_mm_ids insert_folio get_unmapped_area_of_current"
names="$names pin_vmas vma_start_write insert_pfn_pmd huge_fault_pe_size system_dfl_wq import_ns_word"
for n in $names; do
	echo "obj-m += $n.o"
done >"$dir/Kbuild"

make -k -s -C "$kdir" M="$dir" modules >"$dir/log" 2>&1 || true
if [ ! -f "$dir/base.o" ]; then
	cat "$dir/log" >&2
	echo "probe.sh: nothing compiles against $kdir" >&2
	exit 1
fi

echo "/* Made by probe.sh. */"
for n in $names; do
	[ "$n" = base ] && continue
	[ -f "$dir/$n.o" ] && echo "#define ACLKM_HAVE_${n^^} 1"
done
exit 0
