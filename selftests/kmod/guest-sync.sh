#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the suite with a device of ours, booted with swiotlb=force: the programs
# of /kselftest/list beside the importer module.
step 'insmod reserve=128M' insmod /aclkm.ko reserve=128M
step 'insmod aclkm_importer' insmod /aclkm_importer.ko
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'rmmod aclkm_importer' rmmod aclkm_importer
step 'rmmod' rmmod aclkm
exit 0
