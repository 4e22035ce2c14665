#!/bin/bash
# SPDX-License-Identifier: MIT
# Writes the section "Reports" of Documentation/ascendcl-checks.md: each wrong program of
# selftests/unit/test_check.c and what its check prints, from a run. Process numbers are
# written PID, addresses end in their last three digits, and frames of the C library are
# left out.
set -euo pipefail
export LC_ALL=C
top=$(dirname "$(dirname "$(readlink -f "$0")")")
cd "$top"
page=Documentation/ascendcl-checks.md
source=selftests/unit/test_check.c
build=$top/build/unit-none
command -v addr2line >/dev/null || {
    echo 'check-reports: addr2line is not here (binutils)' >&2
    exit 1
}
make --no-print-directory -s -C selftests/unit B="$build" SAN=none "$build/test_check" >/dev/null

programs='overflow:redzone use_after_free:poison double_free:free interior_free:free
wrong_free:free foreign_free:free unaligned:align,advice=1 out_of_bounds:bounds
out_of_bounds_rows:bounds set_too_far:bounds freed_in_flight:flight
freed_under_small:flight touches_device:portable leak:leak leaked_physical:leak pageable:sync,advice=1'

shorten() {
    grep -vE '^    #[0-9]+ .*( in _start at |/libc\.so)' |
        sed -E -e "s|$top/||g" -e 's/==[0-9]+==/==PID==/' -e 's/ in thread [0-9]+/ in thread PID/' \
            -e 's/0x[0-9a-f]{6,}([0-9a-f]{3})/0x..\1/g' -e 's/ \(discriminator [0-9]+\)//'
}

# shellcheck disable=SC2016 # Markdown's quotes
section() {
    local entry name check status
    echo '## Reports'
    echo
    echo "Each wrong program of \`$source\`, and what it printed: made by \`make check-reports\`. Process numbers are"
    echo 'written PID, addresses end in their last three digits, frames of the C library are left out. The exit code is 66.'
    for entry in $programs; do
        name=${entry%:*} check=${entry#*:}
        printf '\n### %s, `ACLKM_CHECK=%s`\n\n```c\n' "$name" "$check"
        sed -n "/^static void $name(void)/,/^}/p" "$source" | sed '1,2d; $d; s/^\t//'
        printf '```\n\n```\n'
        status=0
        ACLKM_BACKEND=user ACLKM_MEM=48M ACLKM_CHECK=$check "$build/test_check" "$name" 2>&1 | shorten || status=$?
        printf '```\n'
        if [[ $status != 66 ]]; then
            echo "check-reports: $name ends with $status, not 66" >&2
            return 1
        fi
    done
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed '/^## Reports$/,$d' "$page" >"$new"
section >>"$new"
cp "$new" "$page"
