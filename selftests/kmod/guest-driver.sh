#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the driver's suites: the programs of /kselftest/list, with the
# arenas that the argument names.
step() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    run-tap "$1" sh -c '
        echo "TAP version 13"
        echo "1..1"
        name=$1
        shift
        if "$@"; then echo "ok 1 $name"; else echo "not ok 1 $name"; fi' sh "$@"
}

reserve=${1:-1G,128M}
mount -t tracefs tracefs /sys/kernel/tracing
step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve"
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'rmmod' rmmod aclkm
exit 0
