#!/bin/bash
# SPDX-License-Identifier: MIT
# Which branches of lib/ the unit programs run on the user backend: builds library and
# programs with gcov's counters, runs them (TESTS="test_a test_b": only these), prints
# lines and branches of each file and of all. build/coverage-lib has gcov's own reports.
set -euo pipefail
top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
out=$top/build/coverage-lib
unset MAKEFLAGS MFLAGS MAKELEVEL
export ACLKM_BACKEND=user
read -ra tests <<<"${TESTS:-$(make -s --no-print-directory -C "$top/selftests/unit" list | tr '\n' ' ')}"

make -s -j"$(nproc)" -C "$top/selftests/unit" B="$out" SAN=none CFLAGS='-O0 -g --coverage -Wno-error' \
    LDFLAGS=--coverage "${tests[@]/#/$out/}" >"$out.log" 2>&1 || { tail "$out.log"; exit 1; }
find "$out" -name '*.gcda' -delete
for name in "${tests[@]}"; do
    # A test may fail with counters in its way; what it ran counts all the same.
    timeout -k 5 "${SECONDS_EACH:-120}" "$out/$name" >"$out/$name.tap" 2>&1 || echo "$name ends with $?"
done

cd "$out"
find . -path '*/obj/*' -name '*.gcda' -print0 | xargs -0 gcov --branch-probabilities --no-output 2>/dev/null |
    awk -v strip="$top/" '
        /^File/ { file = $2; gsub("\047", "", file); sub(strip, "", file); keep = file ~ /^lib\/.*\.c$/ }
        !keep { next }
        /^Lines executed/ { split($0, a, /[:% ]+/); lines[file] = a[3]; n = $NF; all_lines += n; run_lines += a[3] * n / 100 }
        /^Branches executed/ { next }
        /^Taken at least once/ { split($0, a, /[:%]/); n = $NF; branches[file] = a[2]; count[file] = n
            all += n; taken += a[2] * n / 100 }
        END {
            for (file in branches)
                printf "%6.1f %% of %4d branches  %s\n", branches[file], count[file], file | "sort -n"
            close("sort -n")
            if (!all) { print "nothing was counted"; exit 1 }
            printf "lib: %.1f %% of %d lines, %.1f %% of %d branches taken\n", run_lines * 100 / all_lines, all_lines, taken * 100 / all, all
        }'
