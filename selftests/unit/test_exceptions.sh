#!/bin/sh
# SPDX-License-Identifier: MIT
# C++ exceptions that functions of the program throw through the library.
inc=@TOP@/include
lib=@LIB@
src=@TOP@/selftests/unit
export LD_LIBRARY_PATH="$lib" ACLKM_MEM=64M
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

c++ -g -O1 -Wall -Werror -I"$inc" -o "$work/throws" "$src/throws.cc" -L"$lib" -laclkm \
	-pthread > "$work/log" 2>&1
result $? "a C++ program that throws in callbacks"

for check in none all; do
	ACLKM_CHECK=$check timeout 60 "$work/throws" callback > "$work/log" 2>&1
	result $? "a callback throws to its thread, and the stream goes on (checks: $check)"
	ACLKM_CHECK=$check timeout 60 "$work/throws" watcher > "$work/log" 2>&1
	result $? "a stream whose watcher threw can be destroyed again (checks: $check)"
	ACLKM_CHECK=$check timeout 60 "$work/throws" host > "$work/log" 2>&1
	result $? "a host function that throws ends in std::terminate (checks: $check)"
done
done_testing
