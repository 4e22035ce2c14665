#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of the suite "reserved-memory": booted with the nodes of nodes.dts, the
# programs of /kselftest/list run in an arena that is one of them. The argument is
# not empty where the kernel has CONFIG_ZONE_DEVICE.
# shellcheck disable=SC2016 # expanded by the inner shells

# reserved ADDRESS: whether the page is: bit 32 of its flags.
cat >/bin/reserved <<'END'
#!/bin/sh
flags=$(dd if=/proc/kpageflags bs=8 skip=$(($1 / 4096)) count=1 2>/dev/null | od -An -tu1)
[ "$(echo "$flags" | awk '{ print $5 % 2 }')" = 1 ]
END
# refused VALUE REASON: insmod fails, and the log says why.
cat >/bin/refused <<'END'
#!/bin/sh
dmesg -c >/dev/null
if insmod /aclkm.ko reserve=none "carveout=$1" 2>/dev/null; then
    rmmod aclkm
    exit 1
fi
dmesg | grep 'aclkm: carveout: ' | grep -qF "$2" || { dmesg | grep aclkm; exit 1; }
END
chmod +x /bin/reserved /bin/refused

refuse() { step "carveout=$1 is refused: $2" refused "$1" "$2"; }
refuse nosuch 'no child of /reserved-memory is named "nosuch"'
refuse /reserved-memory/nosuch 'no child of /reserved-memory is named "nosuch"'
refuse /memory@40000000 'no child of /reserved-memory is named "/memory@40000000"'
refuse aclkm@60000001 'no child of /reserved-memory'
refuse acl 'no child of /reserved-memory'
refuse twin 'more than one child of /reserved-memory is named "twin"'
refuse odd-arena@84100000 'multiples of 2M'
refuse short 'multiples of 2M'
refuse no-map 'leave no-map out'
refuse pool 'the kernel itself hands it out'
refuse reusable 'the kernel itself hands it out'
refuse off-arena 'status is not okay'
refuse two 'reg must be one range'
refuse none@0 'no child of /reserved-memory'
refuse /reserved-memory/none 'it has no memory'
refuse used '/user (memory-region)'
# The rules are read before anything is taken.
refuse aclkm,nosuch 'no child of /reserved-memory is named "nosuch"'
# A number is no name; what the kernel has reserved for a node wants the node's name.
refuse 256M@0x60000000 'in use'
refuse 64M 'is not SIZE@ADDR'
step 'nothing was taken' reserved 0x60000000

step 'a node that nobody named' insmod /aclkm.ko reserve=none
step 'its arena' sh -c 'dmesg | grep -q "arena 0: 64 MiB on node 0, aligned to 1024 MiB, reserved-memory node arena@80000000"'
step 'the broken one is left out, and named' sh -c 'dmesg | grep -q "carveout: /reserved-memory/odd-arena@84100000: .*multiples of 2M"'
step 'and no other' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 1'
step 'rmmod' rmmod aclkm
step 'carveout=none' insmod /aclkm.ko reserve=none carveout=none
step 'takes none' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 0'
step 'rmmod' rmmod aclkm

step 'insmod reserve=none carveout=aclkm' insmod /aclkm.ko reserve=none carveout=aclkm
step 'the log says so' sh -c 'dmesg | grep -q "256 MiB on node 0, aligned to 2 MiB, reserved-memory node aclkm@60000000"'
step 'the pages are not reserved' sh -c '! reserved 0x60000000 && ! reserved 0x6ffff000'
while read -r name; do
    run-tap "$name" "/kselftest/$name"
done </kselftest/list
step 'a node is not shrunk' sh -c '! echo 2M >/sys/class/misc/aclkm/shrink 2>/dev/null'
step 'rmmod' rmmod aclkm
step 'the pages are reserved again' sh -c 'reserved 0x60000000 && reserved 0x60001000 && reserved 0x6ffff000'

# Again, by the other names, beside an arena and a node that has a size and no reg.
step 'beside others' insmod /aclkm.ko reserve=64M carveout=/reserved-memory/aclkm@60000000,sized,arena@80000000
step 'four arenas' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 4'
step 'rmmod' rmmod aclkm
step 'a node named twice' insmod /aclkm.ko reserve=none carveout=aclkm@60000000,aclkm
step 'is taken once' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 1 && dmesg | grep -q "no arena of 256 MiB at 0x60000000: error -16"'
step 'rmmod' rmmod aclkm

# Memory past mem=, which the kernel does not know, gets pages where it can give them.
if [ -n "$1" ]; then
    step 'far away, a node and a range' insmod /aclkm.ko reserve=none carveout=far,64M@0xc4000000
    step 'two arenas' sh -c 'test "$(cat /sys/class/misc/aclkm/arenas)" = 2'
    step 'the log says so' sh -c 'dmesg | grep -q "64 MiB on node 0, aligned to 1024 MiB, reserved-memory node far@c0000000"'
    step 'rmmod' rmmod aclkm
else
    refuse far CONFIG_ZONE_DEVICE
    refuse 64M@0xc4000000 CONFIG_ZONE_DEVICE
fi
exit 0
