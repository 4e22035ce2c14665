// SPDX-License-Identifier: MIT
#include "guard.h"

#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#endif

/* There when the program was built with -fsanitize=address. */
extern void __asan_poison_memory_region(const volatile void *addr, size_t size)
	__attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *addr, size_t size)
	__attribute__((weak));

static bool on_valgrind(void)
{
#ifdef HAVE_VALGRIND
	return RUNNING_ON_VALGRIND != 0;
#else
	return false;
#endif
}

bool guard_is_watched(void)
{
	return __asan_poison_memory_region || on_valgrind();
}

void guard_alloc(void *ptr, size_t asked, size_t size)
{
	if (__asan_poison_memory_region) {
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
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(ptr, size);
#ifdef HAVE_VALGRIND
	if (on_valgrind())
		VALGRIND_FREELIKE_BLOCK(ptr, 0);
#endif
}

void guard_forget(void *ptr, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(ptr, size);
}
