#!/bin/sh
# SPDX-License-Identifier: MIT
# What reserves memory at boot: the file's rules, what a second run adds; and the files of a
# system, which uninstalling takes away again.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh
unset MAKEFLAGS MFLAGS MAKELEVEL NOTIFY_SOCKET
root=$work/root
mkdir -p "$root/etc" "$work/sysfs" "$work/nodes/node0"
echo 0 > "$work/nodes/online"

# KDIR is no kernel's, so that nothing of this machine is built.
packaging() { make -s -C "$top/packaging" "$1" KDIR=/nonexistent DESTDIR="$root" PREFIX=/usr > "$work/log" 2>&1; }
packaging install
result $? "make install without a kernel's headers"
reserve=$root/usr/lib/aclkm/aclkm-reserve
[ -x "$reserve" ] && grep -q "^ExecStart=/usr/lib/aclkm/aclkm-reserve$" \
	"$root/usr/lib/systemd/system/aclkm-reserve.service"
result $? "the unit runs the program that was installed"
! grep -r @ "$reserve" "$root/usr/lib/systemd" > "$work/log"
result $? "no place is left to be filled in"
sh "$reserve" --check "$root/etc/aclkm.conf" > "$work/log" 2>&1
result $? "the file that comes along is right"

# Like the driver: adds what it is told to, up to 96 MiB in all.
cat > "$work/aclkm" <<END
#!/bin/sh
echo "\$2" >> "$work/grown"
total=\$((\$(cat "$work/sysfs/total") + \${2%%:*}))
[ \$total -le 100663296 ] || total=100663296
echo \$total > "$work/sysfs/total"
END
chmod +x "$work/aclkm"
export ACLKM_SYSFS="$work/sysfs" ACLKM_NODES="$work/nodes" ACLKM_COMMAND="$work/aclkm"

refuses() { # LINE MESSAGE
	echo 0 > "$work/sysfs/total"
	rm -f "$work/grown"
	printf '# first\nreserve = 2M\n%s\n' "$1" > "$work/conf"
	! sh "$reserve" "$work/conf" > "$work/log" 2>&1 && [ ! -e "$work/grown" ] &&
		grep -q "conf:3: .*$2" "$work/log"
	result $? "refused, and nothing reserved: $1"
}
refuses 'reserve = 1X' '"1X" is not digits'
refuses 'reserve =' '"" is not digits'
refuses 'reserve = 3M' '3M is not a multiple of 2M above 0'
refuses 'reserve = 0' '0 is not a multiple of 2M above 0'
refuses 'reserve = 010M' '"010M" begins with 0'
refuses 'reserve = 99999999T' 'above 2^63'
refuses 'reserve = 9999999999999999999999' 'has 22 digits; at most 12'
refuses 'reserve = 2M:4M' 'page size "4M" is not 2M or 1G'
refuses 'reserve = 2M:2M:x' 'node "x" is not a number'
refuses 'reserve = 2M:2M:7' 'node 7 is not on this machine; it has 0'
refuses 'reserve = 2M:2M:0:1' '"1" is too much'
refuses 'reserve = 2M,2M' 'has a comma'
refuses 'size = 2M' 'key "size" is not known'
refuses '1G' '"1G" is not KEY = VALUE'

echo 0 > "$work/sysfs/total"
printf 'reserve = 32M:2M:0 # text\n\n\treserve=16M:force' > "$work/conf"
sh "$reserve" "$work/conf" > "$work/log" 2>&1 && grep -q '^48 MiB reserved, .*asks for 48 MiB$' "$work/log"
result $? "what was reserved is told"
[ "$(tr '\n' ' ' < "$work/grown")" = "33554432:2M:0 16777216:force " ]
result $? "an arena for each line"

rm "$work/grown"
sh "$reserve" "$work/conf" > "$work/log" 2>&1 && [ ! -e "$work/grown" ]
result $? "a second run adds nothing"
echo 'reserve = 16M' >> "$work/conf"
printf '\nreserve = 16M' >> "$work/conf"
sed -i 's/force.*/force/' "$work/conf"
sh "$reserve" "$work/conf" > "$work/log" 2>&1 && [ "$(cat "$work/grown")" = 16777216 ]
result $? "after an edit the next run adds what is missing"
echo 16777216 > "$work/sysfs/total"
rm -f "$work/grown"
sh "$reserve" "$work/conf" > "$work/log" 2>&1 && head -n 1 "$work/grown" | grep -qx '16777216:2M:0'
result $? "of an arena that is there in part, the rest"
printf 'reserve = 128M' > "$work/conf"
! sh "$reserve" "$work/conf" > "$work/log" 2>&1 && grep -q '96 MiB reserved, .*asks for 128 MiB' "$work/log"
result $? "less than asked for is a failure that tells both"
! sh "$reserve" "$work/none" > "$work/log" 2>&1 && grep -q 'none: cannot be read' "$work/log"
result $? "a file that is not there"

packaging uninstall
result $? "make uninstall"
[ ! -e "$root" ]
result $? "leaves nothing"
packaging install && echo 'reserve = 2M' > "$root/etc/aclkm.conf" && packaging uninstall
[ "$(find "$root" ! -type d)" = "$root/etc/aclkm.conf" ] && grep -q 'was changed, and stays' "$work/log"
result $? "but settings that were changed stay"
done_testing
