// What the loops of convolutions over blocks of channels have in common. A file that includes this is compiled for blocks
// of eight channels, and by a file that includes it in turn for blocks of sixteen.
#ifndef GRAFT_BLOCKS_H
#define GRAFT_BLOCKS_H

#include "Convolutions.h"
#include "Parallel.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))
// Loops whose counts are known, over accumulators that are to stay in registers.
#define UNROLLED _Pragma("clang loop unroll(full)")

#ifndef WIDTH
#define WIDTH 8
#endif
// The name of a function for blocks of this width.
#define JOIN(name, width) name##_##width
#define JOINED(name, width) JOIN(name, width)
#define NAMED(name) JOINED(name, WIDTH)

// The channels of a block as the compiler's vector type, at addresses as of single numbers; the same as whole numbers.
typedef float block __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int bits __attribute__((vector_size(4 * WIDTH)));

// In functions that are compiled for several processors no vector may be passed by value: these are macros.
#define LOAD(address) (*(const block *)(address))
#define STORE(address, value) (*(block *)(address) = (value))

// Whether the loops are compiled for registers of that width that the processor multiplies and adds at once.
static inline bool runs_here(void) {
#if defined(GRAFT_HAS_CLONES) && WIDTH == 16
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512cd") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return false;
#elif defined(GRAFT_HAS_CLONES)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return false;
#elif WIDTH == 16 && !defined(__AVX512F__)
  return false;
#elif defined(__x86_64__) && !(defined(__AVX2__) && defined(__FMA__))
  return false;
#endif
  return true;
}

// Whether the loops run here and all channels lie in whole blocks.
static inline bool fills_blocks(graft_convolution s) {
  return runs_here() && s.inputs % WIDTH == 0 && s.outputs % WIDTH == 0;
}

// What comes after sum and bias: the other branch, and a cut, by bounds or by what the value itself was cut to before.
INLINE void end(float *y, const block *sum, const graft_ending *ending, size_t place) {
  block value = *sum;
  if (ending->residual) value += LOAD(ending->residual + place);
  const block low = (block){0} + ending->low, high = (block){0} + ending->high;
  // What is no number stays none.
  value = (block)(((bits)low & (value < low)) | ((bits)value & ~(value < low)));
  value = (block)(((bits)high & (value > high)) | ((bits)value & ~(value > high)));
  if (ending->mask.values) {
    const block known = LOAD(ending->mask.values + place);
    value = (block)((bits)value & (known > ending->mask.low) & (known < ending->mask.high));
  }
  STORE(y + place, value);
}

// Rows and columns exchanged: in each round one bit of the row's number changes places with the same of the column's.
INLINE void transpose(block rows[WIDTH]) {
  UNROLLED for (int bit = 1; bit < WIDTH; bit *= 2)
    UNROLLED for (int i = 0; i < WIDTH; i++) {
      if (i & bit) continue;
      const block a = rows[i], b = rows[i | bit];
      UNROLLED for (int k = 0; k < WIDTH; k++) {
        rows[i][k] = k & bit ? b[k ^ bit] : a[k];
        rows[i | bit][k] = k & bit ? b[k] : a[k | bit];
      }
    }
}

// Blocks of numbers for each place: the distance of one block from the next, and of one segment of places.
struct blocks {
  const float *numbers;
  size_t count, apart, step;
};

// A tile of products sums[rows][wide·width] (+)= Σ over segments and places of a[place][row]·b[column][place]. As many sums
// as a block has channels keep the multipliers busy and leave registers for the factors: half the channels of a block
// against two blocks, or all of them against one. What the next tile reads of a is called for meanwhile, where `next` says
// where it is.
INLINE void add_tile(float *sums, size_t row, const float *a, size_t a_step, const float *b, const struct blocks *of_b,
                     size_t segments, size_t places, const int rows, const int wide, bool accumulate,
                     const float *next) {
  block sum[WIDTH][2];
  UNROLLED for (int i = 0; i < rows; i++)
    UNROLLED for (int j = 0; j < wide; j++)
      sum[i][j] = accumulate ? LOAD(sums + (size_t)i * row + j * WIDTH) : (block){0};
  for (size_t segment = 0; segment < segments; segment++, a += a_step, b += of_b->step, next += next ? a_step : 0)
    for (size_t place = 0; place < places; place++) {
      if (next) __builtin_prefetch(next + place * WIDTH);
      block factor[2];
      UNROLLED for (int j = 0; j < wide; j++) factor[j] = LOAD(b + (size_t)j * of_b->apart + place * WIDTH);
      UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < wide; j++) sum[i][j] += factor[j] * a[place * WIDTH + i];
    }
  UNROLLED for (int i = 0; i < rows; i++)
    UNROLLED for (int j = 0; j < wide; j++) STORE(sums + (size_t)i * row + j * WIDTH, sum[i][j]);
}

// sums[width·a.count][width·b.count] (+)= Σ over segments and places of a·b. A pair of blocks of b stays in the nearest
// cache while some blocks of a, which stay in the next one, pass by.
INLINE void add_products(float *sums, struct blocks a, struct blocks b, size_t segments, size_t places,
                         bool accumulate) {
  enum { NEAR = 24 };
  const size_t row = b.count * WIDTH;
  for (size_t first = 0; first < a.count; first += NEAR) {
    const size_t last = first + NEAR < a.count ? first + NEAR : a.count;
    for (size_t pair = 0; pair < b.count; pair += 2) {
      const float *with = b.numbers + pair * b.apart;
      for (size_t i = first; i < last; i++) {
        const float *of = a.numbers + i * a.apart, *next = a.numbers + (i + 1 < last ? i + 1 : first) * a.apart;
        float *target = sums + i * WIDTH * row + pair * WIDTH;
        if (pair + 1 == b.count) {
          add_tile(target, row, of, a.step, with, &b, segments, places, WIDTH, 1, accumulate, next);
        } else {
          enum { HALF = WIDTH / 2 };
          add_tile(target, row, of, a.step, with, &b, segments, places, HALF, 2, accumulate, NULL);
          add_tile(target + HALF * row, row, of + HALF, a.step, with, &b, segments, places, HALF, 2, accumulate, next);
        }
      }
    }
  }
}

#endif
