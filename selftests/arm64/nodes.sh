#!/bin/bash
# SPDX-License-Identifier: MIT
# nodes.sh DTB: adds the nodes of nodes.dts. For run.sh --dtb.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

{
    dtc -q -I dtb -O dts "$1"
    # The first has said what version it is; the rest is its continuation.
    cat "$here/nodes.dts"
} >"$1.dts"
dtc -q -I dts -O dtb -o "$1" "$1.dts"
