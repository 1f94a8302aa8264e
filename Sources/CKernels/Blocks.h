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
typedef float aligned_block __attribute__((vector_size(4 * WIDTH)));

// In functions that are compiled for several processors no vector may be passed by value: these are macros.
#define LOAD(address) (*(const block *)(address))
#define STORE(address, value) (*(block *)(address) = (value))

// What is not read for long goes past the caches, which would read its lines first; that takes whole lines, at their
// addresses. SETTLE comes after the last of them, before other threads may read.
#if WIDTH == 16 && defined(__x86_64__)
#define STREAM(address, value) __builtin_nontemporal_store((value), (aligned_block *)(address))
#define SETTLE() __builtin_ia32_sfence()
#else
#define STREAM(address, value) STORE(address, value)
#define SETTLE() ((void)0)
#endif

// The numbers of a line of cache.
enum { LINE = 64 / sizeof(float) };

// Calls so many lines of what is read soon to the processor, past its nearest cache, and goes on behind them.
INLINE void call_lines(const float **next, size_t lines) {
  for (; lines > 0; lines--, *next += LINE) __builtin_prefetch(*next, 0, 2);
}

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

// What comes after sum and bias: the other branch, and a cut, by bounds or by what the value itself was cut to before. A
// copy of its own, lest the compiler thinks that results change it.
struct cut {
  const float *residual, *known;
  block low, high, known_low, known_high;
};

INLINE void cut_of(struct cut *cut, const graft_ending *ending) {
  cut->residual = ending->residual;
  cut->known = ending->mask.values;
  cut->low = (block){0} + ending->low;
  cut->high = (block){0} + ending->high;
  cut->known_low = (block){0} + ending->mask.low;
  cut->known_high = (block){0} + ending->mask.high;
}

