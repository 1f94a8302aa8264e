#include "CKernels.h"
#include "Parallel.h"
#include <stdlib.h>
#include <string.h>

// Rows are the pixels of one block of one sample: width numbers each, [samples][blocks][pixels] of them.
struct channels {
  graft_view view;
  void *y;
  const void *a, *b;
  const float *p, *q, *r, *scale, *shift;
  float low, high;
  bool accumulate;
  int32_t *where;
};

static size_t row_count(graft_view v) { return v.samples * v.blocks * v.pixels; }

static size_t grain_of(graft_view v) { return 1 + 8192 / (v.width ? v.width : 1); }

// A part is at most this many pixels of one block of one sample; its sums are single precision, their total double.
enum { part_pixels = 128 };

static size_t parts_of(graft_view v) { return (v.pixels + part_pixels - 1) / part_pixels; }

static size_t part_length(graft_view v, size_t part) {
  size_t rest = v.pixels - part * part_pixels;
  return rest < part_pixels ? rest : part_pixels;
}

struct sums {
  graft_view view;
  const void *a, *b;
  const float *centre_a, *centre_b;
  float *scratch;
  const float *scale, *shift;
  float low, high;
};

// The first channel of the block that a row belongs to; last becomes the first row of the next one, or end.
static inline size_t first_channel(graft_view v, size_t row, size_t end, size_t *last) {
  size_t run = row / v.pixels;
  *last = (run + 1) * v.pixels < end ? (run + 1) * v.pixels : end;
  return run % v.blocks * v.width;
}

// Runs a call in which width is a constant where it is that of a block: what it loops over stays in registers then.
#define FOR_WIDTH(WIDTH, CALL)                                                                                         \
  do {                                                                                                                 \
    if ((WIDTH) == 8) {                                                                                                \
      const size_t width = 8;                                                                                          \
      CALL;                                                                                                            \
    } else if ((WIDTH) == 16) {                                                                                        \
      const size_t width = 16;                                                                                         \
      CALL;                                                                                                            \
    } else {                                                                                                           \
      const size_t width = (WIDTH);                                                                                    \
      CALL;                                                                                                            \
    }                                                                                                                  \
  } while (0)

// Two sums for each column, of width columns: for a block in sum and products by themselves, else where they are wanted.
#define COLUMN_SUMS(FIRST, SECOND)                                                                                     \
  float own[2][16];                                                                                                    \
  const bool is_block = width == 8 || width == 16;                                                                     \
  float *restrict sum = is_block ? own[0] : (FIRST), *restrict products = is_block ? own[1] : (SECOND);                \
  for (size_t c = 0; c < width; c++) sum[c] = products[c] = 0

#define KEEP_COLUMN_SUMS(FIRST, SECOND)                                                                                \
  if (is_block) {                                                                                                      \
    memcpy((FIRST), sum, width * sizeof *sum);                                                                         \
    memcpy((SECOND), products, width * sizeof *products);                                                              \
  }

#define LOOPS "ChannelsLoops.h"
#include "ForEachNumber.h"

void graft_channel_affine(void *y, const void *x, graft_view view, const float *scale, const float *shift, float low,
                          float high, graft_type type) {
  struct channels j = {.view = view, .y = y, .a = x, .p = scale, .q = shift, .low = low, .high = high};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, affine_range), &j);
}

void graft_channel_combine(void *y, const void *a, const void *b, graft_view view, const float *p, const float *q,
                           const float *r, graft_type type) {
  struct channels j = {.view = view, .y = y, .a = a, .b = b, .p = p, .q = q, .r = r};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, combine_range), &j);
}

size_t graft_channel_sums_scratch(graft_view v) { return v.samples * v.blocks * parts_of(v) * v.width * 2; }

static size_t part_count(graft_view v) { return v.samples * v.blocks * parts_of(v); }

static size_t part_grain(graft_view v) { return 1 + 64 / (1 + v.width / 16); }

// Adds the sums of all parts up, in order.
static void total(const float *scratch, graft_view view, double *first, double *second) {
  size_t parts = parts_of(view), items = part_count(view), width = view.width;
  for (size_t c = 0; c < view.blocks * width; c++) first[c] = 0;
  if (second)
    for (size_t c = 0; c < view.blocks * width; c++) second[c] = 0;
  for (size_t item = 0; item < items; item++) {
    size_t block = item / parts % view.blocks * width;
    const float *one = scratch + item * width * 2, *two = one + width;
    for (size_t c = 0; c < width; c++) first[block + c] += one[c];
    if (second)
      for (size_t c = 0; c < width; c++) second[block + c] += two[c];
  }
}

