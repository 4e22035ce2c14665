/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between kernels. The ACLKM_HAVE_* come from probe.sh.
 */
#ifndef ACLKM_COMPAT_H
#define ACLKM_COMPAT_H

#include <linux/backing-dev.h>
#if defined(ACLKM_HAVE_DMEM_BYTES) || defined(ACLKM_HAVE_DMEM_INIT)
#include <linux/cgroup_dmem.h>
#endif
#include <linux/crash_dump.h>
#if defined(ACLKM_HAVE_IOSYS_MAP)
#include <linux/iosys-map.h>
#elif defined(ACLKM_HAVE_DMA_BUF_MAP)
#include <linux/dma-buf-map.h>
#endif
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#ifdef ACLKM_HAVE_INSERT_PFN_PMD
#include <linux/pfn_t.h>
#endif
#include <linux/poison.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

/* Units of 2 MiB are entries of a table of 512 pages, here and in the interface. */
#if PAGE_SHIFT != 12
#error "aclkm needs a kernel with pages of 4 KiB (on arm64: CONFIG_ARM64_4K_PAGES)"
#endif

#ifdef ACLKM_HAVE_IMPORT_NS_WORD
#define ACLKM_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define ACLKM_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#endif

#ifndef ACLKM_HAVE_RB_ADD
static __always_inline void rb_add(struct rb_node *node, struct rb_root *tree,
				   bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &tree->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, tree);
}
#endif

/* ->vmap of a dma-buf whose kernel address is the result of a function: ADDRESS(dmabuf). */
#if defined(ACLKM_HAVE_IOSYS_MAP)
#define ACLKM_DMABUF_VMAP(name, address)					\
static int name(struct dma_buf *dmabuf, struct iosys_map *map)			\
{										\
	iosys_map_set_vaddr(map, address(dmabuf));				\
	return 0;								\
}
#elif defined(ACLKM_HAVE_DMA_BUF_MAP)
#define ACLKM_DMABUF_VMAP(name, address)					\
static int name(struct dma_buf *dmabuf, struct dma_buf_map *map)		\
{										\
	dma_buf_map_set_vaddr(map, address(dmabuf));				\
	return 0;								\
}
#else
#define ACLKM_DMABUF_VMAP(name, address)					\
static void *name(struct dma_buf *dmabuf)					\
{										\
	return address(dmabuf);							\
}
#endif

