#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots a stock kernel in QEMU, runs one script in it, and believes nothing but
# a verdict: the guest's own last line, and a kernel log without complaints.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
tools=$here/../../tools
# shellcheck source=../../tools/common.sh
. "$tools/common.sh"

usage() {
    cat <<'END'
usage: run.sh [options] -- GUEST-SCRIPT [ARGUMENT...]
       run.sh --self-test

  --kernel VERSION       stock kernel to boot (6.1), of this machine or, such as
                         arm64-6.1, of another one: QEMU's "virt"
  --memory MIB           guest memory (2048)
  --cpus N               guest processors (2)
  --module FILE          module under test, /aclkm.ko in the guest
  --file HOST[:GUEST]    copy a file; default place /NAME, for libraries
                         /usr/lib/NAME. ELF files bring their libraries along
  --kmods "NAME..."      stock modules to load first, with what they depend on
  --qemu "ARGUMENT..."   more QEMU arguments (split at spaces)
  --append "WORD..."     more kernel arguments
  --dtb COMMAND          run with a file as its argument: the device tree of the
                         other machine, to be changed
  --icount               one emulated processor whose clock counts instructions:
                         the same figures on every run, and no idle time
  --timeout SECONDS      for the script, from the end of the boot (300)
  --boot-timeout SECONDS for the boot (120)
  --faults               the guest makes allocations fail: what the kernel
                         itself says of it is no complaint
  --poison               the guest poisons pages: that the kernel says so is no
                         complaint
  --log FILE             guest's output; the kernel's log goes to FILE.kernel
  --name NAME            for messages
  --quiet                do not show the guest's output
  --self-test            show that bad guests make the runner fail (TAP)

ACLKM_ACCEL=kvm|tcg overrides the choice of accelerator.
END
}

kernel=6.1 memory=2048 cpus=2 module='' kmods='' qemu_extra='' append='' dtb=''
limit=300 boot_limit=120 log='' name=vm quiet='' faults='' poison='' icount=
files=()

# Lines of a kernel log that condemn a run. BUG as a word: not DEBUG_PAGEALLOC.
bad='(^|[^A-Z_])BUG([^A-Z_]|$)|WARNING:|Bad page|Bad rss-counter|Oops|general protection'
bad+='|lockdep|possible (circular|recursive)|KASAN|UBSAN|KCSAN|[Kk]ernel panic|Call Trace'
bad+='|refcount_t|rcu_.*stall|soft lockup|hard LOCKUP|blocked for more than'
bad+='|[Uu]nable to handle|kmemleak: [0-9]+ new|Memory failure|page allocation failure'

# Lines that look like those and are not about the module: what a stock kernel
# says, before any module is loaded, of a processor that lacks a mitigation.
allowed='(RETBleed|Spectre V2|MDS|TAA|MMIO Stale Data|SRBDS|ITS|SRSO|GDS|TSA|VMSCAPE) ?: (WARNING|Vulnerable):? '
# And what a kernel that checks itself says of that, and of what it was told at boot.
allowed+='|ommand line: |RCU CPU stall warnings timeout set'
allowed+='|rcu: .RCU lockdep checking is enabled'

# Where failing is asked for, a failed vmalloc reports itself with the trace of its
# call, and so do trace events of a module that find no memory while it loads.
expected_faults() {
    if [[ -z $faults ]]; then
        cat
    else
        awk '/vmalloc error: |page allocation failure: |WARNING: .* event_define_fields/ { trace = 1; next }
            /<\/TASK>/ { trace = 0 }
            trace && /Call Trace:|[]] +[?]? *[A-Za-z0-9_.]+\+0x[0-9a-f]+\/0x/ { next }
            { print }'
    fi
}

expected_poison() {
    if [[ -z $poison ]]; then cat; else grep -av 'Memory failure: 0x' || true; fi
}

# ---------------------------------------------------------------- initramfs

