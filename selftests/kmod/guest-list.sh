#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of the matrix and of the driver's mutants: each line of /kselftest/list is the
# arenas and a program.
#
#   guest-list.sh PERCENT all|first
#
# PERCENT is the share of their rounds that long tests do. "first" stops at the first
# failed test, which is enough for a mutant.
if [ "$1" != 100 ]; then export ACLKM_TEST_PERCENT="$1"; fi
mount -t tracefs tracefs /sys/kernel/tracing
stop=$2
loaded=
failed() {
    if [ "$stop" = first ]; then exit 0; fi
}
while read -r reserve name; do
    if [ "$reserve" != "$loaded" ]; then
        if [ -n "$loaded" ]; then step "rmmod after reserve=$loaded" rmmod aclkm || failed; fi
        step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve" || failed
        [ -e /sys/module/aclkm ] || exit 0
        loaded=$reserve
    fi
    run-tap "$name" "/kselftest/$name"
    # 4: nothing but skipped tests.
    case $? in 0 | 4) ;; *) failed ;; esac
done </kselftest/list
if [ -n "$loaded" ]; then step "rmmod after reserve=$loaded" rmmod aclkm; fi
exit 0
