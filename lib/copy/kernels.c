// SPDX-License-Identifier: MIT
#include "copy/kernels.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define LINE 64
#define MAX_KERNELS 4

static const struct kernel *here[MAX_KERNELS];
static size_t nr_here;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Bytes before the first whole line of @dst, at most @count. */
static size_t head_of(const void *dst, size_t count)
{
	size_t head = -(uintptr_t)dst & (LINE - 1);

	return head < count ? head : count;
}

#if defined(__x86_64__)

#include <immintrin.h>

/*
 * One loop for all: four registers a round, loads before stores. Nothing is fetched
 * ahead: the processor does it better, and with the hint that it is not used again
 * half of the bandwidth was lost. @STORE past the caches wants an aligned destination,
 * and @LOAD, where it is a streaming one, an aligned source.
 */
#define ROUND 4

#define COPY_LOOP(name, isa, type, per_line, LOAD, STORE)                                \
	__attribute__((target(isa))) static void name(char *d, const char *s,            \
						      size_t lines)                      \
	{                                                                                \
		type v[ROUND];                                                           \
		int i;                                                                   \
                                                                                         \
		for (; lines >= ROUND / (per_line); lines -= ROUND / (per_line)) {       \
			_Pragma("GCC unroll 8") for (i = 0; i < ROUND; i++) v[i] =       \
				LOAD(s + i * sizeof(type));                              \
			_Pragma("GCC unroll 8") for (i = 0; i < ROUND; i++)              \
				STORE(d + i * sizeof(type), v[i]);                       \
			s += sizeof(v);                                                  \
			d += sizeof(v);                                                  \
		}                                                                        \
		for (; lines; lines--) {                                                 \
			_Pragma("GCC unroll 8") for (i = 0; i < (per_line); i++) v[i] =  \
				LOAD(s + i * sizeof(type));                              \
			_Pragma("GCC unroll 8") for (i = 0; i < (per_line); i++)         \
				STORE(d + i * sizeof(type), v[i]);                       \
			s += LINE;                                                       \
			d += LINE;                                                       \
		}                                                                        \
		_mm_sfence();                                                            \
	}

/*
 * Four pieces at the same time: more of the memory's pages are open, and the processor
 * fetches ahead in each. What it does not see coming is the next page; a line some way
 * ahead is asked for, into the caches, as loads want it from there. @step registers of
 * each piece in turn, whole lines.
 */
#define PIECE 65536
#define PIECES 4
#define AHEAD 512

#define PIECES_LOOP(name, rest, isa, type, step, LOAD, STORE)                            \
	__attribute__((target(isa))) static void name(char *d, const char *s,            \
						      size_t lines)                      \
	{                                                                                \
		type v[step];                                                            \
		size_t at;                                                               \
		int i, piece;                                                            \
                                                                                         \
		for (; lines >= PIECES * PIECE / LINE; lines -= PIECES * PIECE / LINE) { \
			for (at = 0; at < PIECE; at += sizeof(v)) {                      \
				_Pragma("GCC unroll 4") for (piece = 0; piece < PIECES;  \
							     piece++)                    \
				{                                                        \
					size_t from = at + (size_t)piece * PIECE;        \
                                                                                         \
					_mm_prefetch(s + from + AHEAD, _MM_HINT_T0);     \
					_Pragma("GCC unroll 8") for (i = 0; i < (step);  \
								     i++) v[i] =         \
						LOAD(s + from + i * sizeof(type));       \
					_Pragma("GCC unroll 8") for (i = 0; i < (step);  \
								     i++)                \
						STORE(d + from + i * sizeof(type),       \
						      v[i]);                             \
				}                                                        \
			}                                                                \
			s += PIECES * PIECE;                                             \
			d += PIECES * PIECE;                                             \
		}                                                                        \
		rest(d, s, lines);                                                       \
	}

