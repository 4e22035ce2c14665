#!/bin/bash
# SPDX-License-Identifier: MIT
# kernel-make.sh KERNEL ARGUMENT...: make with KDIR of a kernel of fetch-kernel.sh, run
# where the compiler is that its headers ask for: here, or in a root of its release.
#
#   tools/kernel-make.sh 7.3 -C kmod B=$PWD/build/kmod-7.3
#   tools/kernel-make.sh 7.3 -C kmod B=$PWD/build/kmod-7.3-clang LLVM=1
#
# The arguments are make's; paths in them are absolute, and below this tree.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$here")

[[ $# -ge 2 ]] || die "usage: ${0##*/} KERNEL ARGUMENT..."
assignments=$("$here/fetch-kernel.sh" "$1")
eval "$assignments"
shift
unset MAKEFLAGS MFLAGS MAKELEVEL
if [[ -n ${ARCH:-} ]]; then
    set -- "ARCH=$ARCH" "CROSS_COMPILE=$CROSS_COMPILE" "$@"
fi
command=(make --no-print-directory "KDIR=$KDIR" "$@")
[[ -n ${ROOT:-} ]] || exec "${command[@]}"

root=$("$here/build-root.sh" "$ROOT")
cache=$(cache_dir)
# The tree and the cache are in the root under the names that they have here. The mounts
# are in a namespace of their own, and end with the command.
# shellcheck disable=SC2016 # the inner shell's variables
as_root unshare --mount bash -euc '
    root=$1 owner=$2 top=$3
    shift 3
    for dir in "$top" "$1" /dev /proc; do
        mkdir -p "$root$dir"
        mount --rbind "$dir" "$root$dir"
    done
    shift
    exec chroot --userspec="$owner" "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C \
        sh -c '\''cd "$0" && exec "$@"'\'' "$top" "$@"
' bash "$root" "$(id -u):$(id -g)" "$top" "$cache" "${command[@]}"
