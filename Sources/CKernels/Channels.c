#include "CKernels.h"
#include "Parallel.h"
#include <stdlib.h>

// Rows are the pixels of one block of one sample: width numbers each, [samples][blocks][pixels] of them.
struct channels {
  graft_view view;
  float *y;
  const float *a, *b, *p, *q, *r;
  float low, high;
  bool accumulate;
  int32_t *where;
};

static size_t row_count(graft_view v) { return v.samples * v.blocks * v.pixels; }

static size_t grain_of(graft_view v) { return 1 + 8192 / (v.width ? v.width : 1); }

GRAFT_CLONES static void affine_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels, blocks = j.view.blocks;
  size_t row = begin;
  while (row < end) {
    size_t run = row / pixels, last = (run + 1) * pixels < end ? (run + 1) * pixels : end;
    const float *restrict scale = j.p + run % blocks * width, *restrict shift = j.q + run % blocks * width;
    if (width == 1) {
      for (; row < last; row++) {
        float v = j.a[row] * scale[0] + shift[0];
        v = v > j.low ? v : j.low;
        j.y[row] = v < j.high ? v : j.high;
      }
      continue;
    }
    for (; row < last; row++) {
      const float *x = j.a + row * width;
      float *y = j.y + row * width;
      for (size_t c = 0; c < width; c++) {
        float v = x[c] * scale[c] + shift[c];
        v = v > j.low ? v : j.low;
        y[c] = v < j.high ? v : j.high;
      }
    }
  }
}

void graft_channel_affine(float *y, const float *x, graft_view view, const float *scale, const float *shift, float low,
                          float high) {
  struct channels j = {.view = view, .y = y, .a = x, .p = scale, .q = shift, .low = low, .high = high};
  graft_parallel(row_count(view), grain_of(view), affine_range, &j);
}

GRAFT_CLONES static void combine_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels, blocks = j.view.blocks;
  for (size_t row = begin; row < end; row++) {
    size_t block = row / pixels % blocks * width;
    const float *a = j.a + row * width, *b = j.b + row * width;
    const float *p = j.p + block, *q = j.q + block, *r = j.r + block;
    float *y = j.y + row * width;
    for (size_t c = 0; c < width; c++) y[c] = p[c] * a[c] + q[c] * b[c] + r[c];
  }
}

void graft_channel_combine(float *y, const float *a, const float *b, graft_view view, const float *p, const float *q,
                           const float *r) {
  struct channels j = {.view = view, .y = y, .a = a, .b = b, .p = p, .q = q, .r = r};
  graft_parallel(row_count(view), grain_of(view), combine_range, &j);
}

// A part is at most this many pixels of one block of one sample; its sums are single precision, their total double.
enum { part_pixels = 128 };

static size_t parts_of(graft_view v) { return (v.pixels + part_pixels - 1) / part_pixels; }

size_t graft_channel_sums_scratch(graft_view v) { return v.samples * v.blocks * parts_of(v) * v.width * 2; }

struct sums {
  graft_view view;
  const float *a, *b, *centre_a, *centre_b;
  float *scratch;
};

GRAFT_CLONES static void sums_range(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t width = j.view.width, parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, part = item % parts, block = run % j.view.blocks * width;
    size_t first = part * part_pixels;
    size_t last = first + part_pixels < j.view.pixels ? first + part_pixels : j.view.pixels;
    float *restrict one = j.scratch + item * width * 2, *restrict two = one + width;
    for (size_t c = 0; c < width; c++) one[c] = two[c] = 0;
    for (size_t pixel = first; pixel < last; pixel++) {
      const float *a = j.a + (run * j.view.pixels + pixel) * width;
      if (!j.b) {
        if (j.centre_a)
          for (size_t c = 0; c < width; c++) one[c] += a[c] - j.centre_a[block + c];
        else
          for (size_t c = 0; c < width; c++) one[c] += a[c];
        continue;
      }
      const float *b = j.b + (run * j.view.pixels + pixel) * width;
      if (j.centre_a) {
        for (size_t c = 0; c < width; c++) {
          float v = a[c] - j.centre_a[block + c];
          one[c] += v;
          two[c] += v * (b[c] - j.centre_b[block + c]);
        }
      } else if (j.centre_b) {
        for (size_t c = 0; c < width; c++) {
          one[c] += a[c];
          two[c] += a[c] * (b[c] - j.centre_b[block + c]);
        }
      } else {
        for (size_t c = 0; c < width; c++) {
          one[c] += a[c];
          two[c] += a[c] * b[c];
        }
      }
    }
  }
}

void graft_channel_sums(const float *a, const float *b, graft_view view, const float *centre_a, const float *centre_b,
                        double *first, double *second, float *scratch) {
  struct sums j = {view, a, b, centre_a, centre_b, scratch};
  size_t parts = parts_of(view), items = view.samples * view.blocks * parts, width = view.width;
  graft_parallel(items, 1 + 64 / (1 + width / 16), sums_range, &j);
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

GRAFT_CLONES static void mean_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const float *x = j.a + run * pixels * width;
    float *restrict g = j.y + run * width;
    if (width == 1) {
      double sum = 0;
      for (size_t pixel = 0; pixel < pixels; pixel++) sum += x[pixel];
      g[0] = (float)(sum * j.low) + (j.accumulate ? g[0] : 0);
      continue;
    }
    // Sums of sums: the error grows with the root of the number of pixels, not with the number.
    for (size_t start = 0; start < width; start += 64) {
      size_t columns = width - start < 64 ? width - start : 64;
      float total[64] = {0};
      for (size_t first = 0; first < pixels; first += 32) {
        size_t last = first + 32 < pixels ? first + 32 : pixels;
        float sum[64] = {0};
        for (size_t pixel = first; pixel < last; pixel++)
          for (size_t c = 0; c < columns; c++) sum[c] += x[pixel * width + start + c];
        for (size_t c = 0; c < columns; c++) total[c] += sum[c];
      }
      for (size_t c = 0; c < columns; c++)
        g[start + c] = total[c] * j.low + (j.accumulate ? g[start + c] : 0);
    }
  }
}

