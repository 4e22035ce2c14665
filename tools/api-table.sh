#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes Documentation/ascendcl-table.md: each function of AscendCL's runtime, whether it
# is declared in include/acl, and which unit tests name it, or why it is absent.
#
#   tools/api-table.sh           writes it
#   tools/api-table.sh --check   fails when it is not up to date
set -euo pipefail
export LC_ALL=C
top=$(dirname "$(dirname "$(readlink -f "$0")")")
cd "$top"
out=Documentation/ascendcl-table.md
list=Documentation/ascendcl-functions.txt

# "name test" for each call in the unit tests, "name -" for each declaration.
facts() {
    cat include/acl/*.h include/acl/*/*.h | tr '\n' ' ' | tr ';' '\n' |
        sed -n 's/.*ACL_FUNC_VISIBILITY [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/\1 -/p'
    for f in selftests/unit/test_*.[cs]*; do
        { grep -oE '\b(acl|hi_mpi_)[A-Za-z0-9_]+' "$f" || true; } | sort -u | sed "s|\$| $(basename "$f" .c)|"
    done
}

table() {
    facts | awk -v list="$list" '
        $2 == "-" { declared[$1] = 1; next }
        { tests[$1] = tests[$1] (tests[$1] ? ", " : "") $2 }
        END {
            while ((getline line < list) > 0) {
                if (line ~ /^#/ || line == "") continue
                if (line ~ /^=/) {
                    n++
                    at = index(line, " ")
                    pattern[n] = substr(line, 2, at - 2)
                    why[n] = substr(line, at + 1)
                    continue
                }
                total++
                known[line] = 1
                if (line in declared) {
                    yes++
                    rows = rows "| `" line "` | yes | " (line in tests ? tests[line] : "**no test names it**") " |\n"
                    if (!(line in tests)) untested++
                    continue
                }
                reason = "not yet"
                for (i = 1; i <= n; i++)
                    if (line ~ pattern[i]) { reason = why[i]; break }
                rows = rows "| `" line "` | no | " reason " |\n"
            }
            for (name in declared)
                if (!(name in known)) { print "not in " list ": " name > "/dev/stderr"; bad = 1 }
            if (bad) exit 1
            print "# Functions of AscendCL\n"
            print "Made by `tools/api-table.sh` from the headers in `include/acl`, the unit tests and `" list "`."
            print "Change these, then run `make api-table`.\n"
            printf "%d of %d functions of the runtime headers (interface 1.17.0) and of media memory are there", yes, total
            print (untested ? ", " untested " of them named by no test." : ", each named by a unit test.") "\n"
            print "| function | implemented | tested by, or why not |\n| --- | --- | --- |"
            printf "%s", rows
        }'
}

if [[ ${1:-} == --check ]]; then
    table | diff -u "$out" - || { echo "$out is not up to date: run make api-table" && exit 1; }
else
    table >"$out.new"
    mv "$out.new" "$out"
fi
