#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds one of our own kernels from Debian's kernel source into the cache:
#
#   debug   6.1 that checks itself: KASAN, lockdep, kmemleak, fault injection ...
#   bench   6.1 to measure in, with the dma-buf heaps that Debian's 6.1 lacks
#   7.2     the newest, whose own Debian packages want a newer compiler
#
# The options are the kernel's tinyconfig, fragment-common.config and the
# flavour's fragment; the build fails on an option of ours that did not take.
#
# Prints the assignments of fetch-kernel.sh. A kernel in the cache is used as it
# is, offline too, until its fragments change.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"
here=$(dirname "$(readlink -f "$0")")

[[ $# == 1 ]] || die "usage: ${0##*/} FLAVOUR   (debug, bench or 7.2)"
flavour=$1
version=6.1 suite=''
case $flavour in
debug | bench) ;;
7.2) version=7.2 suite=sid ;;
*) die "unknown kernel flavour '$flavour'; known: debug, bench, 7.2" ;;
esac
package=linux-source-$version
fragments=("$here/fragment-common.config" "$here/fragment-$flavour.config")
jobs=${ACLKM_JOBS:-$(nproc)}

cache=$(cache_dir)/built-kernels
mkdir -p "$cache"

# Lines of the fragments without comments: "CONFIG_X=value" and "# CONFIG_X is not set".
options() { grep -hE '^(CONFIG_|# CONFIG_[A-Z0-9_]+ is not set)' "${fragments[@]}"; }

# The first word changes when this script builds or packs in another way.
hash=$({ echo 1 && options; } | sha256sum | cut -c 1-12)

# Fails, naming each option of the fragments that .config does not have.
check_config() {
    local line option bad=()
    while read -r line; do
        case $line in
        CONFIG_*)
            option=${line%%=*}
            grep -qxF -- "$line" "$1" || bad+=("$line: $(grep -E "^(# )?${option}[= ]" "$1" || echo 'not there at all')")
            ;;
        *)
            option=${line#\# }
            option=${option%% *}
            if grep -q "^$option=" "$1"; then bad+=("$line: $(grep "^$option=" "$1")"); fi
            ;;
        esac
    done < <(options)
    [[ ${#bad[@]} -gt 0 ]] || return 0
    printf '  %s\n' "${bad[@]}" >&2
    die "${#bad[@]} option(s) of the fragments did not take in the $flavour kernel"
}

# The source into $tmp/build; sets pkgversion.
unpack_source() {
    local deb tarball=/usr/src/$package.tar.xz
    local -a source
    if [[ -f $tarball ]]; then
        pkgversion=$(dpkg-query -W -f='${Version}' "$package")
        source=(cat "$tarball")
    else
        say "fetching $package (about 140 MB)"
        mkdir "$tmp/debs"
        if [[ -n $suite ]]; then use_suite "$suite" "$cache/apt-$suite"; fi
        (cd "$tmp/debs" && apt_download "$package")
        deb=$(echo "$tmp"/debs/*.deb)
        pkgversion=$(dpkg-deb -f "$deb" Version)
        source=(tar_member "$deb" "./usr/src/$package.tar.xz")
    fi
    "${source[@]}" | xz -dc -T0 | tar -x -C "$tmp/build" --strip-components=1 --no-same-owner \
        --exclude="$package/drivers/gpu/drm/amd/include/asic_reg" --exclude="$package/arch/*/boot/dts/*/*"
    rm -rf "$tmp/debs"
}

tar_member() { dpkg-deb --fsys-tarfile "$1" | tar -xO "$2"; }

# Says now and then how far a kernel build on standard input is; keeps all of it in $1.
progress() {
    awk -v log_file="$1" -v flavour="$flavour" '
        function now(  t) { "date +%s" | getline t; close("date +%s"); return t }
        BEGIN { start = last = now() }
        { print >log_file }
        /^  (CC|AS|LD|AR)( \[M\])? / && ++n % 50 == 0 && (t = now()) - last >= 20 {
            printf "  %s kernel: %d files, %d s\n", flavour, n, t - start
            last = t
            fflush()
        }' >&2
}

kmake() {
    local log=$tmp/make.log
    if ! make -C "$tmp/build" ARCH=x86_64 -j"$jobs" "$@" 2>&1 | progress "$log"; then
        tail -n 30 "$log" >&2
        die "building the $flavour kernel failed: make $*"
    fi
}

# Leaves what building a module needs, and vmlinux to look into.
prune() {
    (
        cd "$tmp/build"
        # objtool first: only its program is needed.
        if [[ -x tools/objtool/objtool ]]; then cp tools/objtool/objtool "$tmp/objtool"; fi
        rm -rf .git* tools block certs crypto drivers fs init io_uring ipc kernel lib mm net rust \
            samples security sound usr virt Documentation LICENSES
        if [[ -e $tmp/objtool ]]; then
            mkdir -p tools/objtool
            mv "$tmp/objtool" tools/objtool/objtool
        fi
        find . -type f ! \( -name '*.h' -o -name 'Makefile*' -o -name 'Kbuild*' -o -name '*.lds' \
            -o -name '*.tbl' -o -path './scripts/*' -o -path './include/*' -o -path './tools/*' \
            -o -name .config -o -name Module.symvers -o -name System.map -o -path ./vmlinux \) -delete
        find scripts -name '*.o' ! -name module-common.o -delete
        find . -type d -empty -delete
    )
}

build() {
    local kver started=$SECONDS
    need_debian "building the $flavour kernel"
    "$here/install-deps.sh" kernel
    rm -rf "$cache"/.tmp-"$flavour".*
    tmp=$(mktemp -d "$cache/.tmp-$flavour.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    mkdir "$tmp/build" "$tmp/tree"
    say "building the $flavour kernel (once, some minutes)"
    unpack_source

    kmake tinyconfig
    options >>"$tmp/build/.config"
    kmake olddefconfig
    check_config "$tmp/build/.config"

    kmake bzImage modules
    kver=$(make -s -C "$tmp/build" ARCH=x86_64 kernelrelease)
    kmake modules_install INSTALL_MOD_PATH="$tmp/tree" INSTALL_MOD_STRIP=1
    mkdir "$tmp/tree/boot"
    cp "$tmp/build/arch/x86/boot/bzImage" "$tmp/tree/boot/vmlinuz-$kver"
    check_config "$tmp/build/.config"
    prune
    mkdir -p "$tmp/tree/usr/src"
    mv "$tmp/build" "$tmp/tree/usr/src/linux-headers-$kver"
    rm -f "$tmp/tree/lib/modules/$kver/source"
    ln -sfn "../../../usr/src/linux-headers-$kver" "$tmp/tree/lib/modules/$kver/build"
    chmod -R u+rwX,go+rX "$tmp/tree"
    # Kernels of older fragments are of no use to anybody.
    rm -rf "$cache/$flavour"-*
    mv "$tmp/tree" "$cache/$flavour-$hash-$pkgversion"
    say "kernel $kver: $((SECONDS - started)) s, $(readable "$(du -sb "$cache/$flavour-$hash-$pkgversion" | cut -f1)") in the cache"
}

tmp='' pkgversion=''
dir=$(cached "$cache" "$flavour-$hash" build)
[[ -n $dir ]] || die "the $flavour kernel did not arrive"
kver=$(basename "$(echo "$dir"/lib/modules/*)")
printf 'KVER=%q\nKDIR=%q\nVMLINUZ=%q\nMODDIR=%q\n' "$kver" \
    "$dir/usr/src/linux-headers-$kver" "$dir/boot/vmlinuz-$kver" "$dir/lib/modules/$kver"
