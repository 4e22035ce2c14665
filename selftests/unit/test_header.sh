#!/bin/sh
# SPDX-License-Identifier: MIT
# Clients of the headers compile without a warning, and the library shows the
# names of AscendCL and of aclkm, and no others.
inc=@TOP@/include
lib=@LIB@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

headers=$(cd "$inc" && ls acl/*.h acl/*/*.h aclkm/*.h)

# Each header alone in a source file of its own, all of them in one run of the compiler.
all_headers() { # compiler standard file-suffix
	if ! command -v "$1" > /dev/null; then
		skip "$1" 'not installed'
		return
	fi
	rm -f "$work"/client_*
	for h in $headers; do
		f=$work/client_$(echo "$h" | tr '/.' '__').$3
		printf '#include <%s>\nint main(void) { return 0; }\n' "$h" > "$f"
	done
	(cd "$work" && "$1" "-std=$2" -Wall -Wextra -Werror -pedantic "-I$inc" -fsyntax-only \
		client_*."$3") 2> "$work/log"
	s=$?
	[ $s -eq 0 ] || sed 's/^/# /' "$work/log"
	result $s "$1 -std=$2: each header alone"
}

for cc in gcc clang; do
	all_headers $cc c11 c
done
for cxx in g++ clang++; do
	for std in c++11 c++17 c++20; do
		all_headers $cxx $std cc
	done
done

# What programs name with one include of the runtime's header, or of the base types.
cat > "$work/one.c" <<'EOF'
#include <acl/acl_rt.h>
static bool fits(aclrtStream stream)
{
	uint32_t rule = ACL_STREAM_WAIT_VALUE_GEQ | ACL_STREAM_WAIT_VALUE_NOR;
	aclrtMemUceInfo faults[MAX_MEM_UCE_INFO_ARRAY_SIZE];
	aclrtAllocatorDesc desc = aclrtAllocatorCreateDesc();
	size_t found = 0;
	return aclrtAllocatorRegister(stream, desc) == ACL_SUCCESS &&
	       aclrtGetMemUceInfo(0, faults, MAX_MEM_UCE_INFO_ARRAY_SIZE, &found) == 0 &&
	       aclrtValueWait(faults, found, rule, stream) == ACL_ERROR_INVALID_MODEL_ID;
}
int main(void) { return fits(NULL); }
EOF
cat > "$work/base.c" <<'EOF'
#include <acl/acl_base.h>
#ifndef ACL_ERROR_RT_MEMORY_ALLOCATION
#error "the runtime's codes"
#endif
int main(void)
{
	aclrtStream stream = NULL;
	aclrtEvent event = NULL;
	aclrtContext context = NULL;
	aclDataType type = ACL_FLOAT16;
	aclFormat format = ACL_FORMAT_NCHW;
	const aclTensorDesc *desc = NULL;
	const aclDataBuffer *buffer = NULL;
	aclError code = ACL_ERROR_RT_MEMORY_ALLOCATION;
	return !stream && !event && !context && type && !format && !desc && !buffer && !code;
}
EOF
gcc -std=c11 -Wall -Wextra -Werror -pedantic "-I$inc" -fsyntax-only "$work/one.c" "$work/base.c" &&
	g++ -std=c++11 -x c++ -Wall -Wextra -Werror -pedantic "-I$inc" -fsyntax-only \
		"$work/one.c" "$work/base.c"
result $? "acl_rt.h alone and acl_base.h alone name what programs use of them"

names=$(nm -D --defined-only "$lib/libaclkm.so" | awk '$2 ~ /[TDBR]/ { print $3 }' |
	sed 's/@.*//')
# What the headers declare is there, each function of them.
declared=$(cat "$inc"/acl/*.h "$inc"/acl/*/*.h "$inc"/aclkm/*.h | tr '\n' ' ' | tr ';' '\n' |
	sed -n 's/.*ACL_FUNC_VISIBILITY [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/\1/p; s/.*ACLKM_API [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/\1/p')
echo "$declared" | grep . | sort -u > "$work/declared"
echo "$names" | grep . | sort -u > "$work/defined"
[ "$(wc -l < "$work/declared")" -gt 150 ]
result $? "the headers declare functions"
missing=$(comm -23 "$work/declared" "$work/defined" | tr '\n' ' ')
[ -z "$missing" ]
result $? "the library has all of them${missing:+, but: $missing}"
undeclared=$(comm -13 "$work/declared" "$work/defined" | tr '\n' ' ')
[ -z "$undeclared" ]
result $? "and shows no others${undeclared:+, but: $undeclared}"
others=$(echo "$names" | grep -vE '^(aclkm_|acl|rt[A-Z]|hi_mpi_)')
[ -z "$others" ]
result $? "and no names but these${others:+: $others}"
readelf -d "$lib/libaclkm.so" | grep -q 'SONAME.*\[libaclkm\.so\.0\]'
result $? "its soname is libaclkm.so.0"
statics=$(nm -g --defined-only "$lib/libaclkm.a" | awk 'NF == 3 { print $3 }' |
	grep -vE '^(aclkm_|acl|rt[A-Z]|hi_mpi_|__asan|__odr_asan|__ubsan|__tsan)')
[ -z "$statics" ]
result $? "the static library shows no other names${statics:+: $statics}"
done_testing
