#!/bin/sh
# SPDX-License-Identifier: MIT
# tools/layers.py: the library's calls and includes go down its rooms, and the check
# fails for what it is there to find.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

layers() { # arguments of the check
	"$top/tools/layers.py" --layers "$work/layers" --sources "$work/tree" \
		--objects "$work/objects" "$@" > "$work/log" 2>&1
}

# Writes a tree of two rooms in which roof/a.c calls floor/b.c; then compiles it.
tree() {
	rm -rf "$work/tree" "$work/objects"
	mkdir -p "$work/tree/roof" "$work/tree/floor" "$work/objects/roof" "$work/objects/floor"
	printf 'roof/*\nfloor/*\n' > "$work/layers"
	printf '#include "floor/b.h"\nint a(void) { return b(); }\n' > "$work/tree/roof/a.c"
	printf 'int a(void);\n' > "$work/tree/roof/a.h"
	printf 'int b(void) { return 0; }\n' > "$work/tree/floor/b.c"
	printf 'int b(void);\n' > "$work/tree/floor/b.h"
	printf 'int c(void) { return 0; }\n' > "$work/tree/floor/c.c"
	printf 'int c(void);\n' > "$work/tree/floor/c.h"
}

build() {
	for name in roof/a floor/b floor/c; do
		cc -I"$work/tree" -c -o "$work/objects/$name.o" "$work/tree/$name.c" || return 1
	done
}

refuses() { # words of the report, name of the test
	build
	! layers && grep -q "$1" "$work/log"
	result $? "$2"
}

tree
build && layers
result $? 'calls that go down pass'

tree
printf 'int a(void);\nint b(void) { return a(); }\n' > "$work/tree/floor/b.c"
refuses 'floor/b uses roof/a of a higher layer' 'an upward call fails'

tree
printf '#include "roof/a.h"\nint b(void) { return 0; }\n' > "$work/tree/floor/b.c"
refuses 'floor/b includes roof/a of a higher layer' 'an upward include fails'

tree
printf 'int c(void);\nint b(void) { return c(); }\n' > "$work/tree/floor/b.c"
printf 'int b(void);\nint c(void) { return b(); }\n' > "$work/tree/floor/c.c"
refuses 'cycle (uses): floor/b -> floor/c -> floor/b' 'two files that call each other fail'

tree
printf '#include "floor/c.h"\nint b(void);\n' > "$work/tree/floor/b.h"
printf '#include "floor/b.h"\nint c(void) { return 0; }\n' > "$work/tree/floor/c.c"
refuses 'cycle (includes): floor/b -> floor/c -> floor/b' 'two files that include each other fail'

tree
printf 'int d;\n' > "$work/tree/d.c"
refuses 'd: in no layer' 'a file of no layer fails'

tree
build
! layers --rooms && grep -q 'roof/a.c includes floor/b.h: include floor/floor.h' "$work/log"
result $? "--rooms: an include past the room's header fails"

"$top/tools/layers.py" --rooms --layers "$top/lib/layers" --sources "$top/lib" --objects "@LIB@/obj" > "$work/log" 2>&1
result $? 'the library: no upward call, no cycle'

"$top/tools/static-names.py" "$top/lib" > "$work/log" 2>&1
result $? 'the library: no static function has the name of another one'

tree
printf 'static int one(void) { return 0; }\n' >> "$work/tree/floor/b.c"
printf 'static int one(void) { return 0; }\n' >> "$work/tree/floor/c.c"
! "$top/tools/static-names.py" "$work/tree" > "$work/log" 2>&1 && grep -q '^one: static in' "$work/log"
result $? 'a static name in two files fails'

done_testing
