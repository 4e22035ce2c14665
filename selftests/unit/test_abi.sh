#!/bin/sh
# SPDX-License-Identifier: MIT
# The gate of the ABI lets this library pass, and stops one without a symbol it once had.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh
if ! command -v abidiff > /dev/null; then
	skip "the ABI" "abidiff is not installed (tools/install-deps.sh lint)"
	done_testing
fi
lib=@LIB@
if ! readelf -S "$lib/libaclkm.so" | grep -q debug_info ||
	nm -D "$lib/libaclkm.so" | grep -qE '__(asan_report|tsan_func_entry)'; then
	skip "the ABI" "a library without the description of its types, or with a sanitizer"
	done_testing
fi
"$top/tools/abi.sh" check "$lib/libaclkm.so" > "$work/log" 2>&1
result $? "the library has the committed ABI"
sed 's/^local:/local: aclrtFree;/' "$top/lib/libaclkm.map" > "$work/map"
find "$lib/obj" -name '*.o' ! -name libaclkm.o -exec cc -shared -Wl,-soname,libaclkm.so.0 \
	-Wl,--version-script="$work/map" -o "$work/less.so" -pthread {} + > "$work/log" 2>&1
result $? "a library without aclrtFree"
! "$top/tools/abi.sh" check "$work/less.so" > "$work/log" 2>&1 && grep -q aclrtFree "$work/log"
result $? "is refused, with the symbol's name"
done_testing
