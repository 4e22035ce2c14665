# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables and functions of run-tests.sh
# Sourced by run-tests.sh: the suites of `make test-arm64`, on Debian's stock arm64
# kernels in QEMU's machine "virt", everything built here by a cross compiler.

# Those that need a library of Debian's for arm64 are left out.
arm64_device_programs='test_gup_copy test_gup_disk test_gup_net test_dmabuf test_pin'

# arm64_suites VERSION: on Debian's kernel of this version
arm64_suites() {
    local kernel=arm64-$1 name assignments cross programs zone_device=''
    local kselftests=$build/kselftest-arm64
    local -a args vm_args tools targets
    "$top/tools/install-deps.sh" arm64
    assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"
    cross=$CROSS_COMPILE
    tools=(CC="${cross}gcc" LD="${cross}ld" AR="${cross}ar" OBJCOPY="${cross}objcopy")
    programs="$(make --no-print-directory -s -C "$here/kmod" list list-driver) $arm64_device_programs"
    targets=()
    for name in $programs; do targets+=("$kselftests/$name"); done

    begin_suite "arm64, Linux $1"
    gate 'build without warnings' quiet_make -C "$top/kmod" KDIR="$KDIR" B="$build/kmod-$kernel" \
        ARCH="$ARCH" CROSS_COMPILE="$cross"
    [[ -n $gate_ok ]] || return 0
    gate 'build kselftest programs' quiet_make -C "$here/kmod" KSFT="$KSFT" B="$kselftests" \
        CC="${cross}gcc" "${targets[@]}"
    [[ -n $gate_ok ]] || return 0
    gate 'build unit programs' quiet_make -C "$here/unit" B="$build/unit-arm64" SAN=none "${tools[@]}"
    [[ -n $gate_ok ]] || return 0

    # shellcheck disable=SC2046 # names without spaces
    guest_programs kselftest $(make --no-print-directory -s -C "$here/kmod" list)
    printf '%s\n' "${unit_list[@]}" >"$logs/unit.list"
    vm_args=("${args[@]}" --file "$logs/unit.list:/unit/list" --file "$here/vm/guest-tests.sh:/guest-tests.sh")
    for name in "${unit_list[@]}"; do
        vm_args+=(--file "$build/unit-arm64/$name:/unit/$name")
    done
    # The checks ask it where a program is.
    vm_args+=(--file "$("${cross}gcc" -print-file-name=libgcc_s.so.1):/usr/lib/libgcc_s.so.1")
    vm "vm-2g-$kernel" --kernel "$kernel" --memory 2048 --timeout 600 "${vm_args[@]}" -- "$here/arm64/guest.sh"

    begin_suite "arm64, Linux $1, reserved-memory"
    guest_programs nodes test_alloc test_mmap test_life test_gup_copy
    if grep -qx CONFIG_ZONE_DEVICE=y "$KDIR/.config"; then zone_device=1; fi
    # What is past mem= the kernel does not know.
    vm "vm-nodes-$kernel" --kernel "$kernel" --memory 2304 --timeout 300 --append mem=2G \
        --dtb "$here/arm64/nodes.sh" "${args[@]}" -- "$here/arm64/guest-nodes.sh" "$zone_device"

    begin_suite "arm64, Linux $1, the driver's promises"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs driver $(make --no-print-directory -s -C "$here/kmod" list-driver)
    vm "vm-driver-$kernel" --kernel "$kernel" --memory 4096 --timeout 600 --append init_on_alloc=0 \
        "${args[@]}" -- "$here/kmod/guest-driver.sh"

    begin_suite "arm64, Linux $1, with devices"
    # shellcheck disable=SC2086 # names without spaces
    guest_programs devices $arm64_device_programs
    truncate -s 256M "$logs/disk-$kernel.img"
    vm "vm-devices-$kernel" --kernel "$kernel" --memory 4096 --timeout 600 "${args[@]}" --kmods 'virtio_pci virtio_blk' \
        --qemu "-drive file=$logs/disk-$kernel.img,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/kmod/guest-devices.sh"
    rm -f "$logs/disk-$kernel.img"
}
