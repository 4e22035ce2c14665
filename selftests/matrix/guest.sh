#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of one cell of the matrix: each line of /kselftest/list is the arenas and a
# program. A failed program does not stop the others.
mount -t tracefs tracefs /sys/kernel/tracing
loaded=
while read -r reserve name; do
    if [ "$reserve" != "$loaded" ]; then
        if [ -n "$loaded" ]; then step "rmmod after reserve=$loaded" rmmod aclkm; fi
        step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve"
        loaded=$reserve
    fi
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step "rmmod after reserve=$loaded" rmmod aclkm
exit 0