# copy_foreign ROOT FILE: the same for another machine's, from where cross compilers look.
copy_foreign() {
    local lib file
    while read -r lib; do
        [[ ! -e $1/usr/lib/$lib ]] || continue
        file=$(IFS=: && for dir in $libpath "/usr/${CROSS_COMPILE%-}/lib"; do
            if [[ -e $dir/$lib ]]; then echo "$dir/$lib" && break; fi
        done)
        [[ -n $file ]] || die "$2 needs $lib, which is not here: tools/install-deps.sh arm64"
        cp -L "$file" "$1/usr/lib/$lib"
        copy_foreign "$1" "$file"
    done < <(readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
    # The program names its loader by a path.
    lib=$(readelf -l "$2" | sed -n 's/.*program interpreter: \(.*\)\]$/\1/p')
    if [[ -n $lib ]]; then cp -L "/usr/${CROSS_COMPILE%-}$lib" "$1$lib"; fi
}

# copy_libs ROOT FILE: the shared libraries of an ELF file, at the same places.
copy_libs() {
    local lib
    if [[ -n $CROSS_COMPILE ]]; then
        copy_foreign "$@"
        return
    fi
    while read -r lib; do
        [[ -e $1$lib ]] || {
            mkdir -p "$1$(dirname "$lib")"
            cp -L "$lib" "$1$lib"
        }
    done < <(LD_LIBRARY_PATH=$libpath ldd "$2" 2>/dev/null | tr -s ' \t' '\n' | grep '^/' || true)
}

is_elf() { [[ $(head -c 4 "$1" | tr -d '\0') == $'\x7fELF' ]]; }

# copy_file ROOT HOST[:GUEST]
copy_file() {
    local host=${2%%:*} guest=
    if [[ $2 == *:* ]]; then guest=${2#*:}; fi
    [[ -f $host ]] || die "no such file: $host"
    if [[ -z $guest ]]; then
        case $host in
        *.so | *.so.*) guest=/usr/lib/${host##*/} ;;
        *) guest=/${host##*/} ;;
        esac
    fi
    mkdir -p "$1$(dirname "$guest")"
    cp -L "$host" "$1$guest"
    if is_elf "$host" && [[ $host != *.ko ]]; then copy_libs "$1" "$host"; fi
}

pack() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$2"; }

busybox_root() {
    mkdir -p "$1"/{bin,sbin,usr/bin,usr/sbin,usr/lib,lib,etc,proc,sys,dev,tmp}
    cp "$BUSYBOX" "$1/bin/busybox"
    if ldd "$1/bin/busybox" >/dev/null 2>&1; then die 'busybox is not the static one: tools/install-deps.sh vm'; fi
}

# make_initramfs DIR SCRIPT [ARGUMENT...]: DIR/root packed into DIR/initrd
make_initramfs() {
    local root=$1/root spec word ko arg path
    busybox_root "$root"
    install -m 755 "$here/init.sh" "$root/init"
    install -m 755 "$here/run-tap.sh" "$root/bin/run-tap"
    install -m 755 "$here/step.sh" "$root/bin/step"
    install -m 755 "$2" "$root/guest.sh"
    shift 2
    for arg; do printf "'%s' " "${arg//\'/\'\\\'\'}"; done >"$root/etc/guest-args"

    libpath=
    for spec in ${files[@]+"${files[@]}"}; do
        libpath+=${libpath:+:}$(dirname "$(realpath -s "${spec%%:*}")")
    done
    if [[ -n $module ]]; then copy_file "$root" "$module:/aclkm.ko"; fi
    for spec in ${files[@]+"${files[@]}"}; do copy_file "$root" "$spec"; done
    if [[ -n ${ACLKM_COV_MODULE:-} ]]; then copy_file "$root" "$ACLKM_COV_MODULE:/aclkm_cov.ko"; fi

    : >"$root/etc/kmods"
    for word in $kmods; do
        # "insmod PATH", in order, dependencies first; "builtin NAME" needs nothing.
        path=$(modprobe -C /dev/null -d "${MODDIR%/lib/modules/*}" -S "$KVER" --show-depends "$word") ||
            die "kernel $KVER has no module $word"
        while read -r word ko _; do
            [[ $word == insmod ]] || continue
            ko=${ko#"${MODDIR%/lib/modules/*}"}
            if grep -qxF "${ko%.xz}" "$root/etc/kmods"; then continue; fi
            mkdir -p "$root$(dirname "$ko")"
            # busybox's insmod hands the file to the kernel as it is.
            case $ko in
            *.xz) xz -dc "${MODDIR%/lib/modules/*}$ko" >"$root${ko%.xz}" ;;
            *) cp "${MODDIR%/lib/modules/*}$ko" "$root$ko" ;;
            esac
            echo "${ko%.xz}" >>"$root/etc/kmods"
        done <<<"$path"
    done
    pack "$root" "${root%/root}/initrd"
}

# -------------------------------------------------------------- accelerator

# /dev/kvm that opens proves nothing: there are machines on which a guest then
# hangs for ever. A kernel has to boot with it, once for each boot of the host.
probe_kvm() {
    local dir=$work/probe out
    busybox_root "$dir"
    # stty: waits until the line is out.
    printf '%s\n' '#!/bin/busybox sh' '/bin/busybox mount -t devtmpfs devtmpfs /dev' \
        'echo aclkm-vm: kvm works >/dev/ttyS0' \
        '/bin/busybox stty -F /dev/ttyS0 raw' '/bin/busybox poweroff -f' >"$dir/init"
    chmod 755 "$dir/init"
    pack "$dir" "$work/probe.initrd"
    out=$(timeout -k 2 10 qemu-system-x86_64 -nodefaults -display none -serial stdio \
        -accel kvm -cpu host -m 256 -kernel "$VMLINUZ" -initrd "$work/probe.initrd" \
        -append 'console=ttyS1 panic=-1 quiet' -no-reboot </dev/null 2>/dev/null) || true
    [[ $out == *'aclkm-vm: kvm works'* ]]
}

choose_accel() {
    local remembered
    if [[ -n $CROSS_COMPILE ]]; then
        accel=tcg accel_args=(-accel 'tcg,thread=multi')
        return
    fi
    if [[ -n $icount ]]; then
        # Without the string instructions that would count once for each byte they clear.
        accel=icount cpus=1
        accel_args=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off' -cpu 'max,-erms,-fsrm')
        return
    fi
    case ${ACLKM_ACCEL:-} in
    kvm | tcg) accel=$ACLKM_ACCEL ;;
    '')
        remembered=$(cache_dir)/accel-$(cat /proc/sys/kernel/random/boot_id)
        if [[ ! -w /dev/kvm ]]; then
            accel=tcg
        elif [[ -s $remembered ]]; then
            accel=$(<"$remembered")
        else
            accel=tcg
            if probe_kvm; then accel=kvm; fi
            say "aclkm-vm: KVM $([[ $accel == kvm ]] && echo 'works' || echo 'does not boot a guest here, emulating')"
            mkdir -p "$(cache_dir)"
            rm -f "$(cache_dir)"/accel-*
            echo "$accel" >"$remembered.$$"
            mv "$remembered.$$" "$remembered"
        fi
        ;;
    *) die "ACLKM_ACCEL=$ACLKM_ACCEL: kvm or tcg" ;;
    esac
    case $accel in
    kvm) accel_args=(-accel kvm -cpu host) ;;
    tcg) accel_args=(-accel 'tcg,thread=multi' -cpu max) ;;
    esac
}

