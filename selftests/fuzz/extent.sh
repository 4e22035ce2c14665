#!/bin/bash
# SPDX-License-Identifier: MIT
# extent.sh PROGRAM RUNS: the libFuzzer target of the free pieces, from a fixed
# seed, as one test that speaks TAP. What broke it is kept beside the program.
set -euo pipefail
program=$1 runs=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
echo 'TAP version 13'
echo '1..1'
status=0
"$program" -seed=1 -runs="$runs" -max_len=1024 -timeout=20 -artifact_prefix="$program-" >"$out/log" 2>&1 || status=$?
if [[ $status == 0 ]] && grep -q "^Done $runs runs" "$out/log"; then
    sed -n 's/^Done /# fuzzed: /p' "$out/log"
    echo 'ok 1 - free pieces as the model says'
else
    sed 's/^/# /' "$out/log"
    echo 'not ok 1 - free pieces as the model says'
    exit 1
fi
