#!/bin/bash
# SPDX-License-Identifier: MIT
# Gets a stock Debian kernel (image, modules, headers) into the cache, without
# installing it: an installed kernel would change how the user's machine boots.
#
# Prints shell assignments: KVER, KDIR (for make -C), VMLINUZ, MODDIR, ROOT if the module
# must be built in a Debian root of that release (build-root.sh), and for another
# machine's kernel also ARCH and CROSS_COMPILE (for make), and BUSYBOX, a static one.
# A kernel that is in the cache is used as it is, offline too; remove its folder
# to get a newer one. "debug", "bench" and "7.2" are built by us: build-kernel.sh.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

# VERSION: its release, the flavour of its packages, the root that has its compiler.
kernels='
5.10        bullseye            amd64        bullseye
6.1         -                   amd64        -
6.1-rt      -                   rt-amd64     -
6.1-cloud   -                   cloud-amd64  -
6.12        bookworm-backports  amd64        -
6.12-rt     bookworm-backports  rt-amd64     -
6.12-cloud  bookworm-backports  cloud-amd64  -
7.2-stock   trixie-backports    amd64        trixie
7.3         trixie-backports    amd64        trixie
7.3-rt      trixie-backports    rt-amd64     trixie
7.3-cloud   trixie-backports    cloud-amd64  trixie
arm64-6.1   -                   arm64        -
arm64-6.12  bookworm-backports  arm64        -
'
known=$(awk 'NF { printf "%s, ", $1 }' <<<"$kernels")"7.2, debug, bench"
if [[ $# == 1 && $1 == --list ]]; then
    awk 'NF { print $1 }' <<<"$kernels"
    exit
fi
[[ $# == 1 ]] || die "usage: ${0##*/} VERSION   ($known), or --list"
version=$1
case $version in
7.2 | debug | bench) exec "$(dirname "$(readlink -f "$0")")/build-kernel.sh" "$version" ;;
esac
read -r _ suite flavour root < <(awk -v v="$version" '$1 == v' <<<"$kernels") ||
    die "unknown kernel version '$version'; known: $known"
number=${version#arm64-}
number=${number%%-*}
if [[ $suite == - ]]; then suite=''; fi
if [[ $root == - ]]; then root=''; fi
arch=''
if [[ $flavour == arm64 ]]; then arch=arm64; fi

cache=$(cache_dir)/kernels
mkdir -p "$cache"

tmp=
print_kernel() {
    local kver vmlinuz
    kver=$(basename "$(echo "$1"/lib/modules/*)")
    # From 7.3 on the image lies beside its modules.
    vmlinuz=$1/boot/vmlinuz-$kver
    if [[ ! -e $vmlinuz ]]; then vmlinuz=$1/lib/modules/$kver/vmlinuz; fi
    printf 'KVER=%q\nKDIR=%q\nVMLINUZ=%q\nMODDIR=%q\nROOT=%q\n' "$kver" \
        "$1/usr/src/linux-headers-$kver" "$vmlinuz" "$1/lib/modules/$kver" "$root"
    case $arch in
    arm64) printf 'ARCH=arm64\nCROSS_COMPILE=aarch64-linux-gnu-\nBUSYBOX=%q\n' "$1/bin/busybox" ;;
    esac
}

# The newest kernel of this version and flavour; the meta package of a release may
# name a later version.
resolve() {
    apt-cache ${apt_options[@]+"${apt_options[@]}"} pkgnames "linux-headers-$number." 2>/dev/null |
        grep -xE "linux-headers-[0-9.]+(-[0-9.]+)?(\+deb[0-9]+)?-$flavour" | sed 's/^linux-headers-//' | sort -V | tail -n 1
}

depends() {
    apt-cache ${apt_options[@]+"${apt_options[@]}"} depends "$1" | sed -n 's/^ *Depends: \(linux-[^ ]*\)$/\1/p'
}

fetch() {
    local kver pkgversion headers package image common
    local -a parts
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
    [[ -n $kver ]] || die "this system's package lists have no kernel $number of flavour $flavour"

    # What kbuild runs, runs here: this machine's own, whatever the kernel is for.
    local -a packages=("linux-headers-$kver") own=()
    # From 7.3 on the image is a meta package of its parts.
    image=linux-image-$kver
    mapfile -t parts < <(depends "$image" | grep -E "^linux-(binary|modules|base)-$number")
    if [[ ${#parts[@]} -gt 0 ]]; then
        image=linux-binary-$kver
        packages+=("${parts[@]}")
    else
        packages+=("$image")
    fi
    while read -r package; do
        case $arch/$package in
        /* | */linux-headers-* | */linux-compiler-*) packages+=("$package") ;;
        *) own+=("$package") ;;
        esac
    done < <(depends "linux-headers-$kver" | grep -vE '^linux-(image|base)')

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
    pkgversion=$(dpkg-deb -f "$tmp/debs/${image}_"*.deb Version)
    # Where the packages follow the merged /usr.
    if [[ -d $tmp/tree/usr/lib/modules ]]; then
        mkdir -p "$tmp/tree/lib"
        cp -al "$tmp/tree/usr/lib/modules" "$tmp/tree/lib/"
        rm -rf "$tmp/tree/usr/lib/modules"
    fi

    # The headers name the common part by its absolute place on an installed
    # system; by a relative one they work wherever the cache is.
    headers=$tmp/tree/usr/src/linux-headers-$kver
    # shellcheck disable=SC2016 # make's variables
    sed -i -e 's,^include /usr/src/,include $(dir $(lastword $(MAKEFILE_LIST)))../,' \
        -e 's,^KBUILD_OUTPUT=.*,KBUILD_OUTPUT:=$(abspath $(dir $(lastword $(MAKEFILE_LIST)))),' "$headers/Makefile"
    ln -sfn "../../../usr/src/linux-headers-$kver" "$tmp/tree/lib/modules/$kver/build"
    common=$(basename "$(echo "$tmp/tree/usr/src/linux-headers-"*-common*)")
    ln -sfn "../../../usr/src/$common" "$tmp/tree/lib/modules/$kver/source"
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
