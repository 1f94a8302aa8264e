// Pixels at equal distances.
#include "Blocks.h"

struct job {
  graft_sampling shape;
  float *to;
  const float *from, *others;
  graft_bounded mask;
};

GRAFT_CLONES static void take_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_sampling *s = &j->shape;
  const size_t line = s->columns * s->width, step = s->strides[1] * s->width;
  float *y = j->to + begin * s->output_rows * s->output_columns * s->width;
  for (size_t image = begin; image < end; image++)
    for (size_t row = 0; row < s->output_rows; row++) {
      const float *x = j->from + (image * s->rows + row * s->strides[0]) * line;
      for (size_t column = 0; column < s->output_columns; column++, x += step, y += s->width)
        for (size_t i = 0; i < s->width; i += WIDTH) STORE(y + i, LOAD(x + i));
    }
}

// One row of the way back; dy is NULL where no pixel of it was taken.
INLINE void put_row(float *dx, const float *dy, const float *others, const float *known, const graft_sampling *s,
                    const block *low, const block *high) {
  for (size_t column = 0, place = 0; column < s->columns; column++) {
    const bool is_taken = dy && column % s->strides[1] == 0 && column / s->strides[1] < s->output_columns;
    for (size_t i = 0; i < s->width; i += WIDTH, place += WIDTH) {
      block value = others ? LOAD(others + place) : (block){0};
      if (is_taken) value += LOAD(dy + i);
      if (known) {
        const block there = LOAD(known + place);
        value = (block)((bits)value & (there > *low) & (there < *high));
      }
      STORE(dx + place, value);
    }
    if (is_taken) dy += s->width;
  }
}

GRAFT_CLONES static void put_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_sampling *s = &j->shape;
  const size_t line = s->columns * s->width, output_line = s->output_columns * s->width;
  const block low = (block){0} + j->mask.low, high = (block){0} + j->mask.high;
  for (size_t image = begin; image < end; image++)
    for (size_t row = 0; row < s->rows; row++) {
      const size_t place = (image * s->rows + row) * line, output_row = row / s->strides[0];
      const bool is_taken = row % s->strides[0] == 0 && output_row < s->output_rows;
      const float *dy = is_taken ? j->from + (image * s->output_rows + output_row) * output_line : NULL;
      const float *others = j->others ? j->others + place : NULL;
      if (!dy && !others) memset(j->to + place, 0, line * sizeof *j->to);
      else put_row(j->to + place, dy, others, j->mask.values ? j->mask.values + place : NULL, s, &low, &high);
    }
}

void graft_sample(float *y, const float *x, graft_sampling shape) {
  struct job j = {.shape = shape, .to = y, .from = x};
  graft_parallel(shape.images, 1, take_range, &j);
}

void graft_sample_gradient(float *dx, const float *dy, const float *others, graft_bounded mask, graft_sampling shape) {
  struct job j = {.shape = shape, .to = dx, .from = dy, .others = others, .mask = mask};
  graft_parallel(shape.images, 1, put_range, &j);
}