INLINE void end(float *y, const block *sum, const struct cut *cut, size_t place) {
  block value = *sum;
  if (cut->residual) value += LOAD(cut->residual + place);
  // What is no number stays none.
  value = (block)(((bits)cut->low & (value < cut->low)) | ((bits)value & ~(value < cut->low)));
  value = (block)(((bits)cut->high & (value > cut->high)) | ((bits)value & ~(value > cut->high)));
  if (cut->known) {
    const block known = LOAD(cut->known + place);
    value = (block)((bits)value & (known > cut->known_low) & (known < cut->known_high));
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

// Blocks of numbers for each place: the distance of one block from the next, and of one segment of places; how far behind
// these lie those that are added next, or 0; and the distances of neighbouring places and of rows of places.
struct blocks {
  const float *numbers;
  size_t count, apart, step, ahead;
  size_t place, row;
};

// What add_products does.
struct products {
  float *sums;
  struct blocks a, b;  // the places of b lie side by side
  size_t segments, rows, places;
  bool accumulate;
  float *totals;  // of b, or NULL
};

// So many blocks of b go together: half the channels of a block of a against them are as many sums as there are registers
// for beside the factors.
enum { WIDE = 3 };

// Blocks that are called for: so many of them, one with each place, and as many in each further segment.
struct called {
  const float *numbers;
  size_t count, step;
};

// What a tile calls for meanwhile: what the next one reads of a, and what is added in the next round.
struct calls {
  struct called near, far[2];
};

// sums[rows][wide·width] (+)= Σ over segments and places of a[place][row]·b[column][place], and the totals of b where they
// are wanted. The sums of the next tile are called for too.
INLINE void add_tile(const struct products *p, size_t first_row, size_t first_block, const int rows, const int wide,
                     const struct calls *calls, float *totals) {
  const size_t row = p->b.count * WIDTH;
  float *sums = p->sums + first_row * row + first_block * WIDTH;
  const float *a = p->a.numbers + first_row / WIDTH * p->a.apart + first_row % WIDTH;
  const float *b = p->b.numbers + first_block * p->b.apart;
  struct called near = calls->near, far = calls->far[0], farther = calls->far[1];
  block sum[WIDTH][WIDE], total[WIDE];
  UNROLLED for (int i = 0; i < rows; i++)
    UNROLLED for (int j = 0; j < wide; j++)
      sum[i][j] = p->accumulate ? LOAD(sums + (size_t)i * row + j * WIDTH) : (block){0};
  UNROLLED for (int j = 0; j < wide; j++) total[j] = (block){0};
  UNROLLED for (int i = 0; i < rows; i++)
    UNROLLED for (int j = 0; j < wide; j++) __builtin_prefetch(sums + (size_t)(rows + i) * row + j * WIDTH, 1);
  for (size_t segment = 0; segment < p->segments; segment++) {
    for (size_t line = 0; line < p->rows; line++) {
      const float *a_place = a + line * p->a.row, *b_place = b + line * p->b.row;
      const float *next = near.numbers + line * p->a.row;
      for (size_t place = 0; place < p->places; place++, a_place += p->a.place, b_place += WIDTH, next += p->a.place) {
        if (place < near.count) __builtin_prefetch(next);
        if (place < far.count) __builtin_prefetch(far.numbers + place * WIDTH, 0, 2);
        if (place < farther.count) __builtin_prefetch(farther.numbers + place * WIDTH, 0, 2);
        block factor[WIDE];
        UNROLLED for (int j = 0; j < wide; j++) factor[j] = LOAD(b_place + (size_t)j * p->b.apart);
        if (totals) UNROLLED for (int j = 0; j < wide; j++) total[j] += factor[j];
        UNROLLED for (int i = 0; i < rows; i++)
          UNROLLED for (int j = 0; j < wide; j++) sum[i][j] += factor[j] * a_place[i];
      }
    }
    a += p->a.step, b += p->b.step;
    near.numbers += near.step, far.numbers += far.step, farther.numbers += farther.step;
  }
  UNROLLED for (int i = 0; i < rows; i++)
    UNROLLED for (int j = 0; j < wide; j++) STORE(sums + (size_t)i * row + j * WIDTH, sum[i][j]);
  // To what is there at last only: many small numbers shall not meet one large sum.
  if (totals)
    UNROLLED for (int j = 0; j < wide; j++) STORE(totals + j * WIDTH, LOAD(totals + j * WIDTH) + total[j]);
}

// One block of a against some blocks of b: one half of its channels calls for what comes later, the other for what is next.
INLINE void add_block(const struct products *p, size_t block, size_t first, const int wide, const struct calls *calls,
                      float *totals) {
  enum { HALF = WIDTH / 2 };
  const struct calls later = {.far = {calls->far[0], calls->far[1]}}, next = {.near = calls->near};
  if (totals) add_tile(p, block * WIDTH, first, HALF, wide, &later, totals);
  else add_tile(p, block * WIDTH, first, HALF, wide, &later, NULL);
  add_tile(p, block * WIDTH + HALF, first, HALF, wide, &next, NULL);
}

// One of some parts of so many.
INLINE size_t part_of(size_t count, size_t part, size_t parts) { return count * part / parts; }

// A part of the places of a block.
INLINE struct called called_part(const struct blocks *of, const float *block, size_t places, size_t part, size_t parts) {
  const size_t begin = part_of(places, part, parts);
  return (struct called){block + begin * WIDTH, part_of(places, part + 1, parts) - begin, of->step};
}

// What is called for while block i of those from first on to last is added to group `group` of `groups`: of a what takes
// its place in the next round, a part with each group; of b the same group, of each block a part with some blocks of a.
INLINE struct calls calls_of(const struct products *p, size_t i, size_t first, size_t last, size_t group, size_t groups) {
  const struct blocks *a = &p->a, *b = &p->b;
  const size_t round = last - first, next = i + 1 < last ? i + 1 : first;
  struct calls calls = {.near = {a->numbers + next * a->apart, p->places, a->step}};
  if (p->rows > 1) return calls;
  if (i + round < a->count) {
    calls.far[0] = called_part(a, a->numbers + (i + round) * a->apart, p->places, group, groups);
  } else if (last == a->count && a->ahead > 0) {
    calls.far[0] = called_part(a, a->numbers + a->ahead + (i - first) * a->apart, p->places, group, groups);
    const size_t begin = part_of(b->count, group, groups), wide = part_of(b->count, group + 1, groups) - begin;
    const size_t block = part_of(wide, i - first, round);
    const size_t from = (block * round + wide - 1) / wide, to = ((block + 1) * round + wide - 1) / wide;
    calls.far[1] = called_part(b, b->numbers + b->ahead + (begin + block) * b->apart, p->places, i - first - from, to - from);
  }
  return calls;
}

// sums[width·a.count][width·b.count] (+)= Σ over segments and places of a·b, and totals[width·b.count] += Σ b. Some blocks
// of b stay in the nearest cache while some blocks of a, which stay in the next one, pass by.
INLINE void add_products(const struct products *p) {
  enum { NEAR = 24 };
  const size_t groups = (p->b.count + WIDE - 1) / WIDE;
  for (size_t first = 0; first < p->a.count; first += NEAR) {
    const size_t last = first + NEAR < p->a.count ? first + NEAR : p->a.count;
    for (size_t group = 0; group < groups; group++) {
      const size_t begin = part_of(p->b.count, group, groups);
      for (size_t i = first; i < last; i++) {
        const struct calls calls = calls_of(p, i, first, last, group, groups);
        float *totals = p->totals && i == 0 ? p->totals + begin * WIDTH : NULL;
        switch (part_of(p->b.count, group + 1, groups) - begin) {
          case 3: add_block(p, i, begin, 3, &calls, totals); break;
          case 2: add_block(p, i, begin, 2, &calls, totals); break;
          default: add_block(p, i, begin, 1, &calls, totals); break;
        }
      }
    }
  }
}

#endif
