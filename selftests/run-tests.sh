#!/bin/bash
# SPDX-License-Identifier: MIT
# All tests, as `make test` runs them: builds, unit tests with and without
# sanitizers, the VM runner's own test, the module in VMs. V=1 shows everything.
# With arguments, which are kernel versions, only the module on these kernels;
# "soak" is the fuzzer and its racers for ACLKM_SOAK_SECONDS (600) on stock 6.1,
# "soak-debug" the same on the kernel that checks itself;
# "debug" is the lane with the kernel that checks itself, "arm64" that of another
# machine's kernels ("arm64-6.1" and "arm64-6.12" are its halves), "cell-KERNEL" one
# cell of the matrix. ACLKM_TEST_LOGS is a folder for the logs of this run.
# The last line is "N passed, N failed".
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$here")
build=$top/build
logs=${ACLKM_TEST_LOGS:-$build/test-logs}
run_vm=$here/vm/run.sh
# shellcheck source=../tools/common.sh
. "$top/tools/common.sh"
# shellcheck source=debug/suites.sh
. "$here/debug/suites.sh"
# shellcheck source=arm64/suites.sh
. "$here/arm64/suites.sh"
# shellcheck source=matrix/suites.sh
. "$here/matrix/suites.sh"
colours 1

# Flags of the make that called this would reach the makes called here, and a
# jobserver that is not theirs makes them warn.
unset MAKEFLAGS MFLAGS MAKELEVEL

"$top/tools/install-deps.sh" test vm python
rm -rf "$logs"
mkdir -p "$logs"
: >"$logs/results"
: >"$logs/suites"
jobs=$(nproc)
total_passed=0 total_failed=0 total_skipped=0

# Everything below records lines of tap.awk behind the name of its suite.
suite='' suite_start=0
end_suite() {
    if [[ -n $suite ]]; then
        printf '%s\t%s\n' "$suite" "$(seconds_since "$suite_start")" >>"$logs/suites"
    fi
}
begin_suite() {
    end_suite
    suite=$1
    suite_start=$(date +%s.%N)
    printf '%s%s%s\n' "$bold" "$suite" "$off"
}

# record LINE...: of tap.awk, without the suite
record() {
    local kind program a b c seconds mark counts
    while IFS=$'\t' read -r kind program a b c seconds; do
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$suite" "$kind" "$program" "$a" "$b" "$c" "$seconds" \
            >>"$logs/results"
        [[ $kind == P ]] || continue
        mark=${green}ok${off}
        if ((b > 0)); then mark=${red}FAILED${off}; fi
        if ((b == 0 && a == 0)); then mark=${yellow}skipped${off}; fi
        counts=$(printf '%4d passed' "$a")
        if ((b > 0)); then counts+=", $b failed"; fi
        if ((c > 0)); then counts+=", $c skipped"; fi
        printf '  %-34s %-36s %6.1f s  %s\n' "$program" "$counts" "$seconds" "$mark"
    done
}

seconds_since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }'; }

# gate NAME COMMAND...: one test, passed when the command succeeds. Sets
# gate_ok. The command's output is shown when it fails.
gate() {
    local name=$1 log start status=0
    shift
    log=$logs/$(tr -c 'A-Za-z0-9.\n' - <<<"$suite-$name").log
    start=$(date +%s.%N)
    if [[ -n ${V:-} ]]; then
        "$@" 2>&1 | tee "$log" || status=$?
    else
        "$@" >"$log" 2>&1 || status=$?
    fi
    gate_ok=1
    if [[ $status == 0 ]]; then
        printf 'P\t%s\t1\t0\t0\t%s\n' "$name" "$(seconds_since "$start")"
    else
        gate_ok=
        if [[ -z ${V:-} ]]; then tail -n 30 "$log" >&2; fi
        printf 'F\t%s\texit status %s, see %s\nP\t%s\t0\t1\t0\t%s\n' "$name" "$status" \
            "${log#"$top"/}" "$name" "$(seconds_since "$start")"
    fi > >(record)
    # The line of this gate comes before the next one's.
    wait $!
}

# A compiler's warning counts as a failure.
quiet_make() { without_warnings make --no-print-directory -j"$jobs" "$@"; }
# quiet_kernel_make KERNEL ARGUMENT...: the same, by the compiler for that kernel
quiet_kernel_make() { without_warnings "$top/tools/kernel-make.sh" "$1" -j"$jobs" "${@:2}"; }
without_warnings() {
    local out status=0
    out=$("$@" 2>&1) || status=$?
    printf '%s\n' "$out"
    if grep -qE '(warning|error):' <<<"$out"; then status=1; fi
    return "$status"
}

