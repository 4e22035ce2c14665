#!/bin/sh
# SPDX-License-Identifier: MIT
# Every function of the headers, called wrongly: with zeros without a context, with one,
# after aclFinalize and in a forked child, and with what dice give (wrong_use.c).
inc=@TOP@/include
lib=@LIB@
src=@TOP@/selftests/unit
export LD_LIBRARY_PATH="$lib" ACLKM_MEM=64M ACLKM_DEVICES=2
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

# A caller for each declaration: what it passes follows from the types.
cat "$inc"/acl/*.h "$inc"/acl/*/*.h | sed 's|//.*||' | tr '\n\t' '  ' |
	sed 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' | tr ';' '\n' |
	sed -n 's/.*ACL_FUNC_VISIBILITY \([^(]*[ *]\)\([a-zA-Z0-9_]*\)(\([^)]*\)).*/\1|\2|\3/p' |
	awk -F'|' '
	function value(type) {
		gsub(/^ +| +$/, "", type)
		if (type == "void" || type == "hi_void")
			return ""
		if (type ~ /\[/)
			return "pointer()"
		if (type ~ /^const char \*$/)
			return "text()"
		if (type ~ /^(const )?(hi_)?void \*$/)
			return "(" type ")address()"
		if (type ~ /\*/)
			return "(" type ")pointer()"
		if (type ~ /(ManagedLocation|IpcEventHandle|dim3|CondTaskParams)$/)
			return "*(" type " *)(void *)room"
		if (type ~ /(Callback|CallBack|HostFunc|Func)$/)
			return "(" type ")function()"
		if (type ~ /(Stream|Event|Context|Notify|DrvMemHandle|MemPool|AllocatorDesc|Allocator|[a-z]Handle|Binary|Buf|Label|LabelList|TaskGrp|RI|RITask|rtStream_t|rtNotify_t)$/)
			return "(" type ")handle()"
		if (type ~ /^(size_t|uint64_t|hi_u64)$/)
			return "(" type ")size()"
		return "(" type ")number()"
	}
	{
		returns = $1; name = $2; arguments = ""
		gsub(/^ +| +$/, "", returns)
		count = split($3, parts, ",")
		for (i = 1; i <= count; i++) {
			type = parts[i]
			if (type ~ /\.\.\./) continue
			if (type !~ /^ *(hi_)?void *$/ && type !~ /\[/)
				sub(/[a-zA-Z0-9_]+ *$/, "", type)
			gsub(/\*const *$/, "*", type)
			sub(/^ *const (int32_t|uint16_t|uint32_t|size_t) *$/, "int32_t", type)
			if (type !~ /\*/)
				sub(/^ *const /, "", type)
			got = value(type)
			if (got != "")
				arguments = arguments (arguments == "" ? "" : ", ") got
		}
		if (name == "aclrtMemPoolDestroy")
			arguments = "handle()"
		if (name ~ /^(aclAppLog|aclGetRecentErrMsg|acldumpRegCallback)$/)
			next
		if (returns == "void")
			body = name "(" arguments ");\n\treturn 0;"
		else
			body = "return (long)" name "(" arguments ");"
		printf "static long call_%s(void)\n{\n\t%s\n}\n", name, body
		kind = returns == "aclError" || returns == "rtError_t" ? "CODE" : returns == "hi_s32" ? "MEDIA" : "OTHER"
		list = list "\t{\"" name "\", " kind ", call_" name "},\n"
	}
	END { printf "static const struct call calls[] = {\n%s};\n", list }' > "$work/calls.h"

cc -g -O1 -Wall -Werror -I"$work" -I"$inc" -o "$work/wrong" "$src/wrong_use.c" -L"$lib" \
	-laclkm > "$work/log" 2>&1
result $? "callers of $(grep -c '^static long' "$work/calls.h") functions"

run() { # letter name
	timeout 120 "$work/wrong" "$1" ${2:+"$2"} > "$work/log" 2>&1
}

run n; result $? "zeros, without a context"
run c; result $? "zeros, with a context"
run f; result $? "zeros, after aclFinalize"
run k; result $? "zeros, in a forked child: 507000"
for seed in 1 2 3; do
	run d $seed; result $? "20000 throws of dice, seed $seed"
done
done_testing
