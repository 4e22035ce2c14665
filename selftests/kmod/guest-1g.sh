#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a guest of 4 GiB: an arena of 1 GiB that is aligned to 1 GiB, as TAP.
echo "TAP version 13"
echo "1..3"
if insmod /aclkm.ko reserve=1G; then echo "ok 1 insmod reserve=1G"; else echo "not ok 1 insmod reserve=1G"; fi
if dmesg | grep -q 'aclkm: arena 0: 1024 MiB on node 0, aligned to 1024 MiB'; then
    echo "ok 2 aligned to 1 GiB, says the log"
else
    echo "not ok 2 aligned to 1 GiB, says the log"
fi
if rmmod aclkm; then echo "ok 3 rmmod"; else echo "not ok 3 rmmod"; fi
