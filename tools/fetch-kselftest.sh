#!/bin/bash
# SPDX-License-Identifier: MIT
# Gets the kernel's test headers, its red-black trees for user space, checkpatch
# and kernel-doc out of Debian's kernel source package into the cache. They are
# GPL-2.0 files of the kernel and are not copied into this tree.
#
# Prints shell assignments: KSFT (has kselftest_harness.h), KTOOLS, SCRIPTS.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 1 ]] || die "usage: ${0##*/} VERSION   (6.1)"
version=$1
case $version in
6.1) ;;
*) die "unknown kernel version '$version'; known: 6.1" ;;
esac

# The number changes with the list of files below: an older cache lacks some.
cache=$(cache_dir)/kselftest-2
package=linux-source-$version
mkdir -p "$cache"

tmp=

# The source, compressed, to stdout: from the installed package or a fresh .deb.
source_tarball() {
    if [[ -f /usr/src/$package.tar.xz ]]; then
        cat "/usr/src/$package.tar.xz"
    else
        dpkg-deb --fsys-tarfile "$1"/*.deb | tar -xO "./usr/src/$package.tar.xz"
    fi
}

fetch() {
    local pkgversion
    need_debian "getting $package"
    rm -rf "$cache"/.tmp-"$version".*
    tmp=$(mktemp -d "$cache/.tmp-$version.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    mkdir "$tmp/debs" "$tmp/tree"
    if [[ -f /usr/src/$package.tar.xz ]]; then
        pkgversion=$(dpkg-query -W -f='${Version}' "$package")
    else
        say "fetching $package (about 140 MB, once)"
        (cd "$tmp/debs" && apt_download "$package")
        pkgversion=$(dpkg-deb -f "$tmp"/debs/*.deb Version)
    fi
    source_tarball "$tmp/debs" | xz -dc -T0 | tar -x -C "$tmp/tree" \
        --strip-components=1 --no-same-owner --wildcards \
        "$package/tools/testing/selftests/kselftest*.h" \
        "$package/tools/testing/selftests/lib.mk" \
        "$package/tools/include/*" \
        "$package/tools/lib/rbtree.c" \
        "$package/scripts/checkpatch.pl" \
        "$package/scripts/spelling.txt" \
        "$package/scripts/const_structs.checkpatch" \
        "$package/scripts/kernel-doc"
    mv "$tmp/tree" "$cache/$version-$pkgversion"
}

dir=$(cached "$cache" "$version" fetch)
[[ -n $dir ]] || die "$package did not arrive"
printf 'KSFT=%q\nKTOOLS=%q\nSCRIPTS=%q\n' "$dir/tools/testing/selftests" "$dir/tools" "$dir/scripts"
