// The two types of number that loops run on: a loop is written once in a header and compiled for each.
#ifndef GRAFT_NUMBERS_H
#define GRAFT_NUMBERS_H

#include <stdint.h>
#include <string.h>

#define GRAFT_INLINE static inline __attribute__((always_inline))

// bfloat16: the upper half of a single-precision number.
GRAFT_INLINE float graft_load_bf16(uint16_t x) {
  uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Rounded to the nearest, ties to even; what is no number stays none.
GRAFT_INLINE uint16_t graft_store_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, none = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? none : rounded);
}

#define GRAFT_JOIN(a, b) a##b
#define GRAFT_JOINED(a, b) GRAFT_JOIN(a, b)

#endif
