#!/bin/sh
# SPDX-License-Identifier: MIT
# The command aclkm without a driver: what it prints is read by another reader of JSON,
# wrong calls are refused with 2 and change nothing, tables fit 80 columns.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh
unset MAKEFLAGS MFLAGS MAKELEVEL NO_COLOR
export ACLKM_BACKEND=user ACLKM_MEM=48M LC_ALL=C.UTF-8

if ! pkg-config --exists libcjson; then
	skip 'the command aclkm' 'libcjson-dev is not installed'
	done_testing
fi
make -s -C "$top/cmd" B="$work/cmd" LIB_B=@LIB@ > "$work/log" 2>&1
result $? 'the command builds without a warning'
aclkm=$work/cmd/aclkm

# exits CODE NAME ARGUMENT...
exits() {
	want=$1 name=$2
	shift 2
	"$aclkm" "$@" > "$work/out" 2> "$work/err"
	got=$?
	{ echo "exit code $got, expected $want"; cat "$work/out" "$work/err"; } > "$work/log"
	[ $got -eq "$want" ]
	result $? "$name"
}

# reads NAME PYTHON-EXPRESSION-OF-v: of the last output
reads() {
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$work/out" "$2" > "$work/log" 2>&1
	result $? "$1"
}

# says NAME PATTERN: the last message
says() {
	cp "$work/err" "$work/log"
	grep -q -- "$2" "$work/err"
	result $? "$1"
}

fits() {
	cp "$work/out" "$work/log"
	python3 -c 'import sys
sys.exit(any(len(l.rstrip("\n")) > 80 for l in open(sys.argv[1], encoding="utf-8")))' "$work/out"
	result $? "$1"
}

boxed() {
	cp "$work/out" "$work/log"
	python3 -c 'import sys
sys.exit(any(len(l.rstrip("\n")) != 80 for l in open(sys.argv[1], encoding="utf-8")))' "$work/out"
	result $? "$1"
}

exits 2 'without a command it is misused'
says 'and lists the commands' 'doctor'
exits 2 'an unknown command is refused' nothing
exits 0 'a version' --version
exits 0 'help' --help
fits 'help fits 80 columns'

commands=$("$aclkm" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
for command in $commands; do
	exits 0 "$command --help" "$command" --help
	fits "$command --help fits 80 columns"
	exits 2 "$command refuses an unknown option" "$command" --nothing
	says "$command names itself and how it is called" "^usage: aclkm $command"
done

exits 0 'info' info
boxed 'each line of the box of info has 80 columns'
LC_ALL=C "$aclkm" info > "$work/out"
! LC_ALL=C grep -q '[^ -~]' "$work/out"
result $? 'in the C locale it prints ASCII'
! grep -q "$(printf '\033')" "$work/out"
result $? 'no colours where the output is no terminal'
exits 0 'info --json' info --json
reads 'info names the backend and the reason' \
	'v["backend"]["name"] == "user" and v["backend"]["total"] == 48 << 20 and v["backend"]["reason"]'
exits 2 'info takes no argument' info more
ACLKM_MEM=3 exits 1 'info reports a bad variable as a finding' info --json
reads 'with the text of the library' 'v["backend"]["name"] is None and "ACLKM_MEM" in v["backend"]["reason"]'

for size in '' 0 1 3M -2M 2Q 2M: 2M:3M 2M:2M:x 2M:2M:0:0 2M:force:2M 99999999999999999999G 17179869184G ,2M; do
	exits 2 "grow refuses the size \"$size\"" grow "$size"
done
exits 2 'grow wants a size' grow
exits 2 'grow takes one size' grow 2M 2M
exits 2 'grow --page goes with a plain size' grow --page 2M 2M:1G
for size in '' 0 1 3M some 2M,2M; do
	exits 2 "shrink refuses the size \"$size\"" shrink "$size"
done
if [ ! -e /sys/class/misc/aclkm ]; then
	exits 1 'grow without a driver is a finding' grow 2M
	says 'and says what to do' 'modprobe aclkm'
	exits 1 'shrink without a driver is a finding' shrink all
fi

# doctor, on systems that are made up
release=$(uname -r)
root=$work/root
fresh() {
	rm -rf "$root"
	mkdir -p "$root/sys/module" "$root/lib/modules/$release" "$root/etc" "$root/proc"
	printf 'MemTotal: 1000000 kB\nMemAvailable: %s kB\n' "${1:-500000}" > "$root/proc/meminfo"
}
doctor() {
	"$aclkm" doctor --json --root "$root" > "$work/out" 2> "$work/err"
}
finds() { # name check verdict remedy
	reads "$1" "[c for c in v['checks'] if c['name'] == '$2' and c['verdict'] == '$3' and '$4' in c.get('remedy', '')]"
}
fresh
doctor
finds 'no module: a package has it' module finding aclkm-dkms
finds 'nothing to say of a node that comes with the module' 'device node' note ''
finds 'no systemd is no finding' 'boot unit' note ''
finds 'no IOMMU is no finding' IOMMU note iommu=on
finds 'enough memory is left' headroom ok ''
fresh 5000
echo 'updates/dkms/aclkm.ko:' > "$root/lib/modules/$release/modules.dep"
mkdir -p "$root/sys/firmware/efi/efivars" "$root/run/systemd/system" "$root/sys/kernel/iommu_groups/0"
secure=$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
printf '\006\000\000\000\001' > "$secure"
doctor
finds 'an installed module is to be loaded' module finding 'modprobe aclkm'
finds 'Secure Boot wants a key' 'Secure Boot' finding 'mokutil --import'
finds 'little memory is left' headroom finding 'top'
finds 'a missing boot unit' 'boot unit' finding 'apt install'
finds 'an IOMMU' IOMMU ok ''
printf '\006\000\000\000\000' > "$secure"
mkdir -p "$root/lib/systemd/system"
touch "$root/lib/systemd/system/aclkm-reserve.service"
doctor
finds 'Secure Boot that is off' 'Secure Boot' ok ''
finds 'a boot unit that is not enabled' 'boot unit' finding 'systemctl enable'
mkdir -p "$root/etc/systemd/system/sysinit.target.wants" "$root/sys/module/aclkm"
ln -s /dev/null "$root/etc/systemd/system/sysinit.target.wants/aclkm-reserve.service"
doctor
finds 'a boot unit without its file' 'boot unit' finding 'aclkm.conf'
finds 'a module that is loaded' module ok ''
finds 'a node that is missing' 'device node' finding udevadm
touch "$root/etc/aclkm.conf"
mkdir -p "$root/dev"
touch "$root/dev/aclkm"
chmod 666 "$root/dev/aclkm"
doctor
finds 'a boot unit with its file' 'boot unit' ok ''
finds 'a node for everybody' 'device node' finding 'chmod 0660'
finds 'a node that is no driver' access finding 'modprobe'
chmod 600 "$root/dev/aclkm"
doctor
finds 'a node for root alone' 'device node' finding udevadm
"$aclkm" doctor --json --root "$root" > /dev/null
[ $? -eq 1 ]
result $? 'doctor exits with 1 if it finds something'

done_testing
