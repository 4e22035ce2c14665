#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs that name everything compile and load: all headers together, each function,
# type and constant of them, in C and C++; each function is found by dlsym where loaders
# look; each refused function answers 207000 and says what is missing.
top=@TOP@
inc=$top/include
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
export ACLKM_BACKEND=user ACLKM_MEM=48M
prefix=$work/prefix
home=$prefix/lib/aclkm/ascend
list=$top/Documentation/ascendcl-functions.txt

make -s -C "$top/lib" install B=@LIB@ PREFIX="$prefix" > "$work/log" 2>&1
result $? "make install"

# The headers without comments and preprocessor lines but definitions.
plain() {
	(cd "$inc" && cat acl/*.h acl/*/*.h) | sed -e 's|//.*||' | tr '\n' '\001' |
		sed -e 's|/\*|\x02|g; s|\*/|\x03|g; s|\x02[^\x03]*\x03||g' | tr '\001' '\n'
}
plain > "$work/plain"
grep -v '^[#@=]' "$list" | grep . > "$work/functions"
# The end of a typedef, and names of pointers to functions.
{
	sed -n 's/^} *\([A-Za-z0-9_]*\);$/\1/p; s/^typedef .*[ *]\([A-Za-z0-9_]*\);$/\1/p' "$work/plain"
	tr '\n' ' ' < "$work/plain" | grep -oE 'typedef [^;{]*\(\*[A-Za-z0-9_]+\)' |
		sed 's/.*(\*\([A-Za-z0-9_]*\))$/\1/'
	grep -oE 'typedef (enum|struct) .*\} [A-Za-z0-9_]+;' "$work/plain" | sed 's/.*} \(.*\);/\1/'
} | grep . | sort -u > "$work/types"
{
	grep -oE '^[[:space:]]+(ACL_|PIXEL_FORMAT_|H26[45]_)[A-Z0-9a-z_]+ = ' "$work/plain" | tr -d ' =\t'
	sed -n 's/^#define \(ACL_[A-Z0-9a-z_]*\) [0-9(].*/\1/p; s/^static const [a-z0-9_]* \(ACL_[A-Z0-9a-z_]*\) =.*/\1/p' "$work/plain"
} | sort -u > "$work/constants"
# What is opaque has no size: only pointers to it are named.
sed -n 's/^typedef struct \([A-Za-z0-9_]*\) [A-Za-z0-9_]*;$/\1/p' "$work/plain" | sort -u > "$work/tags"

[ "$(wc -l < "$work/functions")" -gt 550 ] && [ "$(wc -l < "$work/types")" -gt 150 ] &&
	[ "$(wc -l < "$work/constants")" -gt 600 ]
result $? "the lists are whole: $(wc -l < "$work/functions") functions, $(wc -l < "$work/types") types, $(wc -l < "$work/constants") constants"

{
	(cd "$inc" && printf '#include <%s>\n' acl/*.h acl/*/*.h | grep -v acl_rt_api)
	echo 'typedef void (*any)(void);'
	echo 'static const any functions[] = {'
	sed 's/.*/\t(any)&,/' "$work/functions"
	echo '};'
	sed 's/.*/static & *type_&;/' "$work/types"
	echo 'static const long long constants[] = {'
	sed 's/.*/\t(long long)&,/' "$work/constants"
	echo '};'
	echo 'int main(void) { unsigned i; int bad = 0;'
	sed 's/.*/\tbad |= type_& != 0;/' "$work/types"
	echo '	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) bad |= !functions[i];'
	echo '	for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) bad |= constants[i] == -99;'
	echo '	return bad; }'
	# In C++ its forms have the names of others, which could not be named alone behind it.
	echo '#include <acl/acl_rt_api.h>'
} > "$work/all.c"
cp "$work/all.c" "$work/all.cc"

names_all() { # compiler standard file
	if ! command -v "$1" > /dev/null; then
		skip "$1" 'not installed'
		return
	fi
	"$1" "-std=$2" -Wall -Wextra -Werror -I"$home/include" -o "$work/all" "$work/$3" \
		-L"$home/lib64" -lascendcl -lacl_dvpp -lacl_dvpp_mpi -lruntime > "$work/log" 2>&1 &&
		LD_LIBRARY_PATH="$home/lib64" "$work/all" >> "$work/log" 2>&1
	result $? "$1 -std=$2: all headers together, each name of them used"
}
names_all gcc c11 all.c
names_all clang c11 all.c
for std in c++11 c++17 c++20; do
	names_all g++ $std all.cc
	names_all clang++ $std all.cc
done

