#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs of examples/ascendcl, built below DIR: they end well, also in strict mode;
# no check finds anything; and a wrong byte makes each of them fail. TAP.
# usage: test_examples.sh DIR NAME...
dir=$1
shift
# shellcheck source=selftests/unit/tap.sh
. "$(dirname "$0")/../unit/tap.sh"
# shellcheck source=/dev/null
. "$dir/prefix/lib/aclkm/ascend/set_env.sh"
export ACLKM_MEM=128M

# run NAME [VARIABLE=VALUE...]
run() {
	program=$1
	shift
	status=0
	env "$@" timeout -k 5 60 "$dir/$program" > "$work/out" 2> "$work/err" || status=$?
	cat "$work/out" "$work/err" > "$work/log"
	return $status
}

ends_well() { # NAME
	[ "$(tail -n 1 "$work/out")" = "$1: ok" ] && [ ! -s "$work/err" ]
}

for name; do
	run "$name" && ends_well "$name"
	result $? "$name"
	run "$name" ACLKM_STRICT=1 && ends_well "$name"
	result $? "$name, ACLKM_STRICT=1"
	run "$name" ACLKM_CHECK=all && ends_well "$name"
	result $? "$name, ACLKM_CHECK=all"
	! run "$name" LD_PRELOAD="$dir/spoil.so" && ! ends_well "$name" &&
		grep -q '^wrong: ' "$work/err"
	result $? "$name notices a wrong byte"
done
done_testing
