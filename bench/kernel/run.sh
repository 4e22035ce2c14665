#!/bin/bash
# SPDX-License-Identifier: MIT
# Instructions to allocate, map, touch, unmap and free device memory: aclkm
# beside the kernel's own ways, in one guest whose clock counts instructions.
# Prints aligned Markdown, or JSON with --json; --write puts it into
# Documentation/kernel-bench.md as well; --cycles and --pieces measure one half only,
# --own the cycles of aclkm alone.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$(dirname "$here")")
build=$top/build
document=$top/Documentation/kernel-bench.md
# shellcheck source=../../tools/common.sh
. "$top/tools/common.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL

# "bench" is a kernel of our own with the heaps; Debian's have no CMA heap.
kernel=bench json='' write='' only=''
while [[ $# -gt 0 ]]; do
    case $1 in
    --json) json=1 ;;
    --write) write=1 ;;
    --cycles | --pieces | --own) only=${1#--} ;;
    -*) die "usage: ${0##*/} [--json] [--write] [--cycles|--pieces|--own] [KERNEL]   (bench, or 6.12 without a CMA heap)" ;;
    *) kernel=$1 ;;
    esac
    shift
done

"$top/tools/install-deps.sh" test vm
assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
eval "$assignments"
make --no-print-directory -C "$top/kmod" KDIR="$KDIR" B="$build/kmod-$kernel" >&2
mkdir -p "$build/bench"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$top/include/uapi" -static -pthread \
    -o "$build/bench/cycle" "$here/cycle.c"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "aclkm-bench: Linux $KVER, some minutes"
# nokaslr and the order of the reservations: the same memory map each time.
"$top/selftests/vm/run.sh" --icount --kernel "$kernel" --memory 8192 --timeout 1800 \
    --boot-timeout 300 --name 'bench' --quiet --log "$build/bench/log" \
    --append 'nokaslr cma=1088M default_hugepagesz=2M hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=520 udmabuf.size_limit_mb=1024 init_on_alloc=0' \
    --module "$build/kmod-$kernel/aclkm.ko" --file "$build/bench/cycle" -- "$here/guest.sh" ${only:+"$only"} || {
    tail -n 20 "$build/bench/log" >&2
    die 'the guest failed'
}
rows=$work/rows
sed -n '/^aclkm-bench: begin/,/^aclkm-bench: end/{/^aclkm-bench/!p}' "$build/bench/log" >"$rows"

as_json() {
    awk -F '\t' -v kernel="$KVER" '
        function value(text) { return text ~ /^-?[0-9]+$/ ? text : "null" }
        $1 == "cycle" {
            cycles = cycles sprintf("%s\n    {\"name\": \"%s\", \"size\": %s, \"thread\": %s, \"whole\": %s%s}", cycles == "" ? "" : ",",
                $2, $3, value($4), value($5), value($4) == "null" ? ", \"error\": \"" $5 "\"" : "")
        }
        $1 == "pieces" {
            pieces = pieces sprintf("%s\n    {\"pieces\": %s, \"request\": \"%s\", \"thread\": %s}", pieces == "" ? "" : ",", $2, $3, $4)
        }
        $1 == "note" { notes = notes sprintf("%s\n    \"%s\"", notes == "" ? "" : ",", $2) }
        END {
            printf "{\n  \"kernel\": \"%s\",\n  \"unit\": \"instructions\",\n", kernel
            printf "  \"cycles\": [%s\n  ],\n  \"free_pieces\": [%s\n  ],\n  \"notes\": [%s\n  ]\n}\n", cycles, pieces, notes
        }' "$rows"
}

# Lines of tab-separated cells as an aligned table; all columns but the first @left are numbers.
aligned() {
    awk -F '\t' -v left="$1" '
        { for (c = 1; c <= NF; c++) { cell[NR, c] = $c; if (length($c) > width[c]) width[c] = length($c) } if (NF > n) n = NF }
        END {
            for (row = 1; row <= NR; row++) {
                for (c = 1; c <= n; c++) printf(c <= left ? "| %-" width[c] "s " : "| %" width[c] "s ", cell[row, c])
                print "|"
                if (row > 1) continue
                for (c = 1; c <= n; c++) {
                    dashes = sprintf("%" width[c] "s", "")
                    gsub(/ /, "-", dashes)
                    printf(c <= left ? "| %s " : "|%s-:", dashes)
                }
                print "|"
            }
        }'
}

as_table() {
    printf 'Linux %s, instructions, medians; the ratio is to aclkm in the same guest.\n\n' "$KVER"
    awk -F '\t' -v OFS='\t' '
        function size(n) { return n >= 2^30 ? n / 2^30 " GiB" : n >= 2^20 ? n / 2^20 " MiB" : n / 1024 " KiB" }
        function commas(n,   text) {
            text = ""
            while (length(n) > 3) { text = "," substr(n, length(n) - 2) text; n = substr(n, 1, length(n) - 3) }
            return n text
        }
        function ratio(a, b) { return b > 0 ? sprintf(a / b < 10 ? "%.2f" : "%.0f", a / b) : "-" }
        BEGIN { print "size", "memory from", "calling thread", "ratio", "whole guest", "ratio" }
        $1 == "cycle" {
            if (!($3 in seen)) { seen[$3] = 1; order[++sizes] = $3 }
            names[$3] = names[$3] "\n" $2
            thread[$3, $2] = $4
            whole[$3, $2] = $5
        }
        END {
            for (i = 1; i <= sizes; i++) {
                s = order[i]
                n = split(substr(names[s], 2), name, "\n")
                for (k = 1; k <= n; k++) {
                    t = thread[s, name[k]]
                    w = whole[s, name[k]]
                    if (t == "-") print size(s), name[k], w, "-", "-", "-"
                    else print size(s), name[k], commas(t), ratio(t, thread[s, "aclkm"]), commas(w), ratio(w, whole[s, "aclkm"])
                }
            }
        }' "$rows" | aligned 2
    echo
    awk -F '\t' -v OFS='\t' '
        BEGIN { print "allocate and free, once", "10 free pieces", "1,000", "10,000", "100,000", "100,000 to 10" }
        $1 == "pieces" { if (!($3 in seen)) { seen[$3] = 1; order[++n] = $3 } cost[$3, $2] = $4 }
        END {
            for (i = 1; i <= n; i++) {
                r = order[i]
                print r, cost[r, 10], cost[r, 1000], cost[r, 10000], cost[r, 100000],
                    (cost[r, 10] + 0 ? sprintf("%.2f", cost[r, 100000] / cost[r, 10]) : "-")
            }
        }' "$rows" | aligned 1
    awk -F '\t' '$1 == "note" { if (!n++) print ""; print "- " $2 "." }' "$rows"
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
