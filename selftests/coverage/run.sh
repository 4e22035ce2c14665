#!/bin/bash
# SPDX-License-Identifier: MIT
# make test-coverage: the module's suites on a stock kernel and the fuzzer, with a module that
# reports each place that runs; then one figure for all of them together, and the places that
# none has reached. Arguments are those of run-tests.sh (6.1 soak).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$(dirname "$here")")
build=$top/build/coverage
# shellcheck source=../../tools/common.sh
. "$top/tools/common.sh"

assignments=$("$top/tools/fetch-kernel.sh" 6.1)
eval "$assignments"
mkdir -p "$build/cov"
cp "$here/aclkm_cov.c" "$here/Kbuild" "$build/cov/"
make -s -C "$KDIR" M="$build/cov" modules

export ACLKM_COV_MODULE=$build/cov/aclkm_cov.ko
export ACLKM_SOAK_SECONDS=${ACLKM_SOAK_SECONDS:-120}
export KFLAGS="CFLAGS_MODULE='-DMODULE -fsanitize-coverage=trace-pc' KBUILD_EXTRA_SYMBOLS=$build/cov/Module.symvers"
status=0
if [[ $# == 0 ]]; then set -- 6.1 soak; fi
"$top/selftests/run-tests.sh" "$@" || status=$?
"$here/report.py" "$top/build/kmod-6.1/aclkm.ko" "$top"/build/test-logs/*.log | tee "$build/report.txt"
exit "$status"
