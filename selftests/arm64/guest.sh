#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of the arm64 lane: what `make test` runs in its guest, then the library's
# unit programs on the user backend, which need no driver.
sh /guest-tests.sh
export ACLKM_BACKEND=user
while read -r name; do
    run-tap "user/$name" "/unit/$name"
done </unit/list
exit 0
