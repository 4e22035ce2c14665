// SPDX-License-Identifier: MIT
#include "base/guard.h"

#include "base/config.h"

#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#endif

/* There when the program was built with -fsanitize=address. */
extern void __asan_poison_memory_region(const volatile void *addr, size_t size)
	__attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *addr, size_t size)
	__attribute__((weak));

static bool on_asan(void)
{
	return __asan_poison_memory_region && config_get()->guard;
}

static bool on_valgrind(void)
{
#ifdef HAVE_VALGRIND
	return RUNNING_ON_VALGRIND && config_get()->guard;
#else
	return false;
#endif
}

bool guard_is_watched(void)
{
	return on_asan() || on_valgrind();
}

void guard_alloc(void *ptr, size_t asked, size_t size)
{
	if (on_asan()) {
		__asan_unpoison_memory_region(ptr, asked);
		__asan_poison_memory_region((char *)ptr + asked, size - asked);
	}
#ifdef HAVE_VALGRIND
	if (on_valgrind()) {
		VALGRIND_MALLOCLIKE_BLOCK(ptr, asked, 0, 0);
		VALGRIND_MAKE_MEM_NOACCESS((char *)ptr + asked, size - asked);
	}
#endif
}

void guard_free(void *ptr, size_t size)
{
	if (on_asan())
		__asan_poison_memory_region(ptr, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_FREELIKE_BLOCK(ptr, 0);
#endif
}

void guard_forget(void *ptr, size_t size)
{
	if (on_asan())
		__asan_unpoison_memory_region(ptr, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_MAKE_MEM_DEFINED(ptr, size);
#endif
}

void guard_hide(void *ptr, size_t size)
{
	if (on_asan())
		__asan_poison_memory_region(ptr, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_MAKE_MEM_NOACCESS(ptr, size);
#endif
}

/* Valgrind forgets what is left in a pool when it goes; blocks would stay as leaks. */
void guard_pool_make(const void *pool, void *base, size_t size)
{
	guard_hide(base, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_CREATE_MEMPOOL(pool, 0, 0);
#endif
	(void)pool;
}

void guard_pool_drop(const void *pool, void *base, size_t size)
{
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_DESTROY_MEMPOOL(pool);
#endif
	guard_forget(base, size);
	(void)pool;
}

void guard_pool_alloc(const void *pool, void *ptr, size_t asked)
{
	if (on_asan())
		__asan_unpoison_memory_region(ptr, asked);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_MEMPOOL_ALLOC(pool, ptr, asked);
#endif
	(void)pool;
}

void guard_pool_free(const void *pool, void *ptr, size_t size)
{
	if (on_asan())
		__asan_poison_memory_region(ptr, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_MEMPOOL_FREE(pool, ptr);
#endif
	(void)pool;
}
