#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the arenas' suite: the programs load the module themselves.
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
if [ -e /unit/test_nodes ]; then
    step 'insmod, an arena on each node' insmod /aclkm.ko reserve=128M:2M:0,128M:2M:1
    run-tap unit/test_nodes env ACLKM_BACKEND=kmod /unit/test_nodes
    step 'rmmod' rmmod aclkm
fi
exit 0