/* What asks IS_RAM(pfn) while a crash dump is read; older kernels have room for one. */
#ifdef ACLKM_HAVE_VMCORE_CB
#define ACLKM_VMCORE_FILTER(name, is_ram)					\
static bool name##_asks(struct vmcore_cb *cb, unsigned long pfn)		\
{										\
	return is_ram(pfn);							\
}										\
static struct vmcore_cb name = { .pfn_is_ram = name##_asks };
#define aclkm_vmcore_register(filter)	({ register_vmcore_cb(filter); 0; })
#define aclkm_vmcore_unregister(filter)	unregister_vmcore_cb(filter)
#else
#define ACLKM_VMCORE_FILTER(name, is_ram)					\
static int name(unsigned long pfn)						\
{										\
	return is_ram(pfn);							\
}
#define aclkm_vmcore_register(filter)	register_oldmem_pfn_is_ram(filter)
#define aclkm_vmcore_unregister(filter)	unregister_oldmem_pfn_is_ram()
#endif

/* Makes the memory "aclkm" of the dmem controller; NULL if the kernel has none. */
#if defined(ACLKM_HAVE_DMEM_INIT)
#define ACLKM_DMEM_REGISTER(bytes)						\
	dmem_cgroup_register_region(&(struct dmem_cgroup_init){ .size = bytes }, KBUILD_MODNAME)
#elif defined(ACLKM_HAVE_DMEM_BYTES)
#define ACLKM_DMEM_REGISTER(bytes)	dmem_cgroup_register_region(bytes, KBUILD_MODNAME)
#endif

/* The queue whose work may run on any CPU has got another name. */
#ifdef ACLKM_HAVE_SYSTEM_DFL_WQ
#define aclkm_unbound_wq	system_dfl_wq
#else
#define aclkm_unbound_wq	system_unbound_wq
#endif

/* What the core asks before it cuts a mapping in two. */
#ifdef ACLKM_HAVE_VM_OPS_MAY_SPLIT
#define ACLKM_VM_OPS_MAY_SPLIT	may_split
#else
#define ACLKM_VM_OPS_MAY_SPLIT	split
#endif

static inline void aclkm_vma_set_flags(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef ACLKM_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void aclkm_vma_clear_flags(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef ACLKM_HAVE_VM_FLAGS_SET
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* Drops all entries of a mapping of frame numbers. */
static inline void aclkm_vma_zap(struct vm_area_struct *vma)
{
#ifdef ACLKM_HAVE_ZAP_SPECIAL_VMA_RANGE
	zap_special_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
#else
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
#endif
}

/* Keeps out faults that need no mmap_lock, until the caller drops that. */
static inline void aclkm_vma_start_write(struct vm_area_struct *vma)
{
#ifdef ACLKM_HAVE_VMA_START_WRITE
	vma_start_write(vma);
#endif
}

#ifndef ACLKM_HAVE_VMA_LOOKUP
static inline struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && addr >= vma->vm_start ? vma : NULL;
}
#endif

/* Whether the pages of a mapping are a file's, and writeback expects to see each write. */
static inline bool aclkm_vma_has_writeback(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED && vma->vm_file &&
	       mapping_can_writeback(vma->vm_file->f_mapping);
}

/*
 * Pins pages for long; returns how many, at least 1, or an error.
 *
 * Later kernels see to it that the pinned page is the mapped page, also for readers
 * (they unshare copy-on-write pages), and refuse to pin a file's pages for writing.
 * The kernels before have neither rule: a read-only pin breaks copy-on-write here by
 * pinning for writing, and writable pages of a file with writeback are refused.
 */
static inline int aclkm_pin_user_pages(unsigned long addr, int nr, bool read_only,
				       struct page **pages)
{
#ifdef ACLKM_HAVE_PIN_VMAS
	unsigned int flags = FOLL_LONGTERM;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int got = -EFAULT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	if (!vma)
		goto unlock;
	nr = min_t(unsigned long, nr, PHYS_PFN(vma->vm_end - addr));
	if (!read_only) {
		flags |= FOLL_WRITE;
		got = -EOPNOTSUPP;
		if (aclkm_vma_has_writeback(vma))
			goto unlock;
	} else if (!(vma->vm_flags & VM_MAYSHARE)) {
		/* FOLL_FORCE would also take what the program itself cannot read. */
		if (!(vma->vm_flags & VM_READ))
			goto unlock;
		flags |= FOLL_WRITE | FOLL_FORCE;
	}
	got = pin_user_pages(addr, nr, flags, pages, NULL);
unlock:
	mmap_read_unlock(mm);
	return got;
#else
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int got = pin_user_pages_fast(addr, nr, FOLL_LONGTERM | (read_only ? 0 : FOLL_WRITE),
				      pages);

	/* The kernel answers -EFAULT, as for memory that is not mapped. */
	if (got == -EFAULT && !read_only && !mmap_read_lock_killable(mm)) {
		vma = vma_lookup(mm, addr);
		if (vma && aclkm_vma_has_writeback(vma))
			got = -EOPNOTSUPP;
		mmap_read_unlock(mm);
	}
	return got;
#endif
}

/* Whether a page, or the compound page that it belongs to, is pinned for DMA. */
static inline bool aclkm_page_is_pinned(struct page *page)
{
#ifdef ACLKM_HAVE_FOLIO_PINNED
	return folio_maybe_dma_pinned(page_folio(page));
#else
	return page_maybe_dma_pinned(page);
#endif
}

/* Unpins contiguous pages. */
static inline void aclkm_unpin_user_pages(struct page *first, unsigned long nr, bool dirty)
{
#ifdef ACLKM_HAVE_UNPIN_RANGE
	unpin_user_page_range_dirty_lock(first, nr, dirty);
#else
	unsigned long pfn = page_to_pfn(first), end = pfn + nr;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		unpin_user_pages_dirty_lock(&page, 1, dirty);
	}
#endif
}

static inline unsigned long aclkm_unmapped_area(struct file *filp, unsigned long addr,
						unsigned long len, unsigned long pgoff,
						unsigned long flags)
{
#if defined(ACLKM_HAVE_GET_UNMAPPED_AREA_OF_CURRENT)
	return mm_get_unmapped_area(filp, addr, len, pgoff, flags);
#elif defined(ACLKM_HAVE_MM_GET_UNMAPPED_AREA)
	return mm_get_unmapped_area(current->mm, filp, addr, len, pgoff, flags);
#else
	return current->mm->get_unmapped_area(filp, addr, len, pgoff, flags);
#endif
}

/* Takes every page of [start, end) out of the page allocator, each with one reference. */
static inline int aclkm_contig_take(unsigned long start, unsigned long end)
{
#ifdef ACLKM_HAVE_CONTIG_ACR_FLAGS
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

/*
 * Compound pages by hand: prep_compound_page() is exported nowhere. The fields of
 * the first tails have moved between kernels; where neither layout is known, the
 * module works without huge entries.
 */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && \
	(defined(ACLKM_HAVE_COMPOUND_PAGE) || defined(ACLKM_HAVE_COMPOUND_FOLIO)) && \
	defined(ACLKM_HAVE_INSERT_PFN_PMD)
#define ACLKM_HUGE 1
#elif defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(ACLKM_HAVE_COMPOUND_MM_IDS) && \
	defined(ACLKM_HAVE_INSERT_FOLIO) && defined(CONFIG_FS_DAX)
#define ACLKM_HUGE 1
#define ACLKM_HUGE_FOLIO 1
#else
#define ACLKM_HUGE 0
#endif

/*
 * Where nobody can pin an entry that is a plain frame number, entries have a
 * reference of their unit. The core drops these again only in mappings that are DAX,
 * and copies 1 GiB entries without one on fork() if a mapping has VM_MIXEDMAP.
 */
#ifndef ACLKM_HUGE_FOLIO
#define ACLKM_HUGE_FOLIO 0
#endif

/*
 * Where ->huge_fault is only for inodes with S_DAX, and that is 0 because the kernel
 * has no FS_DAX, ->fault enters units of 2 MiB: it comes before the page table.
 */
#if ACLKM_HUGE && defined(ACLKM_HAVE_HUGE_FAULT_PE_SIZE) && !defined(CONFIG_FS_DAX)
#define ACLKM_HUGE_IN_FAULT 1
#else
#define ACLKM_HUGE_IN_FAULT 0
#endif

/* Whether faults can enter whole units in mappings of this file. */
static inline bool aclkm_file_faults_units(const struct file *file)
{
#if defined(ACLKM_HAVE_HUGE_FAULT_PE_SIZE) || ACLKM_HUGE_FOLIO
	return ACLKM_HUGE_IN_FAULT || IS_DAX(file->f_mapping->host);
#else
	return true;
#endif
}

#if ACLKM_HUGE
static inline void aclkm_compound_add_tail(struct page *head, struct page *tail,
					   unsigned int order)
{
	tail->mapping = TAIL_MAPPING;
#if ACLKM_HUGE_FOLIO
	set_compound_head(tail, head, order);
#else
	set_compound_head(tail, head);
#endif
	set_page_count(tail, 0);
}

static inline void aclkm_compound_drop_tail(struct page *head, struct page *tail)
{
	clear_compound_head(tail);
	/* The same word, in pages of a carve-out. */
	if (is_zone_device_page(head)) {
#if ACLKM_HUGE_FOLIO
		((struct folio *)tail)->pgmap = ((struct folio *)head)->pgmap;
#else
		tail->pgmap = head->pgmap;
#endif
	}
	tail->mapping = NULL;
	set_page_count(tail, 1);
}

static inline void aclkm_compound_set_head(struct page *head, unsigned int order)
{
#if ACLKM_HUGE_FOLIO
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | order;
#ifdef NR_PAGES_IN_LARGE_FOLIO
	folio->_nr_pages = 1U << order;
#endif
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_entire_mapcount, -1);
	atomic_set(&folio->_pincount, 0);
	folio->_mm_ids = 0;
	folio->_mm_id_mapcount[0] = -1;
	folio->_mm_id_mapcount[1] = -1;
	INIT_LIST_HEAD(&folio->_deferred_list);
#elif defined(ACLKM_HAVE_COMPOUND_FOLIO)
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | order;
#ifdef CONFIG_64BIT
	folio->_folio_nr_pages = 1U << order;
#endif
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_entire_mapcount, -1);
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_pincount, 0);
	INIT_LIST_HEAD(&folio->_deferred_list);
