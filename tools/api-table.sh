#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes Documentation/ascendcl-table.md: each function of AscendCL's runtime, whether it
# works here or answers 207000, and which unit tests name it; and the names that stand in
# include/acl/acl_rt.h for build systems that look for them there.
#
#   tools/api-table.sh           writes both
#   tools/api-table.sh --check   fails when one is not up to date
set -euo pipefail
export LC_ALL=C
top=$(dirname "$(dirname "$(readlink -f "$0")")")
cd "$top"
out=Documentation/ascendcl-table.md
list=Documentation/ascendcl-functions.txt
index=include/acl/acl_rt.h

# "name text" for each function that lib/acl/ refuses; the text says what is missing.
refused() {
    cat lib/acl/*.c | tr '\n' ' ' | sed 's/#define \([A-Z_]*\) "\([^"]*\)"/;define \1|\2;/g' | tr ';' '\n' |
        awk '/^define / { sub(/^define /, ""); split($0, d, "|"); text[d[1]] = d[2]; next }
            /^ *REFUSED[_A-Z]*\(/ {
                sub(/^[^(]*\(/, ""); sub(/\).*/, ""); gsub(/[ \t]/, "")
                n = split($0, a, ",")
                print a[n - 1], text[a[n]]
            }'
}

# "name test" for each call in the unit tests, "name -" for each declaration, "name =text"
# for each refused function.
facts() {
    cat include/acl/*.h include/acl/*/*.h | tr '\n' ' ' | tr ';' '\n' |
        sed -n 's/.*ACL_FUNC_VISIBILITY [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/\1 -/p'
    refused | sed 's/ / =/'
    sed -n 's/^acl[A-Za-z]* \(acl[A-Za-z0-9_]*\)(.*/\1 +/p' lib/acl/kernel.c lib/acl/launch.c
    for f in selftests/unit/test_*.[cs]*; do
        { grep -oE '\b(acl|rt[A-Z]|hi_mpi_)[A-Za-z0-9_]+' "$f" || true; } | sort -u | sed "s|\$| $(basename "$f" .c)|"
    done
}

table() {
    facts | awk -v list="$list" '
        $2 == "-" { declared[$1] = 1; next }
        $2 ~ /^=/ { why = $0; sub(/^[^=]*=/, "", why); missing[$1] = why; next }
        $2 == "+" { with[$1] = " with `ACLKM_KERNELS`"; next }
        { tests[$1] = tests[$1] (tests[$1] ? ", " : "") $2 }
        END {
            while ((getline line < list) > 0) {
                if (line ~ /^#/ || line == "") continue
                if (line ~ /^@/) { part++; title[part] = substr(line, 3); continue }
                if (line ~ /^=/) { areas = areas "* " substr(line, 3) "\n"; continue }
                known[line] = 1
                total[part]++
                if (!(line in declared)) {
                    absent++
                    rows[part] = rows[part] "| `" line "` | **absent** | |\n"
                } else if (line in missing) {
                    refuses[part]++
                    rows[part] = rows[part] "| `" line "` | answers 207000 | " missing[line] " |\n"
                } else {
                    works[part]++
                    rows[part] = rows[part] "| `" line "` | works" with[line] " | " (line in tests ? tests[line] : "**no test names it**") " |\n"
                    if (!(line in tests)) untested++
                }
            }
            for (name in declared)
                if (!(name in known)) { print "not in " list ": " name > "/dev/stderr"; bad = 1 }
            if (bad) exit 1
            print "# Functions of AscendCL\n"
            print "Made by `tools/api-table.sh` from the headers in `include/acl`, the tables of refused functions in"
            print "`lib/acl`, the unit tests and `" list "`. Change these, then run `make api-table`.\n"
            print "A function *works*, with the rules that its header says; or it *answers 207000* (NULL where it returns a"
            print "pointer, 0 where it returns a number) and `aclGetRecentErrMsg()` tells what the table tells here."
            print "A function marked `ACLKM_KERNELS` answers 207000 where that variable is not set ([kernels.md](kernels.md))."
            print "`test_names` calls each of those. Functions of these areas that no table names are out of scope: they are"
            print "neither declared nor exported.\n"
            printf "%s", areas
            for (p = 1; p <= part; p++) {
                printf "\n## %s\n\n%d functions: %d work, %d answer 207000, %d are absent.\n\n", title[p], total[p], works[p], refuses[p], total[p] - works[p] - refuses[p]
                print "| function | here | tested by, or what is missing |\n| --- | --- | --- |"
                printf "%s", rows[p]
            }
        }'
}

# The types, constants and functions of each header of the runtime, 88 columns wide.
names() {
    local f
    for f in include/acl/rt/*.h include/acl/acl_rt_allocator.h; do
        [[ $f == */runtime.h ]] && continue
        echo " * ${f#include/acl/}:"
        sed -e 's|//.*||' "$f" | tr '\n' ' ' | sed -e 's|/\*|\x01|g; s|\*/|\x02|g; s|\x01[^\x02]*\x02||g' |
            grep -oE '\b(aclrt|aclmdl|aclsys|acl[A-Z]|ACL_)[A-Za-z0-9_]+' | awk '!seen[$0]++' |
            grep -vE '^(ACL_FUNC_VISIBILITY|ACL_RT_[A-Z_]*_H|aclError|aclDataType|aclFormat)$' | fold_names
    done
}

fold_names() {
    awk '{ if (length(line) + length($0) + 1 > 84) { print " *  " line; line = "" } line = line " " $0 }
        END { if (line) print " *  " line }'
}

header() {
    awk '/^ \* Names:$/ { print; exit } { print }' "$index"
    names
    awk '/^ \* End of names\.$/ { on = 1 } on' "$index"
}

if [[ ${1:-} == --check ]]; then
    table | diff -u "$out" - || { echo "$out is not up to date: run make api-table" && exit 1; }
    header | diff -u "$index" - || { echo "$index is not up to date: run make api-table" && exit 1; }
else
    table >"$out.new"
    mv "$out.new" "$out"
    header >"$index.new"
    mv "$index.new" "$index"
fi
