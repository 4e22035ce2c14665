#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of `make test`: the kselftest programs, then the library's unit
# programs and the examples on the kmod backend. Programs are in /kselftest, /unit and
# /examples; each folder has a file `list` with the names, one a line. Results are
# read from the output by the host, so a failed program does not stop the others.
#
# A module that does not load or unload is a failed test as well.
if [ -s /kselftest/list ]; then
    step 'insmod reserve=64M' insmod /aclkm.ko reserve=64M
    while read -r name; do
        run-tap "$name" "/kselftest/$name"
    done </kselftest/list
    step 'rmmod' rmmod aclkm
fi

if [ -s /unit/list ]; then
    export ACLKM_BACKEND=kmod
    step 'insmod reserve=512M' insmod /aclkm.ko reserve=512M
    while read -r name; do
        run-tap "unit/$name" "/unit/$name"
    done </unit/list
    step 'rmmod after the unit tests' rmmod aclkm
fi

if [ -s /examples/list ]; then
    export ACLKM_BACKEND=kmod
    step 'insmod reserve=128M' insmod /aclkm.ko reserve=128M
    while read -r name; do
        step "example $name" "/examples/$name"
    done </examples/list
    step 'rmmod after the examples' rmmod aclkm
fi
exit 0
