#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the latency suite: one processor whose clock counts instructions, and
# an arena of 1 GiB for the programs of /kselftest/list.
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
step 'insmod reserve=1G' insmod /aclkm.ko reserve=1G
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'rmmod' rmmod aclkm
exit 0