void graft_pixel_mean(float *g, const float *x, graft_view view) {
  struct channels j = {.view = view, .y = g, .a = x, .low = 1 / (float)view.pixels};
  graft_parallel(run_count(view), run_grain(view), mean_range, &j);
}

void graft_pixel_sum(float *dg, const float *dy, graft_view view, bool accumulate) {
  struct channels j = {.view = view, .y = dg, .a = dy, .low = 1, .accumulate = accumulate};
  graft_parallel(run_count(view), run_grain(view), mean_range, &j);
}

GRAFT_CLONES static void spread_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const float *g = j.a + row / pixels * width;
    float *dx = j.y + row * width;
    if (j.accumulate)
      for (size_t c = 0; c < width; c++) dx[c] += g[c] * j.low;
    else
      for (size_t c = 0; c < width; c++) dx[c] = g[c] * j.low;
  }
}

void graft_pixel_spread(float *dx, const float *dg, graft_view view, float factor, bool accumulate) {
  struct channels j = {.view = view, .y = dx, .a = dg, .low = factor, .accumulate = accumulate};
  graft_parallel(row_count(view), grain_of(view), spread_range, &j);
}

GRAFT_CLONES static void maximum_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const float *x = j.a + run * pixels * width;
    float *g = j.y + run * width;
    int32_t *where = j.where + run * width;
    for (size_t c = 0; c < width; c++) g[c] = x[c], where[c] = 0;
    for (size_t pixel = 1; pixel < pixels; pixel++)
      for (size_t c = 0; c < width; c++) {
        float v = x[pixel * width + c];
        where[c] = v > g[c] ? (int32_t)pixel : where[c];
        g[c] = v > g[c] ? v : g[c];
      }
  }
}

void graft_pixel_maximum(float *g, int32_t *where, const float *x, graft_view view) {
  struct channels j = {.view = view, .y = g, .a = x, .where = where};
  graft_parallel(run_count(view), run_grain(view), maximum_range, &j);
}

GRAFT_CLONES static void maximum_gradient_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    size_t run = row / pixels;
    int32_t pixel = (int32_t)(row % pixels);
    for (size_t c = 0; c < width; c++)
      j.y[row * width + c] = j.where[run * width + c] == pixel ? j.a[run * width + c] : 0;
  }
}

void graft_pixel_maximum_gradient(float *dx, const float *dg, const int32_t *where, graft_view view) {
  struct channels j = {.view = view, .y = dx, .a = dg, .where = (int32_t *)where};
  graft_parallel(row_count(view), grain_of(view), maximum_gradient_range, &j);
}

GRAFT_CLONES static void gate_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * width, *g = j.b + row / pixels * width;
    float *y = j.y + row * width;
    if (j.accumulate)
      for (size_t c = 0; c < width; c++) y[c] += x[c] * g[c];
    else
      for (size_t c = 0; c < width; c++) y[c] = x[c] * g[c];
  }
}

void graft_gate(float *y, const float *x, const float *g, graft_view view, bool accumulate) {
  struct channels j = {.view = view, .y = y, .a = x, .b = g, .accumulate = accumulate};
  graft_parallel(row_count(view), grain_of(view), gate_range, &j);
}

GRAFT_CLONES static void pixel_add_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * width, *g = j.b + row / pixels * width;
    float *y = j.y + row * width;
    for (size_t c = 0; c < width; c++) y[c] = x[c] + g[c];
  }
}

void graft_pixel_add(float *y, const float *x, const float *g, graft_view view) {
  struct channels j = {.view = view, .y = y, .a = x, .b = g};
  graft_parallel(row_count(view), grain_of(view), pixel_add_range, &j);
}

GRAFT_CLONES static void gate_gradient_range(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const float *dy = j.a + run * pixels * width, *x = j.b + run * pixels * width;
    float *restrict dg = j.y + run * width;
    for (size_t start = 0; start < width; start += 64) {
      size_t columns = width - start < 64 ? width - start : 64;
      float total[64] = {0};
      for (size_t first = 0; first < pixels; first += 32) {
        size_t last = first + 32 < pixels ? first + 32 : pixels;
        float sum[64] = {0};
        for (size_t pixel = first; pixel < last; pixel++)
          for (size_t c = 0; c < columns; c++)
            sum[c] += dy[pixel * width + start + c] * x[pixel * width + start + c];
        for (size_t c = 0; c < columns; c++) total[c] += sum[c];
      }
      for (size_t c = 0; c < columns; c++) dg[start + c] = total[c] + (j.accumulate ? dg[start + c] : 0);
    }
  }
}

void graft_gate_gradient(float *dg, const float *dy, const float *x, graft_view view, bool accumulate) {
  struct channels j = {.view = view, .y = dg, .a = dy, .b = x, .accumulate = accumulate};
  graft_parallel(run_count(view), run_grain(view), gate_gradient_range, &j);
}
