#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the assembly of a stub: symbols that libaclkm has, for the linker to find. None of
# them is called: the loader puts libaclkm, which the stub names as its filtee, before it.
#
#   stub.sh NAME LIBRARY > NAME.s
set -eu
case $1 in
acl_dvpp) pattern='acldvpp|aclv(dec|enc)' ;;
acl_dvpp_mpi) pattern='hi_mpi_' ;;
runtime) pattern='rt[A-Z]' ;;
acl_mdl) pattern='aclmdl' ;;
acl_op_executor | acl_op_compiler | acl_cblas) pattern='aclop|acl(Get|Set)Compileopt' ;;
acl_tdt_*) pattern='acltdt' ;;
msprofiler) pattern='aclprof' ;;
ascend_dump) pattern='acldump|aclop[A-Za-z]*Dump' ;;
*) pattern='acl([A-Z]|rt|mdl|op|tdt|prof|dump|sys|platform)' ;;
esac
echo '	.text'
echo 'stub:'
${NM:-nm} -D --defined-only "$2" | awk '{ sub(/@.*/, "", $3); print $3 }' | grep -E "^($pattern)" |
	sed 's/.*/\t.globl &\n\t.type &, %function\n\t.set &, stub/'
echo '	.space 8'
echo '	.section .note.GNU-stack,"",%progbits'
