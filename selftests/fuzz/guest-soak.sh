#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of `make test-soak`: guest-soak.sh SECONDS SEED. A GiB, for the largest entries.
step 'insmod reserve=64M,1G' insmod /aclkm.ko reserve=64M,1G
run-tap 'soak' /fuzz -t "$1" -s "$2" -r 8
step 'rmmod' rmmod aclkm
exit 0
