# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The command aclkm on the driver, as TAP: what it shows agrees with sysfs, what it
# changes is changed, each cause of a driver that cannot be used gets its remedy.
n=0
bad=0
sysfs=/sys/class/misc/aclkm

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' /tmp/out /tmp/err
		bad=1
	fi
}

# exits CODE NAME ARGUMENT...: as root
exits() {
	want=$1 name=$2
	shift 2
	aclkm "$@" >/tmp/out 2>/tmp/err
	[ $? -eq "$want" ]
	result $? "$name"
}

# as USER CODE NAME COMMAND
as() {
	su "$1" -c "$4" >/tmp/out 2>/tmp/err
	[ $? -eq "$2" ]
	result $? "$3"
}

says() { # name pattern
	cat /tmp/out /tmp/err | tr -d '\n\t' | grep -q -- "$2"
	result $? "$1"
}

number() {
	sed -n "s/^.*\"$1\":[[:space:]]*\([0-9]*\).*/\1/p" /tmp/out | head -n 1
}

# agrees NAME FILE: the last JSON has the number that sysfs has
agrees() {
	[ "$(number "$1")" = "$(cat "$sysfs/$2")" ]
	result $? "$1 is that of sysfs"
}

exits 1 'doctor finds that there is no driver' doctor
says 'and how to load it' 'modprobe aclkm\|apt install aclkm-dkms'

insmod /aclkm.ko reserve=64M
chgrp aclkm /dev/aclkm
exits 0 'info' info
says 'info names the backend' 'kmod: /dev/aclkm is open'
exits 0 'info --json' info --json
for name in total free largest_free regions held pinned poisoned; do
	[ "$(sed -n '/"driver"/,$p' /tmp/out | sed -n "s/.*\"$name\":[[:space:]]*\([0-9]*\).*/\1/p" | head -n 1)" = "$(cat $sysfs/$name)" ]
	result $? "$name is that of sysfs"
done

exits 0 'map' map
says 'map shows the arena and its unit' 'arena 0.*one block is 64 KiB'
says 'and its address to root' 'at 0x'
exits 0 'map --json' map --json
agrees size total
exits 0 'map --svg' map --svg /tmp/map.svg
grep -q '</svg>' /tmp/map.svg && grep -q 'arena 0, node 0: 64 MiB' /tmp/map.svg
result $? 'the picture is whole'
exits 0 'map --html' map --html -
says 'the page is whole' '</svg>.*</html>'
exits 1 'a file that cannot be written is a finding' map --svg /nowhere/map.svg
exits 2 'map --json does not go with --svg' map --json --svg /tmp/map.svg
as other 1 'a user outside the group has no map' 'aclkm map'
says 'and is told the remedy' 'join group aclkm'
as member 0 'a member has' 'aclkm map'
! grep -q 'at 0x' /tmp/out
result $? 'without the address'

echo 32M >$sysfs/limits/file_bytes
exits 0 'info' info
says 'info shows a limit' 'file_bytes 32 MiB'
echo 0 >$sysfs/limits/file_bytes

exits 0 'grow reserves what is asked for' grow 32M --json
agrees total total
[ "$(number got)" = $((32 << 20)) ]
result $? 'and says how much'
exits 0 'grow takes page and node' grow --page 2M --node 0 16M
[ "$(cat $sysfs/total)" = $((112 << 20)) ]
result $? 'the arenas have 112 MiB'
exits 1 'of more than the machine has nothing is reserved' grow 64G
says 'and grow tells how much could be had' 'at most [0-9]* MiB more may be had'
exits 1 'of a little more than it has a part is reserved: a finding' grow 900M
says 'and grow tells how much could be had' 'the driver says: .*MiB could be reserved'
before=$(cat $sysfs/total)
exits 0 'shrink gives memory back' shrink 32M
[ "$(cat $sysfs/total)" = $((before - (32 << 20))) ]
result $? 'as much as it was told'
exits 0 'shrink all' shrink all --json
# An arena keeps its last 2 MiB unless it goes as a whole.
[ "$(cat $sysfs/total)" -lt $((32 << 20)) ]
result $? 'gives back nearly all'
exits 0 'and there is memory again after it' grow 64M

exits 0 'alloc on the driver' alloc 3M --page 2M --json
says 'is contiguous, of pages of 2 MiB' '"size":4194304,"page":2097152,"contiguous":true'
says 'and has an address for root' '"phys":[0-9]'
exits 1 'alloc of more than there is is a finding' alloc 10G
says 'and alloc tells how much is free' 'are free, the largest piece is'
exits 1 'alloc by a wrong node is a finding' alloc 1M --node 7

aclkm alloc 5M --hold 1000 >/tmp/held &
holder=$!
sleep 2
exits 0 'top' top --count 1 --json
says 'top names the process and its bytes' "\"pid\":$holder,.*\"program\":\"aclkm\",\"handles\":1,\"allocated\":5242880"
exits 0 'top for people, twice' top --count 2 --delay 0.2
says 'top has a line of it' "$holder root  *aclkm  *1  *5 MiB"
exits 0 'info names it too' info
says 'in its list of users' "$holder root  *aclkm  *1  *5 MiB"
exits 0 'map names the owner' map
says 'in its list of owners' "$holder root aclkm  *1  *5 MiB"
as member 0 'map of a member' 'aclkm map'
says 'names no owner of another user' 'others  *1  *5 MiB'
kill $holder
wait $holder 2>/dev/null

mount -t tracefs tracefs /sys/kernel/tracing
exits 0 'trace' trace -- aclkm alloc 6M
says 'trace shows the allocation' 'alloc .*len=0x600000'
exits 0 'trace --json' trace --json --output /tmp/trace.json aclkm alloc 6M
grep -q '"name":.*"aclkm_alloc"' /tmp/trace.json && grep -q traceEvents /tmp/trace.json
result $? 'has it in the format of Chrome'
exits 1 'trace tells how the program ended' trace false
as member 1 'trace is for administrators' 'aclkm trace true'
[ -z "$(ls /sys/kernel/tracing/instances)" ]
result $? 'trace leaves no instance behind'

# doctor knows a user who is in the group, one whose session is older, and one outside.
exits 0 'doctor as root' doctor --json
grep -A1 '"access"' /tmp/out | grep -q '"ok"'
result $? 'finds that the driver opens'
as member 1 'doctor as a member' 'aclkm doctor'
says 'the session of a member is in the group' 'this session is in group aclkm'
as member 0 'info as a member is served by the driver' 'aclkm info'
as other 1 'info as a user outside the group' 'aclkm info --json'
says 'names the remedy' 'join group aclkm and log in again'
as other 1 'doctor as a user outside the group' 'aclkm doctor'
says 'finds it' 'sudo usermod -aG aclkm other'
as other 1 'grow is for administrators' 'aclkm grow 2M'
says 'and says so' 'permission denied'
mkfifo /tmp/login
chmod 666 /tmp/login
su other -c 'read -r line </tmp/login; aclkm doctor' >/tmp/out 2>/tmp/err &
sleep 1
sed -i 's/^aclkm:.*/aclkm:x:900:member,other/' /etc/group
echo in >/tmp/login
wait
says 'a session that is older than the membership is found' 'newgrp aclkm'

rmmod aclkm
result $? 'the command leaves nothing open'
echo "1..$n"
exit $bad
