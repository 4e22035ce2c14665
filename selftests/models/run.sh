#!/bin/bash
# SPDX-License-Identifier: MIT
# make test-models: the memory order of the library's lock-free parts, by herd7 from a Debian
# root in the cache. Each model must show that what the code relies on never fails, and,
# with the order weakened as the table says, that it can: a model that cannot fail proves
# nothing. C models run under RC11, the models of row_take(), which has no barrier of its own
# and relies on membarrier(2), under Arm's model of AArch64. Speaks TAP.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$(dirname "$here")")
# shellcheck source=../../tools/common.sh
. "$top/tools/common.sh"

# MODEL, and a sed expression that takes the order away
models='
row-put         s/memory_order_release/memory_order_relaxed/
queue-put       s/memory_order_release/memory_order_relaxed/
queue-sleep     s/load_explicit(put, memory_order_seq_cst)/load_explicit(put, memory_order_relaxed)/
queue-done      s/load_explicit(wake_at, memory_order_seq_cst)/load_explicit(wake_at, memory_order_acquire)/
stream-handle   s/memory_order_seq_cst/memory_order_relaxed/
row-take-before s/DMB ISH/NOP    /g;s/LDAR/LDR /g;s/STLR/STR /g
row-take-between s/DMB ISH/NOP    /g;s/LDAR/LDR /g;s/STLR/STR /g
row-take-after  s/DMB ISH/NOP    /g;s/LDAR/LDR /g;s/STLR/STR /g
'

root=$("$top/tools/build-root.sh" sid)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# observe FILE: Never, Sometimes, or what went wrong
observe() {
    local cat=rc11.cat
    if [[ $(head -n 1 "$1") == AArch64* ]]; then cat=aarch64.cat; fi
    # herd7 takes names of files from its standard input, not a model.
    # shellcheck disable=SC2016 # the inner shell's variables
    as_root chroot "$root" sh -c '
        model=$(mktemp) && cat >"$model" && mv "$model" "$model.litmus" && herd7 -model "$0" "$model.litmus"
        rm -f "$model.litmus"' "$cat" <"$1" 2>&1 | awk '
        /^Observation / { seen = $3 } { all = all " " $0 } END { print seen ? seen : all }'
}

n=0
failed=0
result() { # result OBSERVED EXPECTED NAME
    n=$((n + 1))
    if [[ $1 == "$2" ]]; then
        echo "ok $n - $3"
    else
        echo "# expected $2, observed $1"
        echo "not ok $n - $3"
        failed=1
    fi
}

echo 'TAP version 13'
while read -r model weaker; do
    [[ -n $model ]] || continue
    says=$(sed -n '2s/"\(.*\)"/\1/p' "$here/$model.litmus")
    result "$(observe "$here/$model.litmus")" Never "$model: $says"
    sed "$weaker" "$here/$model.litmus" >"$work/$model"
    if cmp -s "$here/$model.litmus" "$work/$model"; then
        result 'the same model' Sometimes "$model, weakened, fails"
    else
        result "$(observe "$work/$model")" Sometimes "$model, weakened, fails"
    fi
done <<<"$models"
echo "1..$n"
exit "$failed"