# mawk waits for full blocks of input unless told; results shall come as they end.
tap_results() {
    if awk -W version 2>&1 </dev/null | grep -q '^mawk'; then
        awk -W interactive -f "$here/vm/tap.awk"
    else
        awk -f "$here/vm/tap.awk"
    fi
}

# tap NAME COMMAND...: runs one program that speaks TAP.
tap() {
    local name=$1 log start status=0
    shift
    log=$logs/$(tr -c 'A-Za-z0-9.\n' - <<<"$suite-$name").log
    start=$(date +%s.%N)
    if [[ -n ${V:-} ]]; then
        "$@" 2>&1 </dev/null | tee "$log" || status=$?
    else
        "$@" >"$log" 2>&1 </dev/null || status=$?
    fi
    {
        echo "# aclkm-tap: begin $name"
        cat "$log"
        echo
        echo "# aclkm-tap: end $name $status $(seconds_since "$start")"
    } | tap_results | record
    if [[ $status != 0 && -z ${V:-} ]]; then
        grep -vE '^(ok |1\.\.|TAP version)' "$log" | tail -n 30 >&2 || true
    fi
}

# vm NAME ARGUMENTS...: one VM; its TAP as it comes, then its own verdict.
vm() {
    local name=$1 log start failures status=0
    shift
    log=$logs/$(tr -c 'A-Za-z0-9.\n' - <<<"$name").log
    start=$(date +%s.%N)
    failures=$(grep -c $'\tF\t' "$logs/results" || true)
    "$run_vm" --name "$name" --log "$log" "$@" 2>"$log.runner" |
        { if [[ -n ${V:-} ]]; then tee /dev/stderr; else cat; fi; } |
        tap_results | record || status=$?
    if (($(grep -c $'\tF\t' "$logs/results" || true) > failures)) && [[ -z ${V:-} ]]; then
        # What the failed programs had to say of it.
        grep -aE '^(not ok|# )' "$log" |
            grep -avE '^# (aclkm-tap|Starting|  *RUN|  *OK|PASSED|FAILED|Totals)' | tail -n 40 >&2 || true
    fi
    if [[ $status == 0 ]]; then
        printf 'P\tverdict and kernel log\t1\t0\t0\t%s\n' "$(seconds_since "$start")"
    else
        cat "$log.runner" >&2
        printf 'F\tverdict and kernel log\t%s\n' "$(grep '^aclkm-vm: .*: ' "$log.runner" | head -n 1)"
        printf 'P\tverdict and kernel log\t0\t1\t0\t%s\n' "$(seconds_since "$start")"
    fi | record
}

# ---------------------------------------------------------------- unit tests

# TSan of gcc 12 cannot place its shadow where the kernel randomizes 32 bits.
no_aslr=()
if setarch "$(uname -m)" -R true 2>/dev/null; then no_aslr=(setarch "$(uname -m)" -R); fi
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1