#define FILL_LOOP(name, isa, type, per_line, SPLAT, STORE)                               \
	__attribute__((target(isa))) static void name(char *d, int value, size_t lines)  \
	{                                                                                \
		type v = SPLAT((char)value);                                             \
		int i;                                                                   \
                                                                                         \
		for (; lines; lines--) {                                                 \
			_Pragma("GCC unroll 8") for (i = 0; i < (per_line); i++)         \
				STORE(d + i * sizeof(type), v);                          \
			d += LINE;                                                       \
		}                                                                        \
		_mm_sfence();                                                            \
	}

#define LOAD16(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define LOAD32(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define LOAD64(p) _mm512_loadu_si512((const void *)(p))
#define READ16(p) _mm_stream_load_si128((__m128i *)(uintptr_t)(p))
#define READ32(p) _mm256_stream_load_si256((const __m256i *)(const void *)(p))
#define READ64(p) _mm512_stream_load_si512((void *)(uintptr_t)(p))
#define STORE16(p, v) _mm_stream_si128((__m128i *)(void *)(p), v)
#define STORE32(p, v) _mm256_stream_si256((__m256i *)(void *)(p), v)
#define STORE64(p, v) _mm512_stream_si512((__m512i *)(void *)(p), v)
#define KEEP16(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)
#define KEEP32(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define KEEP64(p, v) _mm512_storeu_si512((void *)(p), v)

COPY_LOOP(copy_sse2, "sse2", __m128i, 4, LOAD16, STORE16)
COPY_LOOP(copy_avx2, "avx2", __m256i, 2, LOAD32, STORE32)
COPY_LOOP(copy_avx512, "avx512f", __m512i, 1, LOAD64, STORE64)
COPY_LOOP(read_sse2, "sse2", __m128i, 4, LOAD16, KEEP16)
COPY_LOOP(read_sse41, "sse4.1", __m128i, 4, READ16, KEEP16)
COPY_LOOP(read_avx2, "avx2", __m256i, 2, READ32, KEEP32)
COPY_LOOP(read_avx512, "avx512f", __m512i, 1, READ64, KEEP64)
PIECES_LOOP(pieces_sse2, copy_sse2, "sse2", __m128i, 4, LOAD16, STORE16)
PIECES_LOOP(pieces_avx2, copy_avx2, "avx2", __m256i, 4, LOAD32, STORE32)
PIECES_LOOP(pieces_avx512, copy_avx512, "avx512f", __m512i, 2, LOAD64, STORE64)
FILL_LOOP(fill_sse2, "sse2", __m128i, 4, _mm_set1_epi8, STORE16)
FILL_LOOP(fill_avx2, "avx2", __m256i, 2, _mm256_set1_epi8, STORE32)
FILL_LOOP(fill_avx512, "avx512f", __m512i, 1, _mm512_set1_epi8, STORE64)

/* Whole lines of the destination by @lines, the ends by memcpy. */
static void copy_by(void (*lines)(char *, const char *, size_t), void *dst,
		    const void *src, size_t count)
{
	size_t head = head_of(dst, count), whole = (count - head) / LINE;
	const char *s = src;
	char *d = dst;

	memcpy(d, s, head);
	lines(d + head, s + head, whole);
	head += whole * LINE;
	memcpy(d + head, s + head, count - head);
}

/*
 * Whole lines of the source, wherever they go: such loads are so slow that ordinary
 * stores cost nothing beside them. An earlier streaming load may have left more than it
 * gave in the processor's buffers, which others' stores do not change: the fence empties
 * them.
 */
static void read_by(void (*lines)(char *, const char *, size_t), void *dst,
		    const void *src, size_t count)
{
	size_t head = head_of(src, count), whole = (count - head) / LINE;
	const char *s = src;
	char *d = dst;

	_mm_mfence();
	memcpy(d, s, head);
	lines(d + head, s + head, whole);
	head += whole * LINE;
	memcpy(d + head, s + head, count - head);
}

static void fill_by(void (*lines)(char *, int, size_t), void *dst, int value,
		    size_t count)
{
	size_t head = head_of(dst, count), whole = (count - head) / LINE;
	char *d = dst;

	memset(d, value, head);
	lines(d + head, value, whole);
	head += whole * LINE;
	memset(d + head, value, count - head);
}

