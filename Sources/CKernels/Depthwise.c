#include "CKernels.h"
#include "Parallel.h"

struct job {
  graft_depthwise shape;
  float *dw;
  const float *x, *dy;
};

#define INLINE static inline __attribute__((always_inline))

// The output columns for which a column of the window lies inside the image.
INLINE void inside(const graft_depthwise *s, size_t kw, size_t *first, size_t *last) {
  size_t shift = kw * s->dilation[1];
  *first = shift >= s->before[1] ? 0 : (s->before[1] - shift + s->strides[1] - 1) / s->strides[1];
  size_t end = s->columns + s->before[1] > shift ? (s->columns + s->before[1] - shift + s->strides[1] - 1) / s->strides[1] : 0;
  *last = end < s->output_columns ? end : s->output_columns;
}

// One row of the output against one row of the input, for output columns at which one column of the window is inside.
INLINE void column_of_window(float *dw, const float *x, const float *dy, const graft_depthwise *s, size_t kw,
                             size_t first, size_t last, const int width) {
  float sum[16] = {0};
  const float *start = x + (kw * s->dilation[1] - s->before[1]) * (size_t)width;
  for (size_t ow = first; ow < last; ow++) {
    const float *a = start + ow * s->strides[1] * width, *b = dy + ow * width;
    for (int c = 0; c < width; c++) sum[c] += a[c] * b[c];
  }
  for (int c = 0; c < width; c++) dw[kw * width + c] += sum[c];
}

// The same for output columns at which the whole window is inside: each gradient is loaded once for all its columns.
INLINE void whole_window(float *dw, const float *x, const float *dy, const graft_depthwise *s, size_t first,
                         size_t last, const int width, const int size) {
  float sum[7][16] = {{0}};
  const float *start = x - s->before[1] * (size_t)width;
  for (size_t ow = first; ow < last; ow++) {
    const float *a = start + ow * s->strides[1] * width, *b = dy + ow * width;
    for (int kw = 0; kw < size; kw++)
      for (int c = 0; c < width; c++) sum[kw][c] += a[kw * s->dilation[1] * width + c] * b[c];
  }
  for (int kw = 0; kw < size; kw++)
    for (int c = 0; c < width; c++) dw[kw * width + c] += sum[kw][c];
}

INLINE void one_block(const struct job *j, size_t block, const int width, const int known_size) {
  const graft_depthwise *s = &j->shape;
  const size_t size = known_size ? (size_t)known_size : s->size[1];
  float *dw = j->dw + block * s->size[0] * size * width;
  for (size_t i = 0; i < s->size[0] * size * width; i++) dw[i] = 0;
  size_t all_first = 0, all_last = s->output_columns;
  for (size_t kw = 0; kw < size; kw++) {
    size_t first, last;
    inside(s, kw, &first, &last);
    all_first = first > all_first ? first : all_first;
    all_last = last < all_last ? last : all_last;
  }
  if (all_last < all_first || !known_size) all_last = all_first = 0;
  for (size_t n = 0; n < s->samples; n++)
    for (size_t oh = 0; oh < s->output_rows; oh++)
      for (size_t kh = 0; kh < s->size[0]; kh++) {
        size_t row = oh * s->strides[0] + kh * s->dilation[0];
        if (row < s->before[0] || row - s->before[0] >= s->rows) continue;
        const float *x = j->x + ((n * s->blocks + block) * s->rows + row - s->before[0]) * s->columns * width;
        const float *dy = j->dy + ((n * s->blocks + block) * s->output_rows + oh) * s->output_columns * width;
        float *target = dw + kh * size * width;
        if (known_size && all_first < all_last) whole_window(target, x, dy, s, all_first, all_last, width, known_size);
        for (size_t kw = 0; kw < size; kw++) {
          size_t first, last;
          inside(s, kw, &first, &last);
          if (all_first >= all_last) {
            column_of_window(target, x, dy, s, kw, first, last, width);
          } else {
            column_of_window(target, x, dy, s, kw, first, all_first, width);
            column_of_window(target, x, dy, s, kw, all_last, last, width);
          }
        }
      }
}

