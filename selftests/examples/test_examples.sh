#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs of examples/ascendcl, built below DIR: they end well, also in strict mode;
# no check finds anything; and a wrong byte makes each of them fail. TAP.
# usage: test_examples.sh DIR NAME...
dir=$1
shift
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
# shellcheck source=/dev/null
. "$dir/prefix/lib/aclkm/ascend/set_env.sh"
export ACLKM_MEM=128M
n=0
bad=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$log/out" "$log/err"
		bad=1
	fi
}

# run NAME [VARIABLE=VALUE...]
run() {
	program=$1
	shift
	env "$@" timeout -k 5 60 "$dir/$program" > "$log/out" 2> "$log/err"
}

ends_well() { # NAME
	[ "$(tail -n 1 "$log/out")" = "$1: ok" ] && [ ! -s "$log/err" ]
}

for name; do
	run "$name" && ends_well "$name"
	result $? "$name"
	run "$name" ACLKM_STRICT=1 && ends_well "$name"
	result $? "$name, ACLKM_STRICT=1"
	run "$name" ACLKM_CHECK=all && ends_well "$name"
	result $? "$name, ACLKM_CHECK=all"
	! run "$name" LD_PRELOAD="$dir/spoil.so" && ! ends_well "$name" &&
		grep -q '^wrong: ' "$log/err"
	result $? "$name notices a wrong byte"
done
echo "1..$n"
exit $bad