#define KERNEL(isa, reader)                                                              \
	static void isa##_copy(void *dst, const void *src, size_t count)                 \
	{                                                                                \
		copy_by(copy_##isa, dst, src, count);                                    \
	}                                                                                \
	static void isa##_copy_pieces(void *dst, const void *src, size_t count)          \
	{                                                                                \
		copy_by(pieces_##isa, dst, src, count);                                  \
	}                                                                                \
	static void isa##_copy_uncached(void *dst, const void *src, size_t count)        \
	{                                                                                \
		read_by(reader, dst, src, count);                                        \
	}                                                                                \
	static void isa##_fill(void *dst, int value, size_t count)                       \
	{                                                                                \
		fill_by(fill_##isa, dst, value, count);                                  \
	}                                                                                \
	static const struct kernel kernel_##isa = {#isa, isa##_copy, isa##_copy_pieces,  \
						   isa##_copy_uncached, isa##_fill}

KERNEL(avx512, read_avx512);
KERNEL(avx2, read_avx2);
KERNEL(sse2, read_sse2); /* streaming loads came with SSE4.1 */

static void sse41_copy_uncached(void *dst, const void *src, size_t count)
{
	read_by(read_sse41, dst, src, count);
}

static const struct kernel kernel_sse41 = {"sse4.1", sse2_copy, sse2_copy_pieces,
					   sse41_copy_uncached, sse2_fill};

static void find_kernels(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		here[nr_here++] = &kernel_avx512;
	if (__builtin_cpu_supports("avx2"))
		here[nr_here++] = &kernel_avx2;
	if (__builtin_cpu_supports("sse4.1"))
		here[nr_here++] = &kernel_sse41;
	here[nr_here++] = &kernel_sse2;
}

#elif defined(__aarch64__)

/* Pairs of 16 bytes with the hint that they are not used again. */
static void neon_copy(void *dst, const void *src, size_t count)
{
	size_t head = head_of(dst, count);
	const char *s = src;
	char *d = dst;

	memcpy(d, s, head);
	d += head;
	s += head;
	for (count -= head; count >= LINE; count -= LINE) {
		__asm__ volatile("ldnp q0, q1, [%1]\n\t"
				 "ldnp q2, q3, [%1, #32]\n\t"
				 "stnp q0, q1, [%0]\n\t"
				 "stnp q2, q3, [%0, #32]"
				 :
				 : "r"(d), "r"(s)
				 : "memory", "v0", "v1", "v2", "v3");
		d += LINE;
		s += LINE;
	}
	memcpy(d, s, count);
}

static void neon_fill(void *dst, int value, size_t count)
{
	size_t head = head_of(dst, count);
	char *d = dst;

	memset(d, value, head);
	d += head;
	for (count -= head; count >= LINE; count -= LINE) {
		__asm__ volatile("dup v0.16b, %w1\n\t"
				 "stnp q0, q0, [%0]\n\t"
				 "stnp q0, q0, [%0, #32]"
				 :
				 : "r"(d), "r"(value)
				 : "memory", "v0");
		d += LINE;
	}
	memset(d, value, count);
}

static const struct kernel kernel_neon = {"neon", neon_copy, neon_copy, neon_copy,
					  neon_fill};

static void find_kernels(void)
{
	here[nr_here++] = &kernel_neon;
}

#else

static void plain_copy(void *dst, const void *src, size_t count)
{
	memcpy(dst, src, count);
}

static void plain_fill(void *dst, int value, size_t count)
{
	memset(dst, value, count);
}

static const struct kernel kernel_plain = {"plain", plain_copy, plain_copy, plain_copy,
					   plain_fill};

static void find_kernels(void)
{
	here[nr_here++] = &kernel_plain;
}

#endif

const struct kernel *const *kernels_here(size_t *n)
{
	pthread_once(&once, find_kernels);
	*n = nr_here;
	return here;
}
