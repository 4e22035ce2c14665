#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of functions is up to date, and each one that is there is named by a test.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

"$top/tools/api-table.sh" --check > /dev/null
result $? "Documentation/ascendcl-table.md is up to date (make api-table)"
! grep 'no test names it' "$top/Documentation/ascendcl-table.md"
result $? "each function is named by a test"
! grep 'absent\*\*' "$top/Documentation/ascendcl-table.md"
result $? "no function of the lists is absent"
done_testing