void graft_channel_sums(const void *a, const void *b, graft_view view, const float *centre_a, const float *centre_b,
                        double *first, double *second, float *scratch, graft_type type) {
  struct sums j = {.view = view, .a = a, .b = b, .centre_a = centre_a, .centre_b = centre_b, .scratch = scratch};
  graft_parallel(part_count(view), part_grain(view), LOOP_FOR(type, sums_range), &j);
  total(scratch, view, first, second);
}

void graft_masked_channel_sums(const void *dy, const void *x, graft_view view, const float *centre, graft_mask mask,
                               double *first, double *second, float *scratch, graft_type type) {
  struct sums j = {view, dy, x, NULL, centre, scratch, mask.scale, mask.shift, mask.low, mask.high};
  graft_parallel(part_count(view), part_grain(view), LOOP_FOR(type, masked_sums_range), &j);
  total(scratch, view, first, second);
}

void graft_masked_channel_combine(void *y, const void *dy, const void *x, graft_view view, graft_mask mask,
                                  const float *p, const float *q, const float *r, graft_type type) {
  struct channels j = {.view = view, .y = y, .a = dy, .b = x, .p = p, .q = q, .r = r, .scale = mask.scale,
                       .shift = mask.shift, .low = mask.low, .high = mask.high};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, masked_combine_range), &j);
}

void graft_channel_moments(const void *x, graft_view view, double *mean, double *squares, float *scratch,
                           graft_type type) {
  struct sums j = {.view = view, .a = x, .scratch = scratch};
  graft_parallel(part_count(view), part_grain(view), LOOP_FOR(type, moments_range), &j);
  size_t parts = parts_of(view), width = view.width;
  for (size_t block = 0; block < view.blocks; block++) {
    double *m = mean + block * width, *s = squares + block * width, seen = 0;
    for (size_t c = 0; c < width; c++) m[c] = s[c] = 0;
    for (size_t sample = 0; sample < view.samples; sample++)
      for (size_t part = 0; part < parts; part++) {
        const float *one = scratch + ((sample * view.blocks + block) * parts + part) * width * 2, *two = one + width;
        double count = (double)part_length(view, part), share = count / (seen + count);
        for (size_t c = 0; c < width; c++) {
          double step = one[c] - m[c];
          m[c] += step * share;
          s[c] += two[c] + step * step * seen * share;
        }
        seen += count;
      }
  }
}

// MARK: One number for each channel of each sample

static size_t run_count(graft_view v) { return v.samples * v.blocks; }

static size_t run_grain(graft_view v) { return 1 + 8192 / (1 + v.width * v.pixels); }

void graft_pixel_mean(float *g, const void *x, graft_view view, graft_type type) {
  struct channels j = {.view = view, .y = g, .a = x, .low = 1 / (float)view.pixels};
  graft_parallel(run_count(view), run_grain(view), LOOP_FOR(type, mean_range), &j);
}

void graft_pixel_sum(float *dg, const void *dy, graft_view view, bool accumulate, graft_type type) {
  struct channels j = {.view = view, .y = dg, .a = dy, .low = 1, .accumulate = accumulate};
  graft_parallel(run_count(view), run_grain(view), LOOP_FOR(type, mean_range), &j);
}

void graft_pixel_spread(void *dx, const float *dg, const void *values, float low, float high, graft_view view,
                        float factor, graft_type type) {
  struct channels j = {.view = view, .y = dx, .a = dg, .b = values, .p = &factor, .low = low, .high = high};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, spread_range), &j);
}

void graft_pixel_maximum(float *g, int32_t *where, const void *x, graft_view view, graft_type type) {
  struct channels j = {.view = view, .y = g, .a = x, .where = where};
  graft_parallel(run_count(view), run_grain(view), LOOP_FOR(type, maximum_range), &j);
}

void graft_pixel_maximum_gradient(void *dx, const float *dg, const int32_t *where, graft_view view, graft_type type) {
  struct channels j = {.view = view, .y = dx, .a = dg, .where = (int32_t *)where};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, maximum_gradient_range), &j);
}

void graft_gate(void *y, const void *x, const float *g, graft_view view, bool accumulate, graft_type type) {
  struct channels j = {.view = view, .y = y, .a = x, .b = g, .accumulate = accumulate};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, gate_range), &j);
}

void graft_pixel_add(void *y, const void *x, const float *g, graft_view view, graft_type type) {
  struct channels j = {.view = view, .y = y, .a = x, .b = g};
  graft_parallel(row_count(view), grain_of(view), LOOP_FOR(type, pixel_add_range), &j);
}

void graft_gate_gradient(float *dg, const void *dy, const void *x, graft_view view, bool accumulate, graft_type type) {
  struct channels j = {.view = view, .y = dg, .a = dy, .b = x, .accumulate = accumulate};
  graft_parallel(run_count(view), run_grain(view), LOOP_FOR(type, gate_gradient_range), &j);
}