#elif defined(ACLKM_HAVE_COMPOUND_PAGE)
	set_compound_page_dtor(head, COMPOUND_PAGE_DTOR);
	set_compound_order(head, order);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
#endif
	__SetPageHead(head);
}

static inline void aclkm_compound_clear_head(struct page *head)
{
	/* memory_failure() sets it in units that it cannot split. */
#if defined(ACLKM_HAVE_FOLIO_HAS_HWPOISONED)
	folio_clear_has_hwpoisoned(page_folio(head));
#elif defined(ACLKM_HAVE_PAGE_HAS_HWPOISONED)
	ClearPageHasHWPoisoned(head);
#endif
#if ACLKM_HUGE_FOLIO
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 &= ~0xffUL;
#ifdef NR_PAGES_IN_LARGE_FOLIO
	folio->_nr_pages = 0;
#endif
	folio->_mm_ids = 0;
#elif defined(ACLKM_HAVE_COMPOUND_FOLIO)
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 &= ~0xffUL;
#ifdef CONFIG_64BIT
	folio->_folio_nr_pages = 0;
#endif
#elif defined(ACLKM_HAVE_COMPOUND_PAGE)
	set_compound_order(head, 0);
#ifdef CONFIG_64BIT
	head[1].compound_nr = 0;
#endif
#endif
	__ClearPageHead(head);
}
#else
/* No compound page is made, and none is broken. */
static inline void aclkm_compound_add_tail(struct page *head, struct page *tail, int order) { }
static inline void aclkm_compound_drop_tail(struct page *head, struct page *tail) { }
static inline void aclkm_compound_set_head(struct page *head, int order) { }
static inline void aclkm_compound_clear_head(struct page *head) { }
#endif

