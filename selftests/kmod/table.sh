#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The table of mapping modes in Documentation/kernel-table.md, measured in a
# guest of each kernel: prints it, as aligned Markdown or, with --json, as JSON.
# --write puts it into the document as well.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$(dirname "$here")")
build=$top/build
document=$top/Documentation/kernel-table.md
# shellcheck source=../../tools/common.sh
. "$top/tools/common.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL

kernels=() json='' write=''
while [[ $# -gt 0 ]]; do
    case $1 in
    --json) json=1 ;;
    --write) write=1 ;;
    -*) die "usage: ${0##*/} [--json] [--write] [KERNEL...]   (6.1 6.12)" ;;
    *) kernels+=("$1") ;;
    esac
    shift
done
if [[ ${#kernels[@]} == 0 ]]; then kernels=(6.1 6.12); fi

"$top/tools/install-deps.sh" test vm
assignments=$("$top/tools/fetch-kselftest.sh" 6.1)
eval "$assignments"
make --no-print-directory -C "$here" KSFT="$KSFT" B="$build/kselftest" "$build/kselftest/mapping_table" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=$work/rows
: >"$rows"

for kernel in "${kernels[@]}"; do
    assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"
    make --no-print-directory -C "$top/kmod" KDIR="$KDIR" B="$build/kmod-$kernel" >&2
    rm -f "$work/disk"
    truncate -s 256M "$work/disk"
    # nokaslr: 4 GiB hold one whole GiB that firmware and boot data leave alone.
    "$top/selftests/vm/run.sh" --kernel "$kernel" --memory 4096 --append nokaslr --timeout 600 \
        --name "table, Linux $kernel" --quiet --log "$work/log" \
        --module "$build/kmod-$kernel/aclkm.ko" --file "$build/kselftest/mapping_table" \
        --kmods 'virtio_pci virtio_blk' \
        --qemu "-drive file=$work/disk,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/guest-table.sh" || {
        tail -n 20 "$work/log" >&2
        die "the guest of Linux $kernel failed"
    }
    sed -n '/^aclkm-table: begin/,/^aclkm-table: end/{/^aclkm-table/!p}' "$work/log" |
        sed "s/^/${KVER%-amd64}\t/" >>"$rows"
done

as_json() {
    awk -F '\t' '
        function value(text) { return text ~ /^[0-9]+$/ ? text : "\"" text "\"" }
        BEGIN { printf "[" }
        { printf "%s\n  {\"kernel\": \"%s\", \"mode\": \"%s\", \"entry_bytes\": %s, \"faults\": %s, \"page_table_kib\": %s, \"gup\": %s, \"o_direct_mib\": %s}",
            NR > 1 ? "," : "", $1, $2, value($3), value($4), value($5), value($6), value($7) }
        END { print "\n]" }' "$rows"
}

as_table() {
    awk -F '\t' '
        function size(n) {
            return n !~ /^[0-9]/ ? n : n >= 2^30 ? n / 2^30 " GiB" : n >= 2^20 ? n / 2^20 " MiB" : n / 1024 " KiB"
        }
        function put(row, c, text) { cell[row, c] = text; if (length(text) > width[c]) width[c] = length(text) }
        function line(row,   c) {
            for (c = 1; c <= 7; c++)
                printf(c >= 3 && c <= 5 || c == 7 ? "| %" width[c] "s " : "| %-" width[c] "s ", cell[row, c])
            print "|"
        }
        BEGIN {
            n = split("kernel,mode,largest entry,faults to touch 1 GiB,page tables,GUP,O_DIRECT MiB verified", head, ",")
            for (c = 1; c <= n; c++) put(0, c, head[c])
        }
        {
            for (c = 1; c <= 7; c++) put(NR, c, c == 3 ? size($c) : c == 5 && $c ~ /^[0-9]/ ? $c " KiB" : $c)
        }
        END {
            line(0)
            for (c = 1; c <= 7; c++) {
                dashes = sprintf("%" width[c] "s", "")
                gsub(/ /, "-", dashes)
                printf(c >= 3 && c <= 5 || c == 7 ? "|%s-:" : "| %s ", dashes)
            }
            print "|"
            for (row = 1; row <= NR; row++) line(row)
        }' "$rows"
}

if [[ -n $json ]]; then as_json; else as_table; fi
if [[ -n $write ]]; then
    [[ -f $document ]] || die "no $document"
    as_table >"$work/table"
    awk -v table="$work/table" '
        /^<!-- table: end/ { inside = 0 }
        !inside { print }
        /^<!-- table: begin/ { inside = 1; while ((getline line <table) > 0) print line }' \
        "$document" >"$work/document"
    cp "$work/document" "$document"
fi
