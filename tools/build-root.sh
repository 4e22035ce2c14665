#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes a Debian root of another release in the cache, with the compilers that the
# headers of its kernels ask for. Prints its folder. Nothing is installed on this
# system but mmdebstrap.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 1 ]] || die "usage: ${0##*/} RELEASE   (bullseye, trixie or sid)"
release=$1
case $release in
# kbuild of these releases links nothing with LLVM's linker: clang comes with lld and llvm.
bullseye) packages=gcc,make,libelf1,kmod,dwarves ;;
# herd7 simulates what a processor's memory model allows.
sid) packages=herdtools7 ;;
trixie) packages=gcc,make,libelf1t64,kmod,pahole,clang,lld,llvm ;;
*) die "unknown release '$release'; known: bullseye, trixie, sid" ;;
esac

cache=$(cache_dir)/roots
mkdir -p "$cache"
# The folder's name changes with the packages.
key=$release-$(sha256sum <<<"$packages" | tr -dc 0-9 | cut -c 1-8)

make_root() {
    local site started=$SECONDS
    need_debian "making a root of $release"
    "${0%/*}/install-deps.sh" root
    # shellcheck disable=SC2016 # apt's variable
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | head -n 1)
    [[ -n $site ]] || die "this machine's apt knows no Debian archive to take $release from"
    say "making a root of $release with $packages (some minutes, once)"
    as_root rm -rf "$cache/.tmp-$release"
    # An archive that is a copy of an earlier day serves as well.
    as_root mmdebstrap --quiet --mode=root --variant=essential --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        "$release" "$cache/.tmp-$release" \
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >&2
    as_root rm -rf "$cache/$release"-* "$cache/.tmp-$release"/var/{cache,lib}/apt "$cache/.tmp-$release/usr/share/doc"
    as_root mv "$cache/.tmp-$release" "$cache/$key-0"
    say "root of $release: $((SECONDS - started)) s, $(readable "$(as_root du -sb "$cache/$key-0" | cut -f1)") in the cache"
}

dir=$(cached "$cache" "$key" make_root)
[[ -n $dir ]] || die "the root of $release did not arrive"
printf '%s\n' "$dir"
