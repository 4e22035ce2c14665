# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables and functions of run-tests.sh
# Sourced by run-tests.sh: one cell of `make test-matrix`, the module's programs in one
# guest with one kernel. A cell is KERNEL, or KERNEL-clang for the module built by clang.

# matrix_suites CELL
matrix_suites() {
    local cell=$1 kernel=${1%-clang} name assignments kmods disk
    local -a args make_args=()
    assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"
    if [[ $cell != "$kernel" ]]; then
        # A root has one clang; this system has several beside each other.
        make_args=("LLVM=$([[ -n ${ROOT:-} ]] && echo 1 || echo -14)")
        if [[ -z ${ROOT:-} ]]; then "$top/tools/install-deps.sh" clang; fi
    fi

    begin_suite "matrix, Linux $cell"
    gate 'build without warnings' quiet_kernel_make "$kernel" -C "$top/kmod" B="$build/kmod-$cell" \
        ${make_args[@]+"${make_args[@]}"}
    [[ -n $gate_ok ]] || return 0
    gate 'build kselftest programs' quiet_make -C "$here/kmod" KSFT="$KSFT" B="$kselftests"
    [[ -n $gate_ok ]] || return 0

    args=(--module "$build/kmod-$cell/aclkm.ko" --file "$logs/matrix.list:/kselftest/list")
    : >"$logs/matrix.list"
    matrix_programs 256M,64M features
    # shellcheck disable=SC2046 # names without spaces
    matrix_programs 256M,64M $(make --no-print-directory -s -C "$here/kmod" list | grep -vx test_unload)
    # shellcheck disable=SC2046 # names without spaces
    matrix_programs 1G,128M $(make --no-print-directory -s -C "$here/kmod" list-driver)
    # shellcheck disable=SC2046 # names without spaces
    matrix_programs 1G,128M $(make --no-print-directory -s -C "$here/kmod" list-devices | grep -vx test_rdma)
    matrix_programs 64M test_unload
    # Cloud kernels have no video and graphics devices.
    kmods='virtio_pci virtio_blk'
    for name in vgem vivid; do
        if modinfo -b "${MODDIR%/lib/modules/*}" -k "$KVER" "$name" >/dev/null 2>&1; then kmods+=" $name"; fi
    done
    disk=$logs/disk.img
    truncate -s 256M "$disk"
    vm "matrix-$cell" --kernel "$kernel" --memory 4096 --timeout 1500 --append 'nokaslr init_on_alloc=0' \
        --kmods "$kmods" "${args[@]}" \
        --qemu "-drive file=$disk,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/kmod/guest-list.sh" 100 all
    rm -f "$disk"
}

# matrix_programs ARENAS PROGRAM...: adds to what the guest runs
matrix_programs() {
    local reserve=$1 name
    shift
    for name in "$@"; do
        echo "$reserve $name" >>"$logs/matrix.list"
        args+=(--file "$kselftests/$name:/kselftest/$name")
    done
}
