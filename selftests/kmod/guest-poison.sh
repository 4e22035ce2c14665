#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the suite that poisons pages: hwpoison_inject is loaded.
step 'insmod' insmod /aclkm.ko
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
exit 0
