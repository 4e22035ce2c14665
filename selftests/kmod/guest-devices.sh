#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the suite with devices: the programs of /kselftest/list, with an
# arena of 1 GiB and one of 128 MiB. /dev/vda, if there is one, is overwritten.
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
step "insmod reserve=$reserve" insmod /aclkm.ko reserve="$reserve"
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
# The same camera with buffers that must be contiguous for its device.
vivid=$(grep '/vivid\.ko$' /etc/kmods)
if [ -n "$vivid" ] && grep -qx test_vivid /kselftest/list; then
    step 'vivid, contiguous buffers' sh -c "rmmod vivid && insmod $vivid allocators=1"
    run-tap 'test_vivid, contiguous' /kselftest/test_vivid
fi
step 'rmmod' rmmod aclkm
exit 0