# shellcheck disable=SC2207 # names without spaces
unit_list=($(make --no-print-directory -s -C "$here/unit" list 2>/dev/null || true))
[[ ${#unit_list[@]} -gt 0 ]] || die 'selftests/unit names no programs'
# They need a compiler where they run, so not in the VM.
# shellcheck disable=SC2207 # names without spaces
unit_scripts=($(make --no-print-directory -s -C "$here/unit" scripts 2>/dev/null || true))
unit_suites() {
    local san name
    local -a wrap names
    for san in none asan tsan; do
        begin_suite "unit, user backend$([[ $san == none ]] || echo ", $san")"
        gate 'build without warnings' quiet_make -C "$here/unit" B="$build/unit-$san" SAN="$san"
        [[ -n $gate_ok ]] || continue
        wrap=(timeout -k 5 300)
        if [[ $san == tsan ]]; then wrap+=(${no_aslr[@]+"${no_aslr[@]}"}); fi
        names=("${unit_list[@]}")
        if [[ $san == none ]]; then names+=("${unit_scripts[@]}"); fi
        for name in "${names[@]}"; do
            tap "$name" env ACLKM_BACKEND=user "${wrap[@]}" "$build/unit-$san/$name"
        done
        # The caches of threads are off where AddressSanitizer sees blocks: once more with them.
        [[ $san == asan ]] || continue
        for name in $(make --no-print-directory -s -C "$here/unit" list-caches); do
            tap "$name, ACLKM_GUARD=0" env ACLKM_BACKEND=user ACLKM_GUARD=0 "${wrap[@]}" "$build/unit-$san/$name"
        done
    done
}

# ---------------------------------------------------------------- examples

# shellcheck disable=SC2207 # names without spaces
example_list=($(make --no-print-directory -s -C "$top/examples/ascendcl" list 2>/dev/null || true))
[[ ${#example_list[@]} -gt 0 ]] || die 'examples/ascendcl names no programs'
example_suite() {
    begin_suite 'examples, user backend'
    gate 'build without warnings' quiet_make -C "$top/examples/ascendcl" B="$build/examples-ascendcl" all spoil
    [[ -n $gate_ok ]] || return 0
    tap 'examples' env ACLKM_BACKEND=user "$here/examples/test_examples.sh" "$build/examples-ascendcl" "${example_list[@]}"
}

python_suite() {
    local test
    # Debian's own interpreter: its packages bring what the module and its tests need.
    local python=/usr/bin/python3
    begin_suite 'python, user backend'
    gate 'build without warnings' quiet_make -C "$top" python PYTHON="$python"
    [[ -n $gate_ok ]] || return 0
    for test in "$top"/python/tests/test_*.py; do
        tap "$(basename "$test" .py)" env PYTHONPATH="$build/python/lib" PYTHONDONTWRITEBYTECODE=1 \
            ACLKM_BACKEND=user timeout -k 5 300 "$python" -W error "$test"
    done
}

# ------------------------------------------------------------- the VM runner

runner_suite() {
    begin_suite 'VM runner'
    tap 'self-test' "$run_vm" --self-test
}

# -------------------------------------------------------------- the module

# The test headers of one kernel serve for all.
get_kselftest() {
    local assignments
    assignments=$("$top/tools/fetch-kselftest.sh" 6.1)
    eval "$assignments"
}

host_suite() {
    local san name
    begin_suite "driver's pure code, user space"
    for san in none asan; do
        gate "build without warnings, $san" quiet_make -C "$here/host" KTOOLS="$KTOOLS" B="$build/host-$san" SAN="$san"
        [[ -n $gate_ok ]] || continue
        for name in $(make --no-print-directory -s -C "$here/host" list); do
            tap "$name, $san" timeout -k 5 300 "$build/host-$san/$name"
        done
    done
    if libfuzzer_works; then
        gate 'build libFuzzer target' quiet_make -C "$here/fuzz" extent KTOOLS="$KTOOLS" B="$build/fuzz"
        [[ -n $gate_ok ]] || return 0
        tap 'fuzz_extent, asan' timeout -k 5 300 "$here/fuzz/extent.sh" "$build/fuzz/fuzz_extent" 40000
    else
        tap 'fuzz_extent' printf '1..0 # SKIP clang-14 with libFuzzer is not here (libclang-rt-14-dev)\n'
    fi
}

libfuzzer_works() {
    echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n); int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return 0; }' |
        clang-14 -fsanitize=fuzzer,address,undefined -x c -o "$logs/libfuzzer" - 2>/dev/null
}

# A node with little memory, and one with several aligned ranges of 3 GiB.
two_nodes='-object memory-backend-ram,id=m0,size=1G -object memory-backend-ram,id=m1,size=10G'
two_nodes+=' -numa node,nodeid=0,memdev=m0,cpus=0 -numa node,nodeid=1,memdev=m1,cpus=1'

# A device with a DMA engine behind an IOMMU, for user space.
iommu='-machine q35,kernel-irqchip=split -device intel-iommu,intremap=on -device edu'
vfio_modules='vfio vfio_iommu_type1 vfio_pci'

# guest_programs NAME PROGRAM...: what a guest with the module and these programs of
# selftests/kmod, built in $kselftests, is given, into args
kselftests=$build/kselftest
guest_programs() {
    local name list=$logs/$1.list
    shift
    printf '%s\n' "$@" >"$list"
    args=(--module "$build/kmod-$kernel/aclkm.ko" --file "$list:/kselftest/list")
    for name in "$@"; do
        args+=(--file "$kselftests/$name:/kselftest/$name")
    done
}

# The user-space half of the software RDMA adapter, which libibverbs finds by these
# places, into rdma_args
rdma_files() {
    local provider
    provider=$(echo /usr/lib/*/libibverbs/librxe-rdmav*.so)
    rdma_args=(--file /usr/bin/rdma:/usr/bin/rdma --file "$provider:$provider"
        --file /etc/libibverbs.d/rxe.driver:/etc/libibverbs.d/rxe.driver)
}

# python_guest_suite KERNEL: the module acl of Python on the kmod backend
python_guest_suite() {
    local kernel=$1 spec
    local -a py=(--module "$build/kmod-$kernel/aclkm.ko")
    begin_suite "python, Linux $kernel"
    gate 'build without warnings' quiet_make -C "$top" python PYTHON=/usr/bin/python3
    [[ -n $gate_ok ]] || return 0
    # Not those that look at sources or install.
    printf '%s\n' test_copy test_memory test_names test_process test_stream test_util test_vmm >"$logs/python.list"
    py+=(--file "$logs/python.list:/python/list")
    while read -r spec; do
        py+=(--file "$spec")
    done < <("$here/vm/python-files.sh" /usr/bin/python3 "$build/python")
    for spec in "$build"/python/lib/acl/*; do
        py+=(--file "$spec:/python/acl/${spec##*/}")
    done
    for spec in "$top"/python/tests/*.py; do
        py+=(--file "$spec:/python/tests/${spec##*/}")
    done
    vm "vm-python-$kernel" --kernel "$kernel" --memory 2048 --timeout 300 "${py[@]}" -- "$here/vm/guest-python.sh"
}

# command_guest_suite KERNEL: the command aclkm on the driver
command_guest_suite() {
    local kernel=$1
    begin_suite "command, Linux $kernel"
    gate 'build without warnings' quiet_make -C "$top/cmd" B="$build/cmd" LIB_B="$build/lib"
    [[ -n $gate_ok ]] || return 0
    vm "vm-command-$kernel" --kernel "$kernel" --memory 1024 --timeout 300 --module "$build/kmod-$kernel/aclkm.ko" \
        --file "$build/cmd/aclkm:/bin/aclkm" --file "$here/vm/command-tests.sh" -- "$here/vm/guest-command.sh"
}

# module_suites KERNEL: the module in VMs that boot this stock kernel
module_suites() {
    local kernel=$1 name assignments crc32
    local -a args vm_args rdma_args
    assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"

    begin_suite "module, Linux $kernel"
    gate 'build without warnings' quiet_kernel_make "$kernel" -C "$top/kmod" B="$build/kmod-$kernel"
    [[ -n $gate_ok ]] || return 0
    tap 'nospec' "$here/kmod/nospec.sh" "$build/kmod-$kernel/aclkm.ko"
    gate 'build kselftest programs' quiet_make -C "$here/kmod" KSFT="$KSFT" B="$build/kselftest"
    [[ -n $gate_ok ]] || return 0
    gate 'build unit programs' quiet_make -C "$here/unit" B="$build/unit-none" SAN=none
    [[ -n $gate_ok ]] || return 0
    gate 'build examples' quiet_make -C "$top/examples/ascendcl" B="$build/examples-ascendcl"
    [[ -n $gate_ok ]] || return 0

    # shellcheck disable=SC2046 # names without spaces
    guest_programs kselftest $(make --no-print-directory -s -C "$here/kmod" list)
    printf '%s\n' "${unit_list[@]}" >"$logs/unit.list"
    vm_args=("${args[@]}" --file "$logs/unit.list:/unit/list")
    for name in "${unit_list[@]}"; do
        vm_args+=(--file "$build/unit-none/$name:/unit/$name")
    done
    vm_args+=(--file "$build/unit-none/kernels.so:/unit/kernels.so")
    vm_args+=(--file "$build/examples-ascendcl/host_kernels.so:/examples/host_kernels.so")
    # The library looks for libdrm at run time; vgem is a device for it.
    vm_args+=(--kmods vgem --file "$(ldconfig -p | awk '/libdrm\.so\.2 .*x86-64/ && !n++ { print $NF }')")
    printf '%s\n' "${example_list[@]}" >"$logs/examples.list"
    vm_args+=(--file "$build/examples-ascendcl/lib/libaclkm.so.0" --file "$logs/examples.list:/examples/list")
    for name in ascendcl acl_dvpp acl_dvpp_mpi; do
        vm_args+=(--file "$build/examples-ascendcl/lib/stubs/lib$name.so")
    done
    for name in "${example_list[@]}"; do
        vm_args+=(--file "$build/examples-ascendcl/$name:/examples/$name")
    done
    vm "vm-2g-$kernel" --kernel "$kernel" --memory 2048 --timeout 600 "${vm_args[@]}" -- "$here/vm/guest-tests.sh"

    python_guest_suite "$kernel"
    command_guest_suite "$kernel"

    begin_suite "module, Linux $kernel, 1 GiB arena"
    # nokaslr: 4 GiB hold one whole GiB that firmware and boot data leave
    # alone, and one boot in four puts the kernel itself into it.
    vm "vm-4g-$kernel" --kernel "$kernel" --memory 4096 --timeout 300 --append nokaslr "${args[@]}" -- "$here/kmod/guest-1g.sh"

    begin_suite "module, Linux $kernel, carve-out"
    guest_programs carveout test_alloc test_mmap test_life test_gup_copy test_pin_pages test_hibernate
    # movablecore: a zone that pinned pages have to leave.
    # shellcheck disable=SC2016 # memmap's own syntax
    vm "vm-carveout-$kernel" --kernel "$kernel" --memory 2048 --timeout 300 \
        --append 'nokaslr memmap=256M$0x40000000 movablecore=512M' "${args[@]}" -- "$here/kmod/guest-carveout.sh"

    begin_suite "module, Linux $kernel, a device behind bounce buffers"
    gate 'build importer without warnings' quiet_kernel_make "$kernel" -C "$here/importer" \
        B="$build/importer-$kernel" KMOD="$build/kmod-$kernel"
    [[ -n $gate_ok ]] || return 0
    # shellcheck disable=SC2046 # names without spaces
    guest_programs importer $(make --no-print-directory -s -C "$here/kmod" list-importer)
    vm "vm-importer-$kernel" --kernel "$kernel" --memory 1024 --timeout 300 --append swiotlb=force \
        "${args[@]}" --file "$build/importer-$kernel/aclkm_importer.ko" -- "$here/kmod/guest-sync.sh"

    begin_suite "module, Linux $kernel, the driver's promises"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs driver $(make --no-print-directory -s -C "$here/kmod" list-driver)
    # init_on_alloc: the kernel would clear what the module clears itself.
    vm "vm-driver-$kernel" --kernel "$kernel" --memory 4096 --timeout 600 --append 'nokaslr init_on_alloc=0' \
        "${args[@]}" -- "$here/kmod/guest-driver.sh"

    begin_suite "module, Linux $kernel, latency in instructions"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs latency $(make --no-print-directory -s -C "$here/kmod" list-latency)
    vm "vm-latency-$kernel" --icount --kernel "$kernel" --memory 4096 --timeout 600 \
        --append 'nokaslr init_on_alloc=0' "${args[@]}" -- "$here/kmod/guest-latency.sh"

    begin_suite "module, Linux $kernel, poisoned pages"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs poison $(make --no-print-directory -s -C "$here/kmod" list-poison)
    vm "vm-poison-$kernel" --poison --kernel "$kernel" --memory 2048 --timeout 300 \
        --kmods hwpoison_inject "${args[@]}" -- "$here/kmod/guest-poison.sh"

    begin_suite "module, Linux $kernel, arenas on two nodes"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs arenas $(make --no-print-directory -s -C "$here/kmod" list-arenas)
    args+=(--file "$build/unit-none/test_nodes:/unit/test_nodes")
    vm "vm-arenas-$kernel" --kernel "$kernel" --memory 11264 --cpus 2,sockets=2 --timeout 600 \
        --append 'nokaslr init_on_alloc=0 no_timer_check' --qemu "$two_nodes" "${args[@]}" -- "$here/kmod/guest-arenas.sh"

    begin_suite "module, Linux $kernel, memory that is wanted back"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs reserve $(make --no-print-directory -s -C "$here/kmod" list-reserve)
    vm "vm-reserve-$kernel" --kernel "$kernel" --memory 3072 --timeout 600 \
        --append 'movablecore=768M init_on_alloc=0' "${args[@]}" -- "$here/kmod/guest-arenas.sh"

    begin_suite "module, Linux $kernel, with devices"
    # shellcheck disable=SC2046 # names without spaces
    guest_programs devices $(make --no-print-directory -s -C "$here/kmod" list-devices)
    rdma_files
    # What rdma_rxe asks the crypto API for, where it does.
    crc32=$(grep -ohm1 'crc32_generic' "$MODDIR"/modules.{dep,builtin} | head -n 1 || true)
    truncate -s 256M "$logs/disk-$kernel.img"
    vm "vm-devices-$kernel" --kernel "$kernel" --memory 4096 --timeout 900 --append nokaslr "${args[@]}" \
        --kmods "virtio_pci virtio_blk vgem vivid dummy $crc32 ib_uverbs rdma_rxe" \
        "${rdma_args[@]}" \
        --qemu "-drive file=$logs/disk-$kernel.img,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk" \
        -- "$here/kmod/guest-devices.sh"
    rm -f "$logs/disk-$kernel.img"

    # shellcheck disable=SC2046 # names without spaces
    guest_programs iommu $(make --no-print-directory -s -C "$here/kmod" list-iommu)
    # 5 GiB: below the holes of this machine there is no whole GiB to be had.
    vm "vm-iommu-$kernel" --kernel "$kernel" --memory 5120 --timeout 300 --append 'nokaslr intel_iommu=on' "${args[@]}" \
        --kmods "$vfio_modules" --qemu "$iommu" -- "$here/kmod/guest-devices.sh"
}

# soak_suite KERNEL: the fuzzer and its racers, for as long as asked
soak_suite() {
    local kernel=$1 assignments kmods='' seconds=${ACLKM_SOAK_SECONDS:-600}
    assignments=$("$top/tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"
    begin_suite "soak, Linux $kernel"
    gate 'build without warnings' quiet_make -C "$top/kmod" KDIR="$KDIR" B="$build/kmod-$kernel"
    [[ -n $gate_ok ]] || return 0
    gate 'build fuzzer' quiet_make -C "$here/fuzz" B="$build/fuzz"
    [[ -n $gate_ok ]] || return 0
    # A device for dma-bufs; kernels of ours have it built in.
    if modinfo -b "${MODDIR%/lib/modules/*}" -k "$KVER" -F filename vgem 2>/dev/null | grep -q /; then kmods=vgem; fi
    vm "vm-soak-$kernel" --kmods "$kmods" --kernel "$kernel" --memory 4096 --boot-timeout 300 --timeout $((seconds + 300)) \
        --append nokaslr --module "$build/kmod-$kernel/aclkm.ko" --file "$build/fuzz/fuzz:/fuzz" \
        -- "$here/fuzz/guest-soak.sh" "$seconds" "${ACLKM_FUZZ_SEED:-$(date +%s)}"
    figures "$logs/vm-soak-$kernel.log"
}

if [[ $# == 0 ]]; then
    unit_suites
    example_suite
    python_suite
    runner_suite
fi
get_kselftest
if [[ $# == 0 ]]; then
    host_suite
    module_suites 6.1
    debug_suites_if_time
fi
for version in "$@"; do
    case $version in
    debug) debug_suites ;;
    arm64) arm64_suites 6.1 && arm64_suites 6.12 ;;
    cell-*) matrix_suites "${version#cell-}" ;;
    soak) soak_suite 6.1 ;;
    soak-*) soak_suite "${version#soak-}" ;;
    arm64-*) arm64_suites "${version#arm64-}" ;;
    *) module_suites "$version" ;;
    esac
done

# ----------------------------------------------------------------- the table

end_suite
printf '\n%s%-36s %7s %7s %8s %9s%s\n' "$bold" suite passed failed skipped seconds "$off"
while IFS=$'\t' read -r suite seconds; do
    read -r passed failed skipped < <(awk -F '\t' -v s="$suite" '
        $1 == s && $2 == "P" { p += $4; f += $5; k += $6 }
        END { printf "%d %d %d\n", p, f, k }' "$logs/results")
    printf '%-36s %7d %7d %8d %9.1f\n' "$suite" "$passed" "$failed" "$skipped" "$seconds"
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
done <"$logs/suites"

show() { # show KIND HEADING
    awk -F '\t' -v kind="$1" -v heading="$2" '
        $2 == kind { sub(/^(not )?ok [0-9]+ *(- )?/, "", $4); if (!n++) print heading; printf "  %s: %s: %s\n", $1, $3, $4 }' "$logs/results"
}
show S 'skipped:'
show F "${red}failed:${off}"

line="$total_passed passed, $total_failed failed"
if ((total_skipped > 0)); then line+=", $total_skipped skipped"; fi
echo "$line"
if ((total_failed > 0 || total_passed == 0)); then exit 1; fi
