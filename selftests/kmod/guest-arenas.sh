#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the arenas' suite: the programs load the module themselves.
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
exit 0
