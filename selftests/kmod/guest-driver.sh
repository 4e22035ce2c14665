#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the driver's suites: the programs of /kselftest/list, with the
# arenas that the argument names.
reserve=${1:-1G,128M}
mount -t tracefs tracefs /sys/kernel/tracing
step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve"
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'rmmod' rmmod aclkm
exit 0
