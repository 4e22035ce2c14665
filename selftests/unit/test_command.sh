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

# Pages and completions know each command and each option.
for command in $commands; do
	"$aclkm" "$command" --help > "$work/log"
	missing=0
	# shellcheck disable=SC2013 # words
	for option in $(sed -n 's/^  -., --\([a-z]*\).*/\1/p' "$work/log"); do
		case $option in json | help) continue ;; esac
		grep -q -- "--$option" "$top/cmd/man/aclkm-$command.1.scd" || missing=1
		for file in aclkm.bash _aclkm; do
			grep -q -- "--$option" "$top/cmd/completion/$file" || missing=1
		done
		grep -q -- "_from $command'.* -l $option" "$top/cmd/completion/aclkm.fish" || missing=1
	done
	[ $missing -eq 0 ]
	result $? "$command: page and completions have each option"
	for file in aclkm.bash _aclkm aclkm.fish; do
		grep -qw -- "$command" "$top/cmd/completion/$file" || missing=1
	done
	[ $missing -eq 0 ]
	result $? "$command: completions know it"
done
completes() { # name words... -- candidate
	bash -c '. "$1"; shift; name=$1; shift
COMP_WORDS=("${@:1:$#-1}") COMP_CWORD=$(($# - 2)); _aclkm
for c in "${COMPREPLY[@]}"; do [[ $c == "${!#}" ]] && exit 0; done
echo "${COMPREPLY[@]}"; exit 1' bash "$top/cmd/completion/aclkm.bash" "$@" > "$work/log" 2>&1
	result $? "bash: $1"
}
completes 'a command' aclkm doc doctor
completes 'an option' aclkm map --sv --svg
completes 'a value' aclkm alloc --cache w wc
completes 'a size' aclkm shrink a all
if command -v scdoc > /dev/null; then
	make -s -C "$top/cmd" B="$work/cmd" LIB_B=@LIB@ PREFIX="$work/prefix" install > "$work/log" 2>&1 &&
		[ -s "$work/prefix/share/man/man1/aclkm-info.1" ] && [ -s "$work/prefix/share/man/man4/aclkm.4" ] &&
		[ -x "$work/prefix/bin/aclkm" ]
	result $? 'the command and its pages are installed'
	make -s -C "$top/cmd" B="$work/cmd" LIB_B=@LIB@ PREFIX="$work/prefix" uninstall > "$work/log" 2>&1 &&
		[ -z "$(find "$work/prefix" -type f)" ]
	result $? 'and nothing is left after uninstall'
else
	skip 'installation' 'scdoc is not installed'
fi

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

exits 0 'alloc on the user backend' alloc 3M --json
reads 'alloc tells what it got' \
	'v["backend"] == "user" and v["size"] == 3 << 20 and v["page"] >= 4096 and v["contiguous"] is False and "phys" not in v'
exits 0 'alloc for people' alloc 100 --align 4K --page 4K
exits 1 'alloc of more than there is is a finding' alloc 1T
says 'with the text of the library' 'bytes left'
exits 1 'write-combined memory is of the driver alone' alloc 1M --cache wc
for arguments in '' 0 x '1M 1M' '1M --align 3' '1M --align 2G' '1M --page 3M' '1M --cache x' '1M --node x' \
	'1M --hold -1' '1M --cache wc --page 2M'; do
	# shellcheck disable=SC2086 # words
	exits 2 "alloc refuses \"$arguments\"" alloc $arguments
done

ACLKM_MEM=256M exits 0 'bench' bench --seconds 0.5 --json
reads 'bench has a figure for each case and source that there is' \
	'len(v["cases"]) == 5 and all(c["aclkm"] > 0 and c["malloc"] > 0 and "hugetlbfs" in c for c in v["cases"])'
ACLKM_MEM=256M exits 0 'bench for people' bench --seconds 0.5
fits 'bench fits 80 columns'
exits 2 'bench refuses a time' bench --seconds 0

cat > "$work/right.c" <<'END'
#include <acl/acl.h>
int main(void)
{
	void *p;
	return aclInit(0) || aclrtSetDevice(0) || aclrtMalloc(&p, 100, ACL_MEM_MALLOC_HUGE_FIRST) ||
	       aclrtFree(p) || aclrtResetDevice(0) || aclFinalize();
}
END
sed 's/aclrtFree(p) ||/aclrtFree(p) || (aclrtFree(p), 0) ||/' "$work/right.c" > "$work/wrong.c"
for program in right wrong; do
	cc -I"$top/include" -o "$work/$program" "$work/$program.c" "@LIB@/libaclkm.a" -pthread > "$work/log" 2>&1
	result $? "the $program program builds"
done
exits 0 'check of a right program' check "$work/right"
says 'finds nothing' 'nothing found'
exits 1 'check of a wrong one is a finding' check -- "$work/wrong" --version
says 'with the report' 'bad-free'
exits 1 'check --json' check --json "$work/wrong"
reads 'has the report' 'v["found"] and v["exit_code"] == 66 and "bad-free" in v["reports"]'
exits 0 'check --checks chooses the checks' check --checks leak "$work/wrong"
exits 1 'check tells how the program ended' check false
says 'with its code' 'ended with 1'
exits 1 'check of a program that is not there' check "$work/none"
exits 2 'check wants a program' check
exits 2 'trace wants a program' trace
for arguments in '--delay 0' '--delay x' '--count x' more; do
	# shellcheck disable=SC2086 # words
	exits 2 "top refuses \"$arguments\"" top $arguments
done
exits 2 'map does not mix its forms' map --json --svg -
if [ ! -e /sys/module/aclkm ]; then
	for command in map top 'trace true'; do
		# shellcheck disable=SC2086 # words
		exits 1 "$command wants the driver" $command
		says "$command says so" 'not loaded'
	done
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
