#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs built with AddressSanitizer, or run by Valgrind, see the library's blocks as
# allocations, though the library is built without.
inc=@TOP@/include
lib=@LIB@
export LD_LIBRARY_PATH="$lib" ACLKM_BACKEND=user ACLKM_MEM=48M
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh

cat > "$work/client.c" <<'EOF'
#include <acl/acl.h>
#include <acl/acl_rt_memory_soma.h>
#include <aclkm/aclkm.h>
#include <string.h>

#define NORMAL ACL_MEM_MALLOC_NORMAL_ONLY
#define UNIT (2UL << 20)

static volatile char *p;
static char what;
static int bad;

/* Each way to memory: right use, and the wrong one that a letter names. */
static void blocks(void)
{
	bad |= aclrtMalloc((void **)&p, 100, NORMAL);
	memset((void *)p, 1, 100);
	if (what == 'o')
		p[100] = 1;
	if (what == 'b')
		aclrtMemset((void *)p, 110, 0, 110);
	bad |= aclrtFree((void *)p);
	if (what == 'f')
		p[50] = 1;
	bad |= aclrtMalloc((void **)&p, 64, NORMAL) || (p[63] = 1) != 1;
	bad |= aclrtFree((void *)p);
}

static void native(void)
{
	bad |= aclkm_memory_alloc(100, 0, ACLKM_PAGES_NORMAL, (void **)&p);
	memset((void *)p, 1, 100);
	if (what == 'N')
		p[101] = 1;
	bad |= aclkm_memory_free((void *)p);
	if (what == 'n')
		p[0] = 1;
	/* Memory that was a block of another kind before. */
	bad |= aclkm_memory_alloc(200, 0, ACLKM_PAGES_NORMAL, (void **)&p);
	memset((void *)p, 1, 200);
	bad |= aclkm_memory_free((void *)p);
}

static void pool(unsigned int flags, size_t block)
{
	struct aclkm_pool_options options = {.size = 1 << 20, .flags = flags, .block = block};
	struct aclkm_pool *pool, *child = NULL;
	volatile char *q;

	bad |= aclkm_pool_make(&options, &pool);
	if (what == 'B')
		((volatile char *)aclkm_pool_base(pool))[5] = 1;
	bad |= aclkm_segment_alloc(pool, 100, (void **)&p);
	bad |= aclkm_segment_alloc(pool, 40, (void **)&q);
	memset((void *)p, 1, 100);
	memset((void *)q, 2, 40);
	if (what == 's')
		p[100] = 1;
	bad |= aclkm_segment_free(pool, (void *)p);
	if (what == 'd')
		p[5] = 1;
	bad |= aclkm_pool_reset(pool);
	if (what == 'r')
		q[5] = 1;
	bad |= aclkm_segment_alloc(pool, 90, (void **)&p);
	memset((void *)p, 1, 90);
	if (!flags && !block) {
		struct aclkm_pool_options inner = {.size = 4096, .parent = pool};

		bad |= aclkm_pool_make(&inner, &child);
		bad |= aclkm_segment_alloc(child, 60, (void **)&q);
		memset((void *)q, 1, 60);
		if (what == 'i')
			q[60] = 1;
		bad |= aclkm_pool_destroy(child, ACLKM_POOL_FORCE);
		if (what == 'I')
			q[0] = 1;
	}
	bad |= aclkm_pool_destroy(pool, ACLKM_POOL_FORCE);
}

static void stream_pool(void)
{
	aclrtMemPoolProps props = {.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	aclrtMemPool pool;
	uint64_t keep = UNIT;
	int i;

	bad |= aclrtMemPoolCreate(&pool, &props);
	bad |= aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, &keep);
	for (i = 0; i < 3; i++) {
		bad |= aclrtMemPoolMallocAsync((void **)&p, 1000 - i, pool, NULL);
		bad |= aclrtSynchronizeStream(NULL);
		memset((void *)p, 1, 1000 - i);
		if (what == 'Q')
			p[1000 - i] = 1;
		bad |= aclrtMemPoolFreeAsync((void *)p, NULL) | aclrtSynchronizeStream(NULL);
		if (what == 'q')
			p[3] = 1;
	}
	bad |= aclrtMemPoolDestroy(pool);
}

