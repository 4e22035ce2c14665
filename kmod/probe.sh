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

names="base vm_flags_set contig_acr_flags"
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
