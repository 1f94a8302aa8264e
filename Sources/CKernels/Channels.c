#include "CKernels.h"
#include "Parallel.h"
#include <stdlib.h>

// Rows are the pixels of one block of one sample: width numbers each, [samples][blocks][pixels] of them.
struct channels {
  graft_view view;
  void *y;
  const void *a, *b;
  const float *p, *q, *r;
  float low, high;
  bool accumulate;
  int32_t *where;
};

static size_t row_count(graft_view v) { return v.samples * v.blocks * v.pixels; }

static size_t grain_of(graft_view v) { return 1 + 8192 / (v.width ? v.width : 1); }

// A part is at most this many pixels of one block of one sample; its sums are single precision, their total double.
enum { part_pixels = 128 };

static size_t parts_of(graft_view v) { return (v.pixels + part_pixels - 1) / part_pixels; }

struct sums {
  graft_view view;
  const void *a, *b;
  const float *centre_a, *centre_b;
  float *scratch;
};

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

void graft_channel_sums(const void *a, const void *b, graft_view view, const float *centre_a, const float *centre_b,
                        double *first, double *second, float *scratch, graft_type type) {
  struct sums j = {view, a, b, centre_a, centre_b, scratch};
  size_t parts = parts_of(view), items = view.samples * view.blocks * parts, width = view.width;
  graft_parallel(items, 1 + 64 / (1 + width / 16), LOOP_FOR(type, sums_range), &j);
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

void graft_pixel_spread(void *dx, const float *dg, graft_view view, float factor, bool accumulate, graft_type type) {
  struct channels j = {.view = view, .y = dx, .a = dg, .low = factor, .accumulate = accumulate};
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
