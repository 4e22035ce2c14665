#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the carve-out suite: booted with memmap=256M$0x40000000, the programs of
# /kselftest/list run in an arena of that memory.
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
# Ordinary memory, what breaks a rule, and what runs over the end of the carve-out.
for bad in 64M@0x10000000 64M@0x40100000 1M@0x40000000 64M 64M@ @0x40000000 64M@x 0@0x40000000 \
    512M@0x40000000 64M@0xfffffffffff00000 64M@0x40000000@1 64M@99999999999999999999; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    step "carveout=$bad is refused" sh -c '! insmod /aclkm.ko reserve=none "carveout=$1" 2>/dev/null' sh "$bad"
done
# Names of nodes: Debian's kernels for PCs read no device tree.
for name in aclkm@60000000 aclkm /reserved-memory/aclkm; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    step "carveout=$name is refused, and the log says why" sh -c \
        '! insmod /aclkm.ko reserve=none "carveout=$1" 2>/dev/null && dmesg | tail -n 1 | grep "\"$1\".*CONFIG_OF_RESERVED_MEM"' sh "$name"
done
step 'insmod reserve=none carveout=256M@0x40000000' insmod /aclkm.ko reserve=none carveout=256M@0x40000000
step 'the log says so' sh -c 'dmesg | grep -q "256 MiB on node 0, aligned to 1024 MiB, carved out at boot"'
# Dumps of a crashed kernel consist of System RAM.
step 'not in crash dumps' sh -c "grep -q '^ *40000000-4fffffff : aclkm' /proc/iomem"
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'a carve-out is not shrunk' sh -c '! echo 2M >/sys/class/misc/aclkm/shrink 2>/dev/null'
step 'rmmod' rmmod aclkm
# The pages are made anew.
step 'beside an arena' insmod /aclkm.ko reserve=64M 'carveout=256M@0x40000000'
# shellcheck disable=SC2016 # expanded by the inner shell
step 'two arenas' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 2'
step 'rmmod' rmmod aclkm
exit 0
