#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of the driver's mutants: each line of /kselftest/list is the arenas and a
# program. The first failed test is enough. The argument is the share of their rounds that
# long tests do, in percent.
if [ "$1" != 100 ]; then export ACLKM_TEST_PERCENT="$1"; fi
mount -t tracefs tracefs /sys/kernel/tracing
loaded=
while read -r reserve name; do
    if [ "$reserve" != "$loaded" ]; then
        if [ -n "$loaded" ]; then step 'rmmod' rmmod aclkm || exit 0; fi
        step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve" || exit 0
        [ -e /sys/module/aclkm ] || exit 0
        loaded=$reserve
    fi
    run-tap "$name" "/kselftest/$name"
    # 4: nothing but skipped tests.
    case $? in 0 | 4) ;; *) exit 0 ;; esac
done </kselftest/list
if [ -n "$loaded" ]; then step 'rmmod' rmmod aclkm; fi
exit 0
