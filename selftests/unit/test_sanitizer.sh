#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs built with AddressSanitizer, or run by Valgrind, see the library's blocks as
# allocations, though the library is built without.
inc=@TOP@/include
lib=@LIB@
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH="$lib" ACLKM_BACKEND=user ACLKM_MEM=48M
n=0
bad=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/log"
		bad=1
	fi
}

skip() { # name why
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

cat > "$work/client.c" <<'EOF'
#include <acl/acl.h>
#include <string.h>
int main(int argc, char **argv)
{
	volatile char *p;
	char what = argc > 1 ? argv[1][0] : 'g';
	if (aclrtSetDevice(0) || aclrtMalloc((void **)&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY))
		return 3;
	memset((void *)p, 1, 100);
	if (what == 'o')
		p[100] = 1;
	if (what == 'b')
		aclrtMemset((void *)p, 110, 0, 110);
	if (aclrtFree((void *)p))
		return 4;
	if (what == 'f')
		p[50] = 1;
	return aclrtMalloc((void **)&p, 64, ACL_MEM_MALLOC_NORMAL_ONLY) || (p[63] = 1) != 1 ||
	       aclrtFree((void *)p);
}
EOF

build() { # flags...
	cc -g "$@" -I"$inc" -o "$work/client" "$work/client.c" -L"$lib" -laclkm > "$work/log" 2>&1
}

if build -fsanitize=address; then
	"$work/client" g > "$work/log" 2>&1
	result $? "AddressSanitizer: a right program runs"
	for c in "o:a write behind a block" "f:a write to a freed block" "b:a set behind a block"; do
		! "$work/client" "${c%%:*}" > "$work/log" 2>&1 &&
			grep -q 'AddressSanitizer: use-after-poison' "$work/log"
		result $? "AddressSanitizer: ${c#*:}"
	done
else
	skip 'AddressSanitizer' 'the compiler has none'
fi

if command -v valgrind > /dev/null && [ -e /usr/include/valgrind/memcheck.h ]; then
	build
	check() { valgrind -q --error-exitcode=9 "$work/client" "$1" > "$work/log" 2>&1; }
	check g
	result $? "Valgrind: a right program runs"
	check o
	[ $? -eq 9 ] && grep -q "0 bytes after a block of size 100" "$work/log"
	result $? "Valgrind: a write behind a block"
	check f
	[ $? -eq 9 ] && grep -q "Invalid write" "$work/log"
	result $? "Valgrind: a write to a freed block"
else
	skip 'Valgrind' 'not installed, or was not when the library was built'
fi
echo "1..$n"
exit $bad