# ------------------------------------------------------------------ machine

# qemu, machine (arguments), serial (arguments), console: the kernel's log goes to a
# port of its own, the guest's output is on ttyS0.
choose_machine() {
    case $ARCH in
    x86_64)
        [[ -z $dtb ]] || die '--dtb: this machine has no device tree'
        qemu=qemu-system-x86_64 console=ttyS1
        machine=("${accel_args[@]}")
        serial=(-serial stdio -serial "file:$log.kernel")
        ;;
    arm64)
        [[ -z $icount ]] || die '--icount: not for arm64'
        qemu=qemu-system-aarch64 console=ttyAMA0
        machine=("${accel_args[@]}" -M virt -cpu cortex-a76)
        serial=(-serial "file:$log.kernel" -chardev 'stdio,id=out' -device 'pci-serial,chardev=out')
        ;;
    *) die "no machine for $ARCH" ;;
    esac
    machine+=(-m "$memory" -smp "$cpus")
}

# The tree that QEMU makes for this machine, as the command has changed it.
make_dtb() {
    local status=0
    "$qemu" -nodefaults -display none "${machine[@]}" -M "dumpdtb=$work/machine.dtb" >"$work/dtb.log" 2>&1 || status=$?
    if [[ $status != 0 || ! -s $work/machine.dtb ]]; then die "no device tree: $(<"$work/dtb.log")"; fi
    "$dtb" "$work/machine.dtb" || die "$dtb failed"
    machine+=(-dtb "$work/machine.dtb")
}

