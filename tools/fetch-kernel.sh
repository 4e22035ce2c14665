#!/bin/bash
# SPDX-License-Identifier: MIT
# Gets a stock Debian kernel (image, modules, headers) into the cache, without
# installing it: an installed kernel would change how the user's machine boots.
#
# Prints shell assignments: KVER, KDIR (for make -C), VMLINUZ, MODDIR, and for another
# machine's kernel also ARCH and CROSS_COMPILE (for make), and BUSYBOX, a static one.
# A kernel that is in the cache is used as it is, offline too; remove its folder
# to get a newer one. "debug", "bench" and "7.2" are built by us: build-kernel.sh.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 1 ]] || die "usage: ${0##*/} VERSION   (6.1, 6.12, 7.2, arm64-6.1, arm64-6.12, debug or bench)"
# The version as apt has it, and the architecture if it is not this machine's own.
version=$1 number=$1 suite='' arch=''
case $version in
6.1) ;;
6.12) suite=bookworm-backports ;;
arm64-6.1) arch=arm64 number=6.1 ;;
arm64-6.12) arch=arm64 number=6.12 suite=bookworm-backports ;;
7.2 | debug | bench) exec "$(dirname "$(readlink -f "$0")")/build-kernel.sh" "$version" ;;
*) die "unknown kernel version '$version'; known: 6.1, 6.12, 7.2, arm64-6.1, arm64-6.12, debug, bench" ;;
esac
meta=linux-headers-${arch:-amd64}

cache=$(cache_dir)/kernels
mkdir -p "$cache"

tmp=
print_kernel() {
    local kver
    kver=$(basename "$(echo "$1"/lib/modules/*)")
    printf 'KVER=%q\nKDIR=%q\nVMLINUZ=%q\nMODDIR=%q\n' "$kver" \
        "$1/usr/src/linux-headers-$kver" "$1/boot/vmlinuz-$kver" "$1/lib/modules/$kver"
    case $arch in
    arm64) printf 'ARCH=arm64\nCROSS_COMPILE=aarch64-linux-gnu-\nBUSYBOX=%q\n' "$1/bin/busybox" ;;
    esac
}

# The concrete headers package behind the meta package, of this version only.
resolve() {
    apt-cache ${apt_options[@]+"${apt_options[@]}"} depends "$meta" 2>/dev/null |
        sed -n "s/^ *Depends: linux-headers-\(${number//./\\.}\.[^ ]*\)\$/\1/p" | tail -n 1
}

fetch() {
    local kver pkgversion headers package
    need_debian "getting kernel $version"
    command -v depmod >/dev/null || die 'depmod is missing: tools/install-deps.sh vm'

    if [[ -n $arch ]]; then
        use_architecture "$arch" "$cache/apt-$arch${suite:+-$suite}" "$suite"
    elif [[ -n $suite ]]; then
        use_suite "$suite" "$cache/apt-$version"
    fi
    kver=$(resolve)
    if [[ -z $kver ]]; then
        apt_update
        kver=$(resolve)
    fi
    [[ -n $kver ]] || die "this system's package lists have no kernel $number behind $meta"

    # What kbuild runs, runs here: this machine's own, whatever the kernel is for.
    local -a packages=("linux-image-$kver" "linux-headers-$kver") own=()
    while read -r package; do
        case $arch/$package in
        /* | */linux-headers-* | */linux-compiler-*) packages+=("$package") ;;
        *) own+=("$package") ;;
        esac
    done < <(apt-cache ${apt_options[@]+"${apt_options[@]}"} depends "linux-headers-$kver" |
        sed -n 's/^ *Depends: \(linux-[^ ]*\)$/\1/p' | grep -vE '^linux-(image|base)')

    # Rests of a run that was killed; the lock says that nobody else is here.
    rm -rf "$cache"/.tmp-"$version".*
    tmp=$(mktemp -d "$cache/.tmp-$version.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    mkdir "$tmp/debs" "$tmp/tree"
    say "fetching kernel $kver (75 to 120 MB, once)"
    (cd "$tmp/debs" && apt_download "${packages[@]}")
    if [[ -n $arch ]]; then
        use_architecture "$arch" "$cache/apt-$arch"
        (cd "$tmp/debs" && apt_download busybox-static)
    fi
    if [[ ${#own[@]} -gt 0 ]]; then
        apt_options=()
        if [[ -n $suite ]]; then use_suite "$suite" "$cache/apt-$number"; fi
        (cd "$tmp/debs" && apt_download "${own[@]}")
    fi
    for package in "$tmp"/debs/*.deb; do
        dpkg-deb --fsys-tarfile "$package" |
            tar -x -C "$tmp/tree" --no-same-owner --exclude='./usr/share/*'
    done
    pkgversion=$(dpkg-deb -f "$tmp/debs/linux-image-${kver}_"*.deb Version)

    # The headers name the common part by its absolute place on an installed
    # system; by a relative one they work wherever the cache is.
    headers=$tmp/tree/usr/src/linux-headers-$kver
    # shellcheck disable=SC2016 # make's variables
    sed -i 's,^include /usr/src/,include $(dir $(lastword $(MAKEFILE_LIST)))../,' "$headers/Makefile"
    ln -sfn "../../../usr/src/linux-headers-$kver" "$tmp/tree/lib/modules/$kver/build"
    ln -sfn "../../../usr/src/linux-headers-${kver%-*}-common" "$tmp/tree/lib/modules/$kver/source"
    depmod -b "$tmp/tree" "$kver"

    # The kernel package keeps its image readable by root only on some releases.
    chmod -R u+rwX,go+rX "$tmp/tree"
    [[ -e $headers/scripts/Makefile.build || -e $headers/scripts/basic/fixdep ]] ||
        die "the headers of $kver are not complete"
    mv "$tmp/tree" "$cache/$version-$pkgversion"
    say "kernel $kver: $(readable "$(du -sb "$cache/$version-$pkgversion" | cut -f1)") in the cache"
}

dir=$(cached "$cache" "$version" fetch)
[[ -n $dir ]] || die "kernel $version did not arrive"
print_kernel "$dir"
