/* SPDX-License-Identifier: MIT */
/* Numbers of 16 bits: IEEE half precision, and the upper half of a float. Pure. */
#ifndef LIB_FLOAT16_H
#define LIB_FLOAT16_H

#include <stdint.h>
#include <string.h>

#define HALF_EXPONENT 0x7c00U
#define HALF_FRACTION 0x03ffU

static inline uint32_t float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline float float_of(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline float half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
	uint32_t exponent = (half & HALF_EXPONENT) >> 10;
	uint32_t fraction = half & HALF_FRACTION;

	if (exponent == 31)
		return float_of(sign | 0x7f800000U | fraction << 13);
	if (exponent)
		return float_of(sign | (exponent + 112) << 23 | fraction << 13);
	/* Subnormal: so many units of 2^-24. */
	return float_of(sign | float_bits((float)fraction * 0x1p-24f));
}

/* To the nearest, the even one of two; what is too large becomes infinite. */
static inline uint16_t float_to_half(float value)
{
	uint32_t bits = float_bits(value);
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000U);
	uint32_t size = bits & 0x7fffffffU;

	if (size > 0x7f800000U)
		return sign | HALF_EXPONENT | 0x0200U | (uint16_t)(size >> 13 & 0x1ffU);
	if (size >= 0x47800000U)
		return sign | HALF_EXPONENT;
	if (size < 0x38800000U) {
		/* The sum has the subnormal's units as its last bits, rounded. */
		float units = float_of(size) + 0.5f;

		return sign | (uint16_t)(float_bits(units) - float_bits(0.5f));
	}
	size += 0x0fffU + (size >> 13 & 1U);
	return sign | (uint16_t)((size - 0x38000000U) >> 13);
}

static inline float bfloat_to_float(uint16_t bfloat)
{
	return float_of((uint32_t)bfloat << 16);
}

static inline uint16_t float_to_bfloat(float value)
{
	uint32_t bits = float_bits(value);

	if ((bits & 0x7fffffffU) > 0x7f800000U)
		return (uint16_t)(bits >> 16 | 0x40U);
	return (uint16_t)((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

#endif /* LIB_FLOAT16_H */
