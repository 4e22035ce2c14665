#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo` runs in the guest: the module, the example, a device.
set -e
insmod /aclkm.ko reserve=128M
dmesg | grep aclkm: | tail -n 1
export ACLKM_BACKEND=kmod
demo=$(command -v demo || echo /demo)
edu=$(command -v edu_dma || echo /edu_dma)
"$demo" --file /dev/vda
# The same disk through the page cache and another SHA-256.
echo "SHA-256 of the disk      $(sha256sum </dev/vda | cut -d' ' -f1)"
echo
"$edu"
rmmod aclkm
