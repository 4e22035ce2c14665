#!/bin/bash
# SPDX-License-Identifier: MIT
# The whole path by one command: builds the module and the library, runs the
# example here without a driver, then in a VM with a stock kernel, the driver, a
# disk and a device that moves the memory itself.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
build=$top/build
kernel=6.1
# shellcheck source=common.sh
. "$top/tools/common.sh"
colours 1
unset MAKEFLAGS MFLAGS MAKELEVEL

step() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }

# Quiet unless it fails; a build is not what the reader came for.
build_in() {
    local dir=$1 out
    shift
    echo "  building $dir"
    out=$(make --no-print-directory -j"$(nproc)" -C "$top/$dir" "$@" 2>&1) || {
        printf '%s\n' "$out" >&2
        die "building $dir failed"
    }
}

"$top/tools/install-deps.sh" build vm
assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
eval "$assignments"

step "building for Linux $KVER"
build_in kmod KDIR="$KDIR" B="$build/kmod-$kernel"
build_in lib B="$build/lib"
build_in examples B="$build/examples" LIB="$build/lib"

step "on this machine, without a driver"
ACLKM_BACKEND=user LD_LIBRARY_PATH=$build/lib "$build/examples/demo" --file "$VMLINUZ"

step "in a VM: Linux $KVER, the driver loaded, a disk, a PCI device with a DMA engine"
disk=$build/demo-disk.raw
cp "$VMLINUZ" "$disk"
chmod u+w "$disk"
# O_DIRECT reads whole sectors.
truncate -s %512 "$disk"
files=(--file "$build/examples/demo" --file "$build/examples/edu_dma" --file "$build/lib/libaclkm.so.0")
# The mask: edu by itself reaches only the first 256 MiB.
"$top/selftests/vm/run.sh" --kernel "$kernel" --name demo --memory 2048 --timeout 300 \
    --module "$build/kmod-$kernel/aclkm.ko" "${files[@]}" --kmods 'virtio_pci virtio_blk' \
    --qemu "-device edu,dma_mask=0xffffffffffffffff -drive file=$disk,format=raw,if=none,id=disk,readonly=on -device virtio-blk-pci,drive=disk" \
    --log "$build/demo.log" -- "$top/examples/guest-demo.sh"
