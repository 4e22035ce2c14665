#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of functions is up to date, and each one that is there is named by a test.
top=@TOP@
n=0
bad=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=1
	fi
}

"$top/tools/api-table.sh" --check > /dev/null
result $? "Documentation/ascendcl-table.md is up to date (make api-table)"
! grep 'no test names it' "$top/Documentation/ascendcl-table.md"
result $? "each function is named by a test"
! grep '| no |.*not yet' "$top/Documentation/ascendcl-table.md"
result $? "what is absent says why"
echo "1..$n"
exit $bad
