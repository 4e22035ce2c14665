#!/bin/bash
# SPDX-License-Identifier: MIT
# A long run of the library without checks and one with all of them: resident memory and
# descriptors must be flat after the first minute. run.sh [MINUTES [THREADS]] (30, each, and 3)
set -euo pipefail
top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
minutes=${1:-30} threads=${2:-3}
build=$top/build/soak
make --no-print-directory -s -C "$top/selftests/soak" B="$build"
export ACLKM_BACKEND=${ACLKM_BACKEND:-user} ACLKM_MEM=${ACLKM_MEM:-256M}
for check in none all,exitcode=66; do
    echo "# ACLKM_CHECK=$check, $minutes minutes"
    ACLKM_CHECK=$check "$build/soak_lib" "$minutes" "$threads"
done