# ---------------------------------------------------------------------- run

qemu_pid=''
work=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [[ -n $qemu_pid ]]; then kill -KILL "$qemu_pid" 2>/dev/null || true; fi
    if [[ -n $work ]]; then rm -rf "$work"; fi
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# One QEMU under a watchdog; sets `trouble` when it had to be ended.
boot() {
    local begin deadline up=
    rm -f "$work/tty"
    mkfifo "$work/tty"
    if [[ -n $quiet ]]; then
        sed -u 's/\r$//' <"$work/tty" >"$log" &
    else
        sed -u 's/\r$//' <"$work/tty" | tee "$log" &
    fi
    local reader=$!
    # Emulation on a busy machine is slow, and that is no bug; a hang ends by our own limits.
    if [[ $accel == tcg ]]; then append+=' watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=200'; fi
    # shellcheck disable=SC2086 # the extra arguments are words
    "$qemu" -nodefaults -no-user-config -display none "${machine[@]}" \
        -kernel "$VMLINUZ" -initrd "$work/initrd" \
        -append "console=$console ignore_loglevel printk.devkmsg=on panic=-1 oops=panic $append" \
        -no-reboot "${serial[@]}" $qemu_extra \
        </dev/null >"$work/tty" 2>"$work/qemu.err" &
    qemu_pid=$!

    trouble=''
    begin=$(now_ms)
    deadline=$((begin + boot_limit * 1000))
    while kill -0 "$qemu_pid" 2>/dev/null; do
        if [[ -z $up ]] && grep -q '^aclkm-vm: guest up' "$log" 2>/dev/null; then
            up=$(now_ms)
            boot_ms=$((up - begin))
            deadline=$((up + limit * 1000))
        fi
        if (($(now_ms) > deadline)); then
            trouble="did not end within ${limit} s"
            if [[ -z $up ]]; then trouble="did not boot within ${boot_limit} s"; fi
            kill -KILL "$qemu_pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done 2>/dev/null # bash's own words about a QEMU that died; judge says it better
    wait "$qemu_pid" 2>/dev/null || [[ -n $trouble ]] || trouble="QEMU failed: $(head -n 3 "$work/qemu.err")"
    qemu_pid=''
    wait "$reader" || true
}

judge() {
    local verdict hits
    if [[ -n $trouble ]]; then say "aclkm-vm: $name: $trouble"; fi
    verdict=$(sed -n 's/^aclkm-vm: verdict \([0-9][0-9]*\)$/\1/p' "$log" | tail -n 1)
    if [[ -z $verdict ]]; then
        trouble=${trouble:-no verdict}
        say "aclkm-vm: $name: the guest ended without its verdict; end of the kernel's log:"
        tail -n 5 "$log.kernel" | sed 's/\r$//; s/^/    /' >&2
    elif [[ $verdict != 0 ]]; then
        trouble="verdict $verdict"
        say "aclkm-vm: $name: the guest's verdict is $verdict"
    fi
    # A log that is not there would pass every check.
    if ! grep -q 'Linux version' "$log.kernel"; then
        trouble=${trouble:-no kernel log}
        say "aclkm-vm: $name: the kernel's log is missing"
    fi
    hits=$(expected_faults <"$log.kernel" | expected_poison | grep -aE "$bad" | grep -avE "$allowed" | sed 's/\r$//' || true)
    if [[ -n $hits ]]; then
        trouble=${trouble:-kernel log}
        say "aclkm-vm: $name: the kernel complained:"
        head -n 20 <<<"$hits" | sed 's/^/    /' >&2
    fi
    [[ -z $trouble ]]
}

