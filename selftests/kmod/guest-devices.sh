#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the suite with devices: the programs of /kselftest/list, with an
# arena of 1 GiB and one of 128 MiB. /dev/vda, if there is one, is overwritten.
# Modules of the kernel are loaded already.
# A software RDMA adapter on a network that leads nowhere.
if [ -x /usr/bin/rdma ]; then
    ip addr add 10.11.12.1/24 dev dummy0
    ip link set dummy0 up
    step 'rdma link add' rdma link add rxe0 type rxe netdev dummy0
fi

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
