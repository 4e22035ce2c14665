#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that the named groups need and that are missing.
# Says nothing, and asks for no rights, when nothing is missing.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

usage() {
    say "usage: ${0##*/} build|kernel|clang|root|python|vm|arm64|test|lint|bench|deb|rpm..."
    exit 2
}

packages() {
    case $1 in
    build) echo gcc g++ make pkgconf libc6-dev libssl-dev libelf1 libcjson-dev scdoc ;;
    kernel) packages build && echo binutils bc bison flex libelf-dev kmod xz-utils ;;
    # The module by this system's clang.
    clang) echo clang-14 lld-14 llvm-14 ;;
    # What makes a root of another release.
    root) echo mmdebstrap util-linux ;;
    python) packages build && echo python3-dev python3-venv python3-pip python3-numpy ;;
    vm) echo qemu-system-x86 busybox-static cpio gzip kmod xz-utils ;;
    # A cross compiler, the other machine, and what writes its device tree.
    arm64) packages build && packages vm && echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm device-tree-compiler dwarves ;;
    # The sanitizers' libraries come with gcc; 6.12's kbuild wants pahole for any module;
    # test_vgem imports through libdrm; test_rdma wants rxe's user space and iproute2's rdma;
    # libFuzzer is clang's.
    test)
        packages build && packages vm &&
            echo util-linux mawk dwarves libdrm-dev libibverbs-dev ibverbs-providers iproute2 \
                clang-14 libclang-rt-14-dev
        ;;
    lint) packages build && echo sparse dwarves cppcheck abigail-tools shellcheck clang-format perl xz-utils ;;
    bench) packages build && echo python3 libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4 libtbbmalloc2 libdpdk-dev ;;
    deb) packages build && echo debhelper dh-dkms dh-python dpkg-dev lintian python3-dev ;;
    rpm) packages build && echo rpm python3-dev ;;
    *) return 1 ;;
    esac
}

[[ $# -gt 0 ]] || usage
need_debian 'installing packages'

want=()
for group in "$@"; do
    list=$(packages "$group") || usage
    # shellcheck disable=SC2206 # a list of words
    want+=($list)
done

declare -A have=()
while read -r state package; do
    if [[ $state == installed ]]; then have[$package]=1; fi
done < <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null || true)

missing=()
for package in "${want[@]}"; do
    if [[ -z ${have[$package]:-} ]]; then
        missing+=("$package")
        have[$package]=1
    fi
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

say "installing Debian packages: ${missing[*]}"
apt_update
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
    --no-install-recommends install "${missing[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    die 'apt-get install failed'
fi