/*
 * Whether get_user_pages takes 1 GiB entries. Where it does not, it would look for
 * a table under the entry for ever, unless the entry is marked as a device's:
 * then it fails, with -EFAULT.
 */
#define ACLKM_GUP_PUD	IS_ENABLED(CONFIG_PGTABLE_HAS_HUGE_LEAVES)
#define ACLKM_PFN_PUD	(ACLKM_GUP_PUD ? 0 : PFN_DEV | PFN_MAP)

/* Without ->mprotect, mprotect() would take the memory of 1 GiB entries for tables. */
#if ACLKM_HUGE && !ACLKM_HUGE_IN_FAULT && defined(ACLKM_HAVE_VM_OPS_MPROTECT) && \
	defined(CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)
#define ACLKM_HUGE_PUD	1
#else
#define ACLKM_HUGE_PUD	0
#endif

#if ACLKM_HUGE_FOLIO
static inline vm_fault_t aclkm_insert_pmd(struct vm_fault *vmf, unsigned long pfn, bool write)
{
	return vmf_insert_folio_pmd(vmf, page_folio(pfn_to_page(pfn)), write);
}

static inline vm_fault_t aclkm_insert_pud(struct vm_fault *vmf, unsigned long pfn, bool write)
{
#if ACLKM_HUGE_PUD
	return vmf_insert_folio_pud(vmf, page_folio(pfn_to_page(pfn)), write);
#else
	return VM_FAULT_FALLBACK;
#endif
}
#elif ACLKM_HUGE
static inline vm_fault_t aclkm_insert_pmd(struct vm_fault *vmf, unsigned long pfn, bool write)
{
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), write);
}

static inline vm_fault_t aclkm_insert_pud(struct vm_fault *vmf, unsigned long pfn, bool write)
{
#if ACLKM_HUGE_PUD
	return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, ACLKM_PFN_PUD), write);
#else
	return VM_FAULT_FALLBACK;
#endif
}
#endif

/*
 * Enters one page in a fault. Not by vmf->page: the core would enter a whole unit,
 * and count it as a file's. vm_insert_page() is only for mappings with VM_MIXEDMAP.
 */
static inline vm_fault_t aclkm_insert_page(struct vm_fault *vmf, struct page *page)
{
#ifdef ACLKM_HAVE_INSERT_FOLIO
	return vmf_insert_page_mkwrite(vmf, page, vmf->flags & FAULT_FLAG_WRITE);
#else
	int err = vm_insert_page(vmf->vma, vmf->address, page);

	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	return err && err != -EBUSY ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
#endif
}

#endif /* ACLKM_COMPAT_H */
