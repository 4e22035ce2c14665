#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nospec.sh MODULE: S18, as TAP. No test can see what a processor does ahead of a bounds
# check, so this one looks for the masks that array_index_nospec() becomes on x86: a
# comparison with a limit, and the borrow of it in all bits of a register.
set -euo pipefail
masks=$(objdump -d --no-show-raw-insn "$1" | awk '
    /^[0-9a-f]+ </ { inside = $2 == "<aclkm_ioctl>:" }
    inside && /\tsbb +%r/ && last ~ /\tcmp +\$0x/ {
        limit = last
        sub(/.*\$0x/, "", limit)
        sub(/,.*/, "", limit)
        print limit
    }
    { last = $0 }')
calls=not nodes=not
for limit in $masks; do
    # A comparison with 1 is how compilers turn a number into a truth value.
    if ((16#$limit > 1 && 16#$limit < 64)); then calls=''; fi
    if ((16#$limit >= 64)); then nodes=''; fi
done
echo 'TAP version 13'
echo '1..2'
echo "${calls:+$calls }ok 1 the number of a call is masked before it is an index"
echo "${nodes:+$nodes }ok 2 the number of a node is masked before it is an index"
[[ -z $calls$nodes ]]
