# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the scripts among the unit tests share: a folder of their own, $work, and TAP.
# What a check leaves in $work/log is shown when it fails.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0
bad=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		if [ -e "$work/log" ]; then sed 's/^/# /' "$work/log" | head -100; fi
		bad=1
	fi
	rm -f "$work/log"
}

skip() { # name why
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

done_testing() {
	echo "1..$n"
	exit $bad
}
