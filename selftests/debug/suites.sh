# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables and functions of run-tests.sh
# Sourced by run-tests.sh: the suites of `make test-debug`, and at the end of `make
# test` the same with less fuzzing.
#
#   ACLKM_DEBUG_SUITES   which of them (tests devices driver arenas reserve faults fuzzer)
#   ACLKM_FUZZ_SECONDS   how long to fuzz (180)
#   ACLKM_FUZZ_SEED      where to begin; the seconds since 1970 unless given
#   ACLKM_FAULT_ROUNDS   how often the test programs run under faults by chance (2)
#   ACLKM_DEBUG_BEFORE   seconds that the rest of `make test` may have taken (660)

# Places of the module that KCOV can see, without those that only run while it loads or unloads.
instrumented_places() {
    objdump -r "$1" | awk '
        /^RELOCATION RECORDS FOR/ { counts = !/\[\.(init|exit)\./ }
        counts && $3 ~ /^__sanitizer_cov_trace_pc[-+]/ { n++ }
        END { print n + 0 }'
}

wanted() { [[ " ${ACLKM_DEBUG_SUITES:-tests devices driver arenas reserve faults fuzzer} " == *" $1 "* ]]; }

# figures LOG...: what the programs of the lane count, in a line each
figures() { sed -n 's/^# \(\(injected\|fuzzed\|covered\): .*\)/  \1/p' "$@"; }

debug_suites() {
    # shellcheck disable=SC2034 # guest_programs reads it
    local assignments places kernel=debug
    local -a common
    assignments=$("$top/tools/fetch-kernel.sh" debug)
    eval "$assignments"

    begin_suite 'debug kernel'
    # KCOV sees only what asks for it.
    gate 'build without warnings' quiet_make -C "$top/kmod" KDIR="$KDIR" B="$build/kmod-debug" KFLAGS=KCOV_INSTRUMENT=y
    [[ -n $gate_ok ]] || return 0
    gate 'build kselftest programs' quiet_make -C "$here/kmod" KSFT="$KSFT" B="$build/kselftest"
    [[ -n $gate_ok ]] || return 0
    gate 'build fault programs' quiet_make -C "$here/fault" B="$build/fault"
    [[ -n $gate_ok ]] || return 0
    gate 'build fuzzer' quiet_make -C "$here/fuzz" B="$build/fuzz"
    [[ -n $gate_ok ]] || return 0
    places=$(instrumented_places "$build/kmod-debug/aclkm.ko")
    common=(--kernel debug --boot-timeout 300 --append kmemleak=on)
    if wanted tests; then debug_tests; fi
    if wanted devices; then debug_devices; fi
    if wanted driver; then debug_driver; fi
    if wanted arenas; then debug_arenas; fi
    if wanted reserve; then debug_reserve; fi
    if wanted faults; then debug_faults; fi
    if wanted fuzzer; then debug_fuzzer; fi

    printf '%sfigures%s\n' "$bold" "$off"
    figures "$logs"/debug-*.log
}

# debug_programs LIST: common, the module and these programs of selftests/kmod, into args
debug_programs() {
    # shellcheck disable=SC2046 # names without spaces
    guest_programs "debug-$1" $(make --no-print-directory -s -C "$here/kmod" "$1")
    args=("${common[@]}" "${args[@]}")
}

debug_tests() {
    local -a args
    begin_suite 'debug kernel, tests'
    debug_programs list
    vm debug-tests --memory 1024 --timeout 600 "${args[@]}" \
        --file "$build/kmod-debug/aclkm_kunit.ko:/kunit/aclkm_kunit.ko" -- "$here/debug/guest.sh" tests
}

debug_devices() {
    local -a args
    begin_suite 'debug kernel, devices'
    debug_programs list-devices
    truncate -s 256M "$logs/debug-disk.img"
    vm debug-devices --memory 2048 --timeout 900 "${args[@]}" --file "$here/kmod/guest-devices.sh:/devices.sh" \
        --kmods 'virtio_pci virtio_blk vgem vivid' \
        --qemu "-drive file=$logs/debug-disk.img,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/debug/guest.sh" devices
    rm -f "$logs/debug-disk.img"

    debug_programs list-iommu
    vm debug-iommu --memory 5120 --timeout 600 --append 'nokaslr intel_iommu=on' "${args[@]}" \
        --file "$here/kmod/guest-devices.sh:/devices.sh" --kmods "$vfio_modules" --qemu "$iommu" \
        -- "$here/debug/guest.sh" devices
}

debug_driver() {
    local -a args
    begin_suite "debug kernel, the driver's promises"
    debug_programs list-driver
    vm debug-driver --memory 6144 --timeout 1200 --append nokaslr "${args[@]}" \
        --file "$here/kmod/guest-driver.sh:/driver.sh" -- "$here/debug/guest.sh" driver
}

debug_arenas() {
    local -a args
    begin_suite 'debug kernel, arenas on two nodes'
    debug_programs list-arenas
    vm debug-arenas --memory 7168 --cpus 2,sockets=2 --timeout 900 --append 'nokaslr no_timer_check' \
        --qemu "$two_nodes" "${args[@]}" --file "$here/kmod/guest-arenas.sh:/arenas.sh" -- "$here/debug/guest.sh" arenas
}

# Debian's kernels for this machine have no CMA.
debug_reserve() {
    local -a args
    begin_suite 'debug kernel, memory of CMA'
    debug_programs list-reserve
    vm debug-reserve --memory 2048 --timeout 900 --append 'nokaslr cma=256M' "${args[@]}" \
        --file "$here/kmod/guest-arenas.sh:/arenas.sh" -- "$here/debug/guest.sh" arenas
}

debug_faults() {
    local name
    local -a programs args
    begin_suite 'debug kernel, faults'
    debug_programs list
    # shellcheck disable=SC2207 # names without spaces
    programs=($(make --no-print-directory -s -C "$here/fault" list))
    printf '%s\n' "${programs[@]}" >"$logs/debug-fault.list"
    args+=(--file "$logs/debug-fault.list:/fault/list" --file "$build/fault/accounts:/fault/accounts")
    for name in "${programs[@]}"; do
        args+=(--file "$build/fault/$name:/fault/$name")
    done
    vm debug-faults --memory 1024 --timeout 900 --faults "${args[@]}" -- "$here/debug/guest.sh" faults "${ACLKM_FAULT_ROUNDS:-2}"
}

debug_fuzzer() {
    begin_suite 'debug kernel, fuzzer'
    vm debug-fuzz --memory 4096 --append nokaslr --timeout $((${ACLKM_FUZZ_SECONDS:-180} + 300)) "${common[@]}" \
        --module "$build/kmod-debug/aclkm.ko" --file "$build/fuzz/fuzz" -- \
        "$here/debug/guest.sh" fuzz "${ACLKM_FUZZ_SECONDS:-180}" "${ACLKM_FUZZ_SEED:-$(date +%s)}" "$places"
}

# All tests shall end within the hour, on a machine that must build the kernel first,
# too: that and the lane take some three times as long as the rest.
debug_suites_if_time() {
    local limit=${ACLKM_DEBUG_BEFORE:-660}
    if ((SECONDS > limit)); then
        begin_suite 'debug kernel'
        tap 'all of it' printf '1..0 # SKIP the rest took %d s, more than ACLKM_DEBUG_BEFORE=%d: make test-debug\n' \
            "$SECONDS" "$limit"
        return
    fi
    ACLKM_FUZZ_SECONDS=${ACLKM_FUZZ_SECONDS:-60} ACLKM_FAULT_ROUNDS=${ACLKM_FAULT_ROUNDS:-1} debug_suites
}
