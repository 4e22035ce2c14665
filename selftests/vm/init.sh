#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Process 1 of the test guest (busybox). run.sh puts it into the initramfs as
# /init. Its output is on ttyS0; the kernel's log has ttyS1 to itself.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/ LD_LIBRARY_PATH=/lib:/usr/lib
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
stty -F /dev/ttyS0 raw -echo
exec </dev/null >/dev/ttyS0 2>&1
ip link set lo up

# The host's watchdog takes its time from this line on.
echo "aclkm-vm: guest up, Linux $(uname -r)"

verdict=0
# Counts the places of the module that run: selftests/coverage.
if [ -e /aclkm_cov.ko ]; then insmod /aclkm_cov.ko || verdict=1; fi
while read -r ko; do
    insmod "$ko" || {
        echo "aclkm-vm: insmod $ko failed"
        verdict=1
    }
done </etc/kmods

if [ "$verdict" = 0 ]; then
    eval "set -- $(cat /etc/guest-args)"
    sh /guest.sh "$@" || verdict=$?
fi

if [ -e /sys/kernel/debug/aclkm_cov ]; then
    echo '# aclkm-cov: begin'
    cat /sys/kernel/debug/aclkm_cov
    echo '# aclkm-cov: end'
fi
echo "aclkm-vm: verdict $verdict"
# Changing the port's settings waits until its output is out.
stty -F /dev/ttyS0 raw -echo
poweroff -f
