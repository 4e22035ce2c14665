#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of the Python suite: the module acl on the kmod backend. The tests are in
# /python/tests, the names of those to run in /python/list, one a line.
export ACLKM_BACKEND=kmod PYTHONPATH=/python PYTHONDONTWRITEBYTECODE=1
# As much as the tests take on the user backend.
step 'insmod reserve=512M' insmod /aclkm.ko reserve=512M
while read -r name; do
    run-tap "python/$name" python3 -W error "/python/tests/$name.py"
done </python/list
step 'rmmod' rmmod aclkm
exit 0
