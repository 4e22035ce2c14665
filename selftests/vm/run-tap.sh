#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest as run-tap: runs one TAP program between two marker lines, which
# tell the host's parser whose results these are, how it ended and how long it
# took. usage: run-tap NAME COMMAND [ARGUMENT...]
name=$1
shift
echo "# aclkm-tap: begin $name"
read -r start _ </proc/uptime
status=0
"$@" </dev/null || status=$?
read -r stop _ </proc/uptime
echo
echo "# aclkm-tap: end $name $status $(echo "$start $stop" | awk '{ print $2 - $1 }')"
exit "$status"
