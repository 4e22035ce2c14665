#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest, as /bin/step: step NAME COMMAND...: a command that is a test by itself,
# passed when it succeeds.
# shellcheck disable=SC2016 # expanded by the inner shell
exec run-tap "$1" sh -c '
    echo "TAP version 13"
    echo "1..1"
    name=$1
    shift
    if "$@"; then echo "ok 1 $name"; else echo "not ok 1 $name"; fi' sh "$@"
