#!/bin/sh
# SPDX-License-Identifier: MIT
# No object of the library calls a function in which a cancelled thread may end, but for
# lib/base/uncancelled.c, which puts the cancellation off: a lock would stay held.
lib=@LIB@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

# POSIX's cancellation points, and those of the C library beside them.
points='accept accept4 clock_nanosleep close closedir connect copy_file_range creat fallocate
fclose fcntl fcntl64 fdatasync fflush fgets fopen fopen64 fprintf fputc fputs fread fscanf fsync
fwrite getdelim getline glob ioctl mkstemp msync nanosleep open open64 openat opendir pause pclose
poll popen ppoll pread pread64 preadv printf pselect pthread_cond_clockwait
pthread_cond_timedwait pthread_cond_wait pthread_join pthread_testcancel puts pwrite pwrite64
pwritev read readdir readv recv recvfrom recvmsg select sem_timedwait sem_wait send sendmsg
sendto sigsuspend sigtimedwait sigwait sleep splice statvfs syslog system tcdrain usleep
vfprintf wait wait4 waitid waitpid write writev'
for point in $points; do printf '%s\n' "$point"; done > "$work/points"

find "$lib/obj" -name '*.o' ! -name uncancelled.o ! -name libaclkm.o > "$work/objects"
[ "$(wc -l < "$work/objects")" -gt 50 ]
result $? "$(wc -l < "$work/objects") objects"

while read -r object; do
	nm -u "$object" | sed 's/.* U //; s/@.*//' | grep -xFf "$work/points" |
		sed "s|^|${object##*/}: |"
done < "$work/objects" > "$work/log"
[ ! -s "$work/log" ]
result $? 'none calls a cancellation point by its own name'

grep -q uncancelled_close "$lib/obj/base/uncancelled.o"
result $? 'their stand-ins are there'
done_testing