run_guest() {
    local assignments script=$1
    [[ -f $script ]] || die "no such guest script: $script"
    case $kernel in
    arm64-*) "$tools/install-deps.sh" vm arm64 ;;
    *) "$tools/install-deps.sh" vm ;;
    esac
    ARCH=x86_64 CROSS_COMPILE='' BUSYBOX=$(command -v busybox)
    assignments=$("$tools/fetch-kernel.sh" "$kernel")
    eval "$assignments"

    trap cleanup EXIT
    trap 'exit 130' INT TERM
    work=$(mktemp -d)
    if [[ -z $log ]]; then log=$work/log; fi
    mkdir -p "$(dirname "$log")"
    : >"$log"
    : >"$log.kernel"
    choose_accel
    choose_machine
    if [[ -n $dtb ]]; then make_dtb; fi
    make_initramfs "$work" "$@"
    boot_ms=0
    boot
    # Before anything of ours is there, one of some hundred boots dies where the kernel
    # has just patched its own code: the other processor runs what was there before.
    if [[ $accel == tcg && $boot_ms == 0 ]] && grep -qa 'Oops: int3' "$log.kernel"; then
        say "aclkm-vm: $name: the emulated machine died while it booted, in code that had just been patched; once more"
        : >"$log.kernel"
        boot
    fi
    judge || return 1
    if [[ -z $quiet ]]; then
        say "aclkm-vm: $name: clean, booted in $((boot_ms / 1000)).$((boot_ms % 1000 / 100)) s ($accel)"
    fi
}

# ---------------------------------------------------------------- self-test

self_test() {
    local dir number=0 running=0 failed=0
    dir=$(mktemp -d)
    # shellcheck disable=SC2064 # now is the right time
    trap "rm -rf '$dir'" EXIT

    # check NAME EXPECTED-MESSAGE SCRIPT: an empty message means: must pass.
    # In the background, as many at once as there are processors.
    check() {
        number=$((number + 1))
        if ((running >= $(nproc))); then
            wait -n
            running=$((running - 1))
        fi
        running=$((running + 1))
        one "$dir/$number" "$@" &
    }
    one() {
        local base=$1 status=0 ok=
        printf '%s\n' "$4" >"$base.guest.sh"
        "$here/run.sh" --memory 256 --cpus 1 --timeout 3 --quiet --name self-test \
            --log "$base.log" -- "$base.guest.sh" >"$base.out" 2>&1 || status=$?
        if [[ -z $3 ]]; then
            if [[ $status == 0 ]]; then ok=1; fi
        elif [[ $status != 0 ]] && grep -q "$3" "$base.out"; then
            ok=1
        fi
        if [[ -n $ok ]]; then
            echo "ok ${base##*/} $2" >"$base.tap"
        else
            echo "not ok ${base##*/} $2" >"$base.tap"
            sed 's/^/# /' "$base.out" >>"$base.tap"
        fi
    }

    check 'a good guest passes' '' 'echo hello'
    check 'a guest that exits 1 fails' 'verdict is 1' 'exit 1'
    check 'a BUG line in the kernel log fails' 'BUG: made up' 'echo "BUG: made up" >/dev/kmsg'
    check 'DEBUG in the kernel log passes' '' 'echo "DEBUG_BUGS made up" >/dev/kmsg'
    check 'power off without a verdict fails' 'without its verdict' 'poweroff -f'
    check 'a guest that hangs is ended' 'did not end within 3 s' 'sleep 1000'
    wait
    echo 'TAP version 13'
    echo "1..$number"
    for ((running = 1; running <= number; running++)); do
        cat "$dir/$running.tap"
        if ! grep -q '^ok' "$dir/$running.tap"; then failed=1; fi
    done
    return "$failed"
}

while [[ $# -gt 0 ]]; do
    case $1 in
    --kernel | --memory | --cpus | --module | --file | --kmods | --qemu | --append | --dtb | \
        --timeout | --boot-timeout | --log | --name)
        [[ $# -ge 2 ]] || die "$1 wants an argument"
        case $1 in
        --kernel) kernel=$2 ;;
        --memory) memory=$2 ;;
        --cpus) cpus=$2 ;;
        --module) module=$2 ;;
        --file) files+=("$2") ;;
        --kmods) kmods=$2 ;;
        --qemu) qemu_extra=$2 ;;
        --append) append=$2 ;;
        --dtb) dtb=$2 ;;
        --timeout) limit=$2 ;;
        --boot-timeout) boot_limit=$2 ;;
        --log) log=$2 ;;
        --name) name=$2 ;;
        esac
        shift 2
        ;;
    --quiet) quiet=1 && shift ;;
    --faults) faults=1 && shift ;;
    --poison) poison=1 && shift ;;
    --icount) icount=1 && shift ;;
    --self-test) self_test && exit 0 || exit 1 ;;
    -h | --help) usage && exit 0 ;;
    --) shift && break ;;
    *) usage >&2 && exit 2 ;;
    esac
done
[[ $# -gt 0 ]] || { usage >&2 && exit 2; }
run_guest "$@"
