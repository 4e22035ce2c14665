#!/bin/bash
# SPDX-License-Identifier: MIT
# Compares the library's ABI with the committed description, lib/libaclkm.abi.xz.
#
#   abi.sh check [LIBRARY]    fails if a symbol is gone or a type has changed
#   abi.sh update [LIBRARY]   writes the description anew, at a release
#
# New symbols pass: they get into the description with the next update.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=common.sh
. "$top/tools/common.sh"
action=${1:-check} library=${2:-$top/build/lib/libaclkm.so}
description=$top/lib/libaclkm.abi.xz
[[ -f $library ]] || die "no such library: $library"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Public types only, and nothing of where and by what it was built.
describe() {
    abidw --drop-private-types --headers-dir "$top/include" --no-corpus-path --no-comp-dir-path \
        --no-show-locs --no-parameter-names --no-architecture --no-elf-needed \
        --type-id-style hash --out-file "$1" "$library"
}

case $action in
check)
    xz -dc "$description" >"$work/old.abi"
    describe "$work/new.abi"
    abidiff --no-added-syms --no-show-locs "$work/old.abi" "$work/new.abi" || {
        echo "the ABI differs from lib/libaclkm.abi.xz; if that is meant: tools/abi.sh update"
        exit 1
    }
    ;;
update)
    describe "$work/new.abi"
    xz -9e -c "$work/new.abi" >"$description"
    ;;
*) die "usage: ${0##*/} check|update [LIBRARY]" ;;
esac