static void mapped(void)
{
	aclrtPhysicalMemProp prop = {.memAttr = ACL_HBM_MEM_HUGE,
				     .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	aclrtDrvMemHandle handle;
	int i;

	bad |= aclrtReserveMemAddress((void **)&p, 2 * UNIT, 0, NULL, 0);
	bad |= aclrtMallocPhysical(&handle, UNIT, &prop, 0);
	for (i = 0; i < 2; i++) {
		bad |= aclrtMapMem((void *)p, UNIT, 0, handle, 0);
		p[UNIT - 1] = 1;
		bad |= aclrtUnmapMem((void *)p);
		if (what == 'u')
			p[7] = 1;
	}
	bad |= aclrtFreePhysical(handle) | aclrtReleaseMemAddress((void *)p);
}

static void read_only(void)
{
	bad |= aclrtMallocWithCfg((void **)&p, 100, ACL_MEM_ACCESS_USER_SPACE_READONLY, NULL);
	bad |= p[99];
	if (what == 'y')
		bad |= p[120];
	bad |= aclrtFree((void *)p);
}

int main(int argc, char **argv)
{
	what = argc > 1 ? argv[1][0] : 'g';
	if (aclrtSetDevice(0))
		return 3;
	blocks();
	native();
	pool(0, 0);
	pool(0, 128);
	pool(ACLKM_POOL_THREADS, 0);
	stream_pool();
	mapped();
	read_only();
	blocks();
	return bad ? 3 : 0;
}
EOF

wrong="o:a write behind a block
f:a write to a freed block
N:a write behind a native block
n:a write to a freed native block
B:a write to what a pool has not given
s:a write behind a segment
d:a write to a freed segment
r:a write to a segment after the reset
i:a write behind a segment of a pool in a pool
I:a write to a pool that was in a pool
Q:a write behind memory of a stream-ordered pool
q:a write to it after the free
u:a write where physical memory was mapped
y:a read behind a read-only block"

build() { # flags...
	cc -g "$@" -I"$inc" -o "$work/client" "$work/client.c" -L"$lib" -laclkm > "$work/log" 2>&1
}

if build -fsanitize=address; then
	"$work/client" g > "$work/log" 2>&1
	result $? "AddressSanitizer: a right program runs"
	while IFS=: read -r letter name; do
		! "$work/client" "$letter" > "$work/log" 2>&1 &&
			grep -q 'AddressSanitizer: use-after-poison' "$work/log"
		result $? "AddressSanitizer: $name"
	done << EOF
$wrong
b:a set behind a block
EOF
	ACLKM_GUARD=0 "$work/client" f > "$work/log" 2>&1
	result $? "ACLKM_GUARD=0: nothing of it is seen"
	ACLKM_GUARD=2 "$work/client" g > "$work/log" 2>&1
	[ $? -eq 3 ]
	result $? "ACLKM_GUARD=2: refused"
else
	skip 'AddressSanitizer' 'the compiler has none'
fi

if command -v valgrind > /dev/null && [ -e /usr/include/valgrind/memcheck.h ]; then
	build
	check() { valgrind -q --error-exitcode=9 "$work/client" "$1" > "$work/log" 2>&1; }
	check g
	result $? "Valgrind: a right program runs"
	while IFS=: read -r letter name; do
		check "$letter"
		code=$?
		# Where nothing is mapped the program ends by the signal.
		{ [ $code -eq 9 ] || [ $code -eq 139 ]; } && grep -q "Invalid [rw]" "$work/log" &&
			! grep -q "is not stack'd, malloc'd or (recently) free'd" "$work/log"
		result $? "Valgrind: $name"
	done << EOF
$wrong
EOF
else
	skip 'Valgrind' 'not installed, or was not when the library was built'
fi
done_testing
