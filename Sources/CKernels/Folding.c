#include "CKernels.h"
#include "Parallel.h"

struct table {
  float *y;
  const float *a, *b, *scale;
  size_t rows, columns;
  bool accumulate;
};

GRAFT_CLONES static void scale_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * j.columns;
    float *y = j.y + row * j.columns;
    if (j.accumulate && j.scale)
      for (size_t c = 0; c < j.columns; c++) y[c] += x[c] * j.scale[c];
    else if (j.accumulate)
      for (size_t c = 0; c < j.columns; c++) y[c] += x[c];
    else if (j.scale)
      for (size_t c = 0; c < j.columns; c++) y[c] = x[c] * j.scale[c];
    else
      for (size_t c = 0; c < j.columns; c++) y[c] = x[c];
  }
}

void graft_scale_columns_into(float *y, const float *x, const float *scale, size_t rows, size_t columns,
                              bool accumulate) {
  struct table j = {.y = y, .a = x, .scale = scale, .rows = rows, .columns = columns, .accumulate = accumulate};
  graft_parallel(rows, 1 + 8192 / (1 + columns), scale_range, &j);
}

void graft_scale_columns(float *y, const float *x, const float *scale, size_t rows, size_t columns) {
  graft_scale_columns_into(y, x, scale, rows, columns, false);
}

// A part of the columns at a time, whose sums fit into the first-level cache.
enum { tile = 512 };

struct unfolding {
  float *g;
  const float *other, *w, *scale;
  float *dots;
  size_t rows, columns;
};

GRAFT_CLONES static void unfold_range(const void *context, size_t begin, size_t end) {
  const struct unfolding j = *(const struct unfolding *)context;
  size_t last = end * 16 < j.columns ? end * 16 : j.columns;
  for (size_t first = begin * 16; first < last; first += tile) {
    size_t count = last - first < tile ? last - first : tile;
    float total[tile] = {0};
    for (size_t top = 0; top < j.rows; top += 64) {
      size_t bottom = top + 64 < j.rows ? top + 64 : j.rows;
      float sum[tile] = {0};
      for (size_t row = top; row < bottom; row++) {
        float *restrict g = j.g + row * j.columns + first;
        if (j.other) {
          const float *restrict other = j.other + row * j.columns + first;
          for (size_t c = 0; c < count; c++) g[c] += other[c];
        }
        if (j.dots) {
          const float *restrict w = j.w + row * j.columns + first;
          for (size_t c = 0; c < count; c++) sum[c] += g[c] * w[c];
        }
        if (j.scale) {
          const float *restrict scale = j.scale + first;
          for (size_t c = 0; c < count; c++) g[c] *= scale[c];
        }
      }
      for (size_t c = 0; c < count; c++) total[c] += sum[c];
    }
    if (j.dots)
      for (size_t c = 0; c < count; c++) j.dots[first + c] = total[c];
  }
}

void graft_unfold(float *g, const float *other, const float *w, const float *scale, float *dots, size_t rows,
                  size_t columns) {
  struct unfolding j = {g, other, w, scale, dots, rows, columns};
  graft_parallel((columns + 15) / 16, 1 + 1024 / (1 + rows), unfold_range, &j);
}

// Columns are cut into strips, so that threads write apart and every sum runs down its column in order.
enum { strip = 16 };

GRAFT_CLONES static void dots_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t item = begin; item < end; item++) {
    size_t first = item * strip, count = j.columns - first < strip ? j.columns - first : strip;
    float total[strip] = {0};
    for (size_t top = 0; top < j.rows; top += 64) {
      size_t bottom = top + 64 < j.rows ? top + 64 : j.rows;
      float sum[strip] = {0};
      for (size_t row = top; row < bottom; row++)
        for (size_t c = 0; c < count; c++)
          sum[c] += j.a[row * j.columns + first + c] * j.b[row * j.columns + first + c];
      for (size_t c = 0; c < count; c++) total[c] += sum[c];
    }
    for (size_t c = 0; c < count; c++) j.y[first + c] = total[c];
  }
}

void graft_column_dots(float *dots, const float *a, const float *b, size_t rows, size_t columns) {
  struct table j = {.y = dots, .a = a, .b = b, .rows = rows, .columns = columns};
  graft_parallel((columns + strip - 1) / strip, 1 + 512 / (1 + rows), dots_range, &j);
}