# The C++ forms without casts.
cat > "$work/typed.cc" <<'END'
#include <acl/acl_rt_api.h>
int main()
{
	int *device = nullptr, host[4] = {1, 2, 3, 4}, back[4] = {};
	aclrtStream stream;
	aclrtEvent event;
	if (aclrtSetDevice(0) || aclrtMalloc(&device, sizeof(host), ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtCreateStream(&stream, 0, 0) || aclrtCreateEvent(&event, ACL_EVENT_SYNC) ||
	    aclrtMemcpy(device, sizeof(host), host, sizeof(host), ACL_MEMCPY_HOST_TO_DEVICE) ||
	    aclrtMemcpy(back, sizeof(back), device, sizeof(host), ACL_MEMCPY_DEVICE_TO_HOST) ||
	    aclrtRecordEvent(event, stream) || aclrtSynchronizeEvent(event, 1000) ||
	    aclrtSynchronizeStream(stream, 1000) || aclrtSynchronizeDevice(1000))
		return 1;
	return back[3] != 4;
}
END
g++ -std=c++11 -Wall -Wextra -Werror -I"$home/include" -o "$work/typed" "$work/typed.cc" \
	-L"$home/lib64" -lascendcl > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$home/lib64" "$work/typed" >> "$work/log" 2>&1
result $? "acl_rt_api.h: copies and waits without casts"

# Each function in the handle of each library in which loaders look.
{
	echo '#include <dlfcn.h>'
	echo '#include <stdio.h>'
	echo 'static const char *const names[] = {'
	sed 's/.*/\t"&",/' "$work/functions"
	echo '};'
	cat <<'END'
int main(int argc, char **argv)
{
	int i, bad = 0;
	unsigned n;
	for (i = 1; i < argc; i++) {
		void *handle = dlopen(argv[i], RTLD_NOW);
		if (!handle) { puts(dlerror()); return 1; }
		for (n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			if (!dlsym(handle, names[n])) { printf("%s in %s\n", names[n], argv[i]); bad = 1; }
	}
	return bad;
}
END
} > "$work/find.c"
cc -o "$work/find" "$work/find.c" -ldl > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$home/lib64" "$work/find" libascendcl.so libacl_rt.so libacl_rt_impl.so \
		libruntime.so libacl_dvpp.so libacl_dvpp_mpi.so libacl_mdl.so libacl_op_compiler.so \
		libacl_tdt_channel.so libacl_tdt_queue.so libmsprofiler.so libascend_dump.so \
		>> "$work/log" 2>&1
result $? "dlsym finds each function in each library's handle"

# Refused functions, by the table: with nothing but zeros.
# shellcheck disable=SC2016
sed -n 's/^| `\([A-Za-z0-9_]*\)` | answers 207000 | \(.*\) |$/\1|\2/p' \
	"$top/Documentation/ascendcl-table.md" > "$work/refused"
[ "$(wc -l < "$work/refused")" -gt 200 ]
result $? "the table has refused functions: $(wc -l < "$work/refused")"
tr '\n' ' ' < "$work/plain" | grep -oE '(aclError|rtError_t) [A-Za-z0-9_]+\(' | sed 's/.* \(.*\)(/\1/' |
	sort -u > "$work/codes"
{
	echo '#include <acl/acl.h>'
	echo '#include <stdio.h>'
	echo '#include <string.h>'
	echo 'typedef long (*any)(long, long, long, long, long, long, long, long);'
	sed 's/|.*//; s/.*/extern void named_&(void) __asm__("&");/' "$work/refused"
	echo 'static const struct { const char *name, *why; any call; int code; } all[] = {'
	while IFS='|' read -r name why; do
		code=0
		grep -qx "$name" "$work/codes" && code=1
		printf '\t{"%s", "%s", (any)named_%s, %d},\n' "$name" "$why" "$name" $code
	done < "$work/refused"
	cat <<'END'
};
int main(void)
{
	unsigned i;
	int bad = 0, code;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *text;
		code = (int)all[i].call(0, 0, 0, 0, 0, 0, 0, 0);
		text = aclGetRecentErrMsg();
		if ((all[i].code && code != 207000) || !text || !strstr(text, all[i].name) ||
		    !strstr(text, all[i].why)) {
			printf("%s: %d %s\n", all[i].name, code, text ? text : "no text");
			bad = 1;
		}
	}
	return bad;
}
END
} > "$work/refuse.c"
cc -Wno-cast-function-type -I"$home/include" -o "$work/refuse" "$work/refuse.c" -L"$home/lib64" \
	-lascendcl -lacl_dvpp -lruntime > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$home/lib64" "$work/refuse" >> "$work/log" 2>&1
result $? "each refused function answers 207000 and says what is missing"
done_testing