GRAFT_CLONES static void blocks_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const size_t size = j->shape.size[1];
  for (size_t block = begin; block < end; block++) {
    if (j->shape.width == 8) {
      if (size == 3) one_block(j, block, 8, 3);
      else if (size == 5) one_block(j, block, 8, 5);
      else if (size == 7) one_block(j, block, 8, 7);
      else one_block(j, block, 8, 0);
    } else {
      if (size == 3) one_block(j, block, 16, 3);
      else if (size == 5) one_block(j, block, 16, 5);
      else if (size == 7) one_block(j, block, 16, 7);
      else one_block(j, block, 16, 0);
    }
  }
}

void graft_depthwise_kernel_gradient(float *dw, const float *x, const float *dy, graft_depthwise shape) {
  struct job j = {shape, dw, x, dy};
  graft_parallel(shape.blocks, 1, blocks_range, &j);
}

// MARK: All gradients at once

struct backward {
  graft_depthwise shape;
  float *dx, *dw, *db, *scratch;
  const float *x, *w, *dy;
  graft_bounded x_mask, y_mask;
};

// Rows of the output's gradient are kept as they meet the input: as far apart as the window's strides, zeros between and
// beside them. Then every pixel of the input has a gradient for every column of the window, and borders need no thought.
struct rows {
  size_t left;    // columns of zeros before the first gradient
  size_t length;  // numbers of a row
  size_t count;   // rows that one row of the input meets
};

static struct rows rows_of(const graft_depthwise *s) {
  size_t reach = (s->size[1] - 1) * s->dilation[1];
  size_t left = reach > s->before[1] ? reach - s->before[1] : 0;
  size_t of_input = s->columns + s->before[1], of_output = (s->output_columns - 1) * s->strides[1] + 1;
  return (struct rows){.left = left,
                       .length = (left + (of_input > of_output ? of_input : of_output)) * s->width,
                       .count = (s->size[0] - 1) * s->dilation[0] / s->strides[0] + 1};
}

// Vectors as long as a block, at addresses as of single numbers.
typedef float block_of_8 __attribute__((vector_size(32), aligned(4)));
typedef float block_of_16 __attribute__((vector_size(64), aligned(4)));
typedef int bits_of_8 __attribute__((vector_size(32)));
typedef int bits_of_16 __attribute__((vector_size(64)));

// The numbers of x over which a bounded value lies between its bounds, zeros elsewhere.
#define BETWEEN(x, value, bounds) ((BLOCK)((BITS)(x) & ((value) > (bounds).low) & ((value) < (bounds).high)))

#define BLOCK block_of_8
#define BITS bits_of_8
#define NAMED(name) name##_8
#include "DepthwiseLoops.h"
#undef BLOCK
#undef BITS
#undef NAMED

#define BLOCK block_of_16
#define BITS bits_of_16
#define NAMED(name) name##_16
#include "DepthwiseLoops.h"
#undef BLOCK
#undef BITS
#undef NAMED

bool graft_depthwise_has_backward(graft_depthwise s) {
  bool has_width = s.width == 8 || s.width == 16, has_size = s.size[1] == 3 || s.size[1] == 5 || s.size[1] == 7;
  return has_width && has_size && s.columns > 0 && s.output_columns > 0;
}

size_t graft_depthwise_backward_scratch(graft_depthwise s) {
  const struct rows r = rows_of(&s);
  return s.blocks * (r.count * r.length + s.columns * s.width);
}

void graft_depthwise_backward(float *dx, float *dw, float *db, const float *x, graft_bounded x_mask, const float *w,
                              const float *dy, graft_bounded y_mask, graft_depthwise shape, float *scratch) {
  struct backward j = {shape, dx, dw, db, scratch, x, w, dy, x_mask, y_mask};
  graft_parallel(shape.blocks, 1, shape.width == 8 ? backward_range_8 : backward_range_16, &j);
}
