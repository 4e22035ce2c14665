#!/bin/bash
# SPDX-License-Identifier: MIT
# The checks of `make lint`: scripts, the kernel's style, static analysis, struct padding.
# Runs all of them, then says which failed. V=1 shows the commands' full output.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
build=$top/build/lint
kernel=6.1
# shellcheck source=common.sh
. "$top/tools/common.sh"
colours 1
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$top"
tools/install-deps.sh lint vm
assignments=$(tools/fetch-kernel.sh "$kernel")
eval "$assignments"
assignments=$(tools/fetch-kselftest.sh "$kernel")
eval "$assignments"
mkdir -p "$build"

failed=()
check() {
    local name=$1 out status=0
    shift
    out=$("$@" 2>&1) || status=$?
    if [[ $status == 0 ]]; then
        printf '  %-44s %sok%s\n' "$name" "$green" "$off"
        if [[ -n ${V:-} ]]; then printf '%s\n' "$out"; fi
    else
        printf '  %-44s %sFAILED%s\n%s\n' "$name" "$red" "$off" "$out"
        failed+=("$name")
    fi
}

# sources NAME-PATTERN FOLDER...
sources() {
    local pattern=$1
    shift
    find "$@" -name "$pattern" -type f -not -path '*/build/*' | sort
}

shell_scripts() {
    local -a list
    mapfile -t list < <(sources '*.sh' kmod lib tools selftests examples)
    shellcheck "${list[@]}" .ci/run
}

analysis() {
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        -j"$(nproc)" -Iinclude -Iinclude/uapi -Ilib lib cmd
}

# Not a patch to the kernel: SPDX_LICENSE_TAG wants its list of licences beside the
# script, and CAMELCASE the kernel's headers to see whose names these are. Headers of
# tracepoints have a layout of their own everywhere.
checkpatch() {
    local -a list
    local ignore=SPDX_LICENSE_TAG,CAMELCASE
    local -a run=(perl "$SCRIPTS/checkpatch.pl" --no-tree --strict --terse --quiet --no-summary
        --max-line-length=100)
    mapfile -t list < <(sources '*.[ch]' kmod include/uapi | grep -v '/trace\.h$')
    "${run[@]}" --ignore "$ignore" -f "${list[@]}"
    "${run[@]}" --ignore "$ignore,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT" -f kmod/trace.h
}

# What programs link; the driver's style is checkpatch's.
format() {
    local -a list
    mapfile -t list < <(sources '*.[ch]' lib cmd include/acl include/aclkm python selftests/unit examples bench)
    clang-format --dry-run -Werror "${list[@]}"
}

kdoc() {
    local -a list
    local out
    mapfile -t list < <(sources '*.[ch]' kmod include/uapi)
    out=$(perl "$SCRIPTS/kernel-doc" -none "${list[@]}" 2>&1)
    if grep -E 'warning|error' <<<"$out"; then return 1; fi
}

# kernel_build DIR FLAGS...: fails on any warning of compiler or sparse about us
kernel_build() {
    local dir=$build/$1 out
    shift
    rm -rf "$dir"
    out=$(make --no-print-directory -j"$(nproc)" -C kmod KDIR="$KDIR" B="$dir" KFLAGS="$*" 2>&1) || {
        printf '%s\n' "$out"
        return 1
    }
    if grep -E '(warning|error):' <<<"$out"; then return 1; fi
}

# The objects of the build with W=1; each file's row stands at the top of aclkm.h.
call_order() {
    local -a list
    mapfile -t list < <(cd kmod && for source in *.c; do echo "$build/w1/${source%.c}.o"; done |
        while read -r object; do if [[ -e $object ]]; then echo "$object"; fi; done)
    tools/call-order.py kmod/aclkm.h "${list[@]}"
}

# Every struct of the ABI, compiled alone: no hole, no padding at the end.
padding() {
    local -a structs
    local out name
    mapfile -t structs < <(sed -n 's/^struct \(aclkm_[a-z0-9_]*\) {$/\1/p' include/uapi/linux/aclkm.h)
    [[ ${#structs[@]} -gt 0 ]] || return 1
    {
        echo '#include <linux/aclkm.h>'
        for name in "${structs[@]}"; do echo "struct $name v_$name;"; done
    } >"$build/abi.c"
    gcc -g -c -Iinclude/uapi -o "$build/abi.o" "$build/abi.c"
    for name in "${structs[@]}"; do
        out=$(pahole -C "$name" "$build/abi.o")
        [[ -n $out ]] || { echo "pahole does not see struct $name" && return 1; }
        if grep -E 'hole|padding' <<<"$out"; then
            echo "struct $name has holes or padding"
            return 1
        fi
    done
}

# Calls go down the rooms of the library, and no files form a cycle.
layers() {
    make -s -C lib B="$build/lib" >/dev/null
    tools/layers.py --rooms --layers lib/layers --sources lib --objects "$build/lib/obj"
}

# A symbol or a type that programs were built with.
abi() {
    make -s -C lib B="$build/lib" >/dev/null
    tools/abi.sh check "$build/lib/libaclkm.so"
}

check 'shellcheck' shell_scripts
check 'cppcheck (library)' analysis
check 'clang-format (library, examples)' format
check 'layers (library)' layers
check 'static names (library)' tools/static-names.py lib
check 'static names (command)' tools/static-names.py cmd
check 'ABI of the library (abidiff)' abi
check 'checkpatch --strict (driver, ABI)' checkpatch
check 'kernel-doc (driver, ABI)' kdoc
check 'driver: W=1' kernel_build w1 W=1
check 'driver: calls go down (call-order.py)' call_order
check 'driver: sparse' kernel_build sparse C=2
check 'ABI structs: no holes (pahole)' padding
check 'mutants: each change fits the sources' selftests/mutants/run.py --check

if [[ ${#failed[@]} -gt 0 ]]; then
    echo "lint: failed: $(printf '%s; ' "${failed[@]}")"
    exit 1
fi
echo 'lint: clean'
