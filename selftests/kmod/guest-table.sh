#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest side of table.sh: the rows between two marks.
insmod /aclkm.ko reserve=1G || exit 1
echo 'aclkm-table: begin'
status=0
/mapping_table || status=1
echo 'aclkm-table: end'
rmmod aclkm || exit 1
exit "$status"
