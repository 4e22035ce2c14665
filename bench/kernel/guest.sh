#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of run.sh: the figures between two marks.
insmod /aclkm.ko reserve=1G,256M || exit 1
cma=
for heap in /dev/dma_heap/*; do
    [ "$heap" = /dev/dma_heap/system ] || cma=$heap
done
echo 'aclkm-bench: begin'
status=0
/cycle "${cma:-/dev/dma_heap/reserved}" ${1:+"$1"} || status=1
echo 'aclkm-bench: end'
rmmod aclkm || exit 1
exit "$status"
