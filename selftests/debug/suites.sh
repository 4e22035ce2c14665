# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables and functions of run-tests.sh
# Sourced by run-tests.sh: the suites of `make test-debug`.
#
#   ACLKM_DEBUG_SUITES   which of them (tests devices faults fuzzer)
#   ACLKM_FUZZ_SECONDS   how long to fuzz (180)
#   ACLKM_FUZZ_SEED      where to begin; the seconds since 1970 unless given
#   ACLKM_FAULT_ROUNDS   how often the test programs run under faults by chance (2)

# Places of the module that KCOV can see, without those that only run while it loads or unloads.
instrumented_places() {
    objdump -r "$1" | awk '
        /^RELOCATION RECORDS FOR/ { counts = !/\[\.(init|exit)\./ }
        counts && $3 ~ /^__sanitizer_cov_trace_pc[-+]/ { n++ }
        END { print n + 0 }'
}

wanted() { [[ " ${ACLKM_DEBUG_SUITES:-tests devices faults fuzzer} " == *" $1 "* ]]; }

# figures LOG...: what the programs of the lane count, in a line each
figures() { sed -n 's/^# \(\(injected\|fuzzed\|covered\): .*\)/  \1/p' "$@"; }

debug_suites() {
    local name assignments places
    local -a programs common tests
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

    # shellcheck disable=SC2207 # names without spaces
    programs=($(make --no-print-directory -s -C "$here/kmod" list))
    printf '%s\n' "${programs[@]}" >"$logs/debug-kselftest.list"
    common=(--kernel debug --boot-timeout 300 --append kmemleak=on --module "$build/kmod-debug/aclkm.ko")
    tests=(--file "$logs/debug-kselftest.list:/kselftest/list")
    for name in "${programs[@]}"; do
        tests+=(--file "$build/kselftest/$name:/kselftest/$name")
    done
    if wanted tests; then debug_tests; fi
    if wanted devices; then debug_devices; fi
    if wanted faults; then debug_faults; fi
    if wanted fuzzer; then debug_fuzzer; fi

    printf '%sfigures%s\n' "$bold" "$off"
    figures "$logs"/debug-*.log
}

debug_tests() {
    begin_suite 'debug kernel, tests'
    vm debug-tests --memory 1024 --timeout 600 "${common[@]}" "${tests[@]}" \
        --file "$build/kmod-debug/aclkm_kunit.ko:/kunit/aclkm_kunit.ko" -- "$here/debug/guest.sh" tests
}

debug_devices() {
    local name
    local -a programs args
    begin_suite 'debug kernel, devices'
    # shellcheck disable=SC2207 # names without spaces
    programs=($(make --no-print-directory -s -C "$here/kmod" list-devices))
    printf '%s\n' "${programs[@]}" >"$logs/debug-devices.list"
    args=("${common[@]}" --file "$logs/debug-devices.list:/kselftest/list")
    for name in "${programs[@]}"; do
        args+=(--file "$build/kselftest/$name:/kselftest/$name")
    done
    truncate -s 256M "$logs/debug-disk.img"
    vm debug-devices --memory 2048 --timeout 900 "${args[@]}" --file "$here/kmod/guest-devices.sh:/devices.sh" \
        --kmods 'virtio_pci virtio_blk vgem vivid' \
        --qemu "-drive file=$logs/debug-disk.img,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/debug/guest.sh" devices
    rm -f "$logs/debug-disk.img"
}

debug_faults() {
    local name
    local -a programs args
    begin_suite 'debug kernel, faults'
    args=("${common[@]}" "${tests[@]}")
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
    vm debug-fuzz --memory 1024 --timeout $((${ACLKM_FUZZ_SECONDS:-180} + 300)) "${common[@]}" --file "$build/fuzz/fuzz" -- \
        "$here/debug/guest.sh" fuzz "${ACLKM_FUZZ_SECONDS:-180}" "${ACLKM_FUZZ_SEED:-$(date +%s)}" "$places"
}
