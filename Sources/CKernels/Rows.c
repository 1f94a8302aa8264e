#include "CKernels.h"
#include "Parallel.h"
#include <math.h>
#include <string.h>

struct rows {
  void *y;
  const void *x;
  size_t y_strides[2], x_strides[2], counts[2], row;
  size_t size;  // of a number in bytes
};

static void rows_range(const void *context, size_t begin, size_t end) {
  const struct rows *j = context;
  for (size_t item = begin; item < end; item++) {
    size_t outer = item / j->counts[1], inner = item % j->counts[1];
    memcpy((char *)j->y + (outer * j->y_strides[0] + inner * j->y_strides[1]) * j->size,
           (const char *)j->x + (outer * j->x_strides[0] + inner * j->x_strides[1]) * j->size, j->row * j->size);
  }
}

void graft_copy_rows(void *y, const size_t y_strides[2], const void *x, const size_t x_strides[2],
                     const size_t counts[2], size_t row, graft_type type) {
  struct rows j = {y,   x, {y_strides[0], y_strides[1]}, {x_strides[0], x_strides[1]}, {counts[0], counts[1]},
                   row, type == graft_bf16 ? 2 : 4};
  graft_parallel(counts[0] * counts[1], 1 + 8192 / (1 + row), rows_range, &j);
}

struct slicing {
  float *target;
  const float *source;
  graft_slice slice;
  bool puts;
};

static void slicing_range(const void *context, size_t begin, size_t end) {
  const struct slicing j = *(const struct slicing *)context;
  const graft_slice s = j.slice;
  for (size_t outer = begin; outer < end; outer++)
    for (size_t place = 0; place < s.count; place++) {
      size_t small = (outer * s.count + place) * s.inner;
      size_t large = (outer * s.extent + (size_t)(s.start + (ptrdiff_t)place * s.step)) * s.inner;
      float *target = j.target + (j.puts ? large : small);
      const float *source = j.source + (j.puts ? small : large);
      if (s.inner == 1)
        *target = *source;
      else
        memcpy(target, source, s.inner * sizeof(float));
    }
}

void graft_slice_take(float *y, const float *x, graft_slice slice) {
  struct slicing j = {y, x, slice, false};
  graft_parallel(slice.outer, 1 + 8192 / (1 + slice.count * slice.inner), slicing_range, &j);
}

void graft_slice_put(float *x, const float *y, graft_slice slice) {
  struct slicing j = {x, y, slice, true};
  graft_parallel(slice.outer, 1 + 8192 / (1 + slice.count * slice.inner), slicing_range, &j);
}

struct box {
  float *y;
  const float *a, *b;
  size_t ys[4], as[4], bs[4], counts[4];
  bool multiply, accumulate;
};

GRAFT_CLONES static void box_range(const void *context, size_t begin, size_t end) {
  const struct box *j = context;
  for (size_t outer = begin; outer < end; outer++)
    for (size_t h = 0; h < j->counts[1]; h++)
      for (size_t w = 0; w < j->counts[2]; w++) {
        float *y = j->y + outer * j->ys[0] + h * j->ys[1] + w * j->ys[2];
        const float *a = j->a + outer * j->as[0] + h * j->as[1] + w * j->as[2];
        const float *b = j->b + outer * j->bs[0] + h * j->bs[1] + w * j->bs[2];
        for (size_t c = 0; c < j->counts[3]; c++) {
          float p = a[c * j->as[3]], q = b[c * j->bs[3]], v = j->multiply ? p * q : p + q;
          y[c * j->ys[3]] = j->accumulate ? y[c * j->ys[3]] + v : v;
        }
      }
}

void graft_broadcast(float *y, const size_t y_strides[4], const float *a, const size_t a_strides[4], const float *b,
                     const size_t b_strides[4], const size_t counts[4], bool multiply, bool accumulate) {
  struct box j = {.y = y, .a = a, .b = b, .multiply = multiply, .accumulate = accumulate};
  memcpy(j.ys, y_strides, sizeof j.ys);
  memcpy(j.as, a_strides, sizeof j.as);
  memcpy(j.bs, b_strides, sizeof j.bs);
  memcpy(j.counts, counts, sizeof j.counts);
  if (accumulate)
    box_range(&j, 0, counts[0]);
  else
    graft_parallel(counts[0], 1 + 8192 / (1 + counts[1] * counts[2] * counts[3]), box_range, &j);
}

struct table {
  float *y;
  const float *a, *b;
  size_t columns;
};

static void softmax_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * j.columns;
    float *y = j.y + row * j.columns, top = x[0];
    for (size_t c = 1; c < j.columns; c++) top = x[c] > top ? x[c] : top;
    double sum = 0;
    for (size_t c = 0; c < j.columns; c++) sum += y[c] = expf(x[c] - top);
    float factor = (float)(1 / sum);
    GRAFT_EACH
    for (size_t c = 0; c < j.columns; c++) y[c] *= factor;
  }
}

void graft_softmax(float *y, const float *x, size_t rows, size_t columns) {
  struct table j = {y, x, NULL, columns};
  graft_parallel(rows, 1 + 1024 / (1 + columns), softmax_range, &j);
}

static void softmax_gradient_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *dy = j.a + row * j.columns, *y = j.b + row * j.columns;
    float *dx = j.y + row * j.columns;
    double dot = 0;
    for (size_t c = 0; c < j.columns; c++) dot += (double)dy[c] * y[c];
    GRAFT_EACH
    for (size_t c = 0; c < j.columns; c++) dx[c] = y[c] * (dy[c] - (float)dot);
  }
}

void graft_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t columns) {
  struct table j = {dx, dy, y, columns};
  graft_parallel(rows, 1 + 1024 / (1 + columns), softmax_gradient_range, &j);
}
