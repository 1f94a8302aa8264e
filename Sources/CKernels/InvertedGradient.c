// The way back through an inverted residual: from the gradient of what the last kernel makes to that of what the first one
// reads, and to those of all three kernels.
//
// As on the way there a few rows are taken through all three before the next ones: the gradients of the many channels in
// between never leave the processor, and what these channels were is read once.
#define WIDTH 16
#include "Pointwise.h"

// Rows of pixels that are worth reading the kernels for.
enum { WORTH = 112 };
enum { SIZE = 3 };

struct job {
  graft_inverted shape;
  graft_inverted_way_back way;
  float *scratch;
  bool begun;  // whether the gradients of the kernels have been written to
};

// How rows lie in the scratch, in numbers unless it says otherwise. Rows of the gradient behind the depthwise window are
// kept as they meet its input: as far apart as the strides, zeros between and beside them.
struct strips {
  size_t rows;          // of the depthwise window's input, that are taken through at a time
  size_t fresh_rows;    // of its output, that a strip may ask for
  size_t slots;         // rows that are kept
  size_t zeros;         // pixels of zeros before the first of a row
  size_t row_of_block;  // that is kept
  size_t kept;          // of one block
  size_t fresh;         // of one block
  size_t strip;         // of one block
};

INLINE struct strips strips_of(const graft_inverted *s) {
  struct strips t;
  t.rows = (WORTH + s->columns - 1) / s->columns;
  t.rows = (t.rows + s->stride - 1) / s->stride * s->stride;
  if (t.rows > s->rows) t.rows = s->rows;
  t.fresh_rows = t.rows / s->stride + SIZE;
  if (t.fresh_rows > s->output_rows) t.fresh_rows = s->output_rows;
  t.slots = t.fresh_rows + SIZE;
  t.zeros = SIZE - 1 > s->left ? SIZE - 1 - s->left : 0;
  const size_t of_input = s->columns + s->left, of_output = (s->output_columns - 1) * s->stride + 1;
  t.row_of_block = (t.zeros + (of_input > of_output ? of_input : of_output)) * WIDTH;
  t.kept = t.slots * t.row_of_block;
  t.fresh = t.fresh_rows * s->output_columns * WIDTH;
  t.strip = t.rows * s->columns * WIDTH;
  return t;
}

size_t graft_inverted_backward_scratch(graft_inverted s) {
  const struct strips t = strips_of(&s);
  return s.expanded / WIDTH * (t.kept + t.fresh + t.strip) + WIDTH;
}

// y = x·w over `count` pixels, the blocks of x and y as far apart as it says.
INLINE void products(float *y, size_t y_block, const float *x, size_t x_block, const float *panels, size_t inputs,
                     size_t outputs, size_t count, const graft_ending *ending) {
  struct pointwise p = {.pixel = WIDTH, .block = x_block, .channels = inputs, .w = panels, .y = y, .to_block = y_block,
                        .ending = *ending};
  const size_t together = pixels_together(count), blocks = blocks_of(outputs);
  for (size_t panel = 0; panel < panels_of(blocks); panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    for (size_t pixel = 0, next; pixel < count; pixel += next) {
      next = pixels_next(count - pixel, together);
      p.place[0] = begin * y_block + pixel * WIDTH;
      p.x = x + pixel * WIDTH;
      pointwise(&p, WIDTH, ROW, next, wide);
    }
    p.w += inputs * wide * WIDTH;
  }
}

// A row of gradients into its place, cut by the function behind the window.
INLINE void keep_row(float *row, const float *fresh, const float *known, const graft_inverted *s,
                     const graft_bounded *mask, float *total) {
  const block low = (block){0} + mask->low, high = (block){0} + mask->high;
  const size_t step = s->stride * WIDTH;
  block sum = LOAD(total);
  for (size_t column = 0; column < s->output_columns; column++, row += step, fresh += WIDTH) {
    block value = LOAD(fresh);
    if (mask->values) {
      const block there = LOAD(known + column * WIDTH);
      value = (block)((bits)value & (there > low) & (there < high));
    }
    STORE(row, value);
    sum += value;
  }
  STORE(total, sum);
}

// Gradients behind the window for `count` of its output rows from `first` on, and those of the last kernel.
INLINE void filter_rows(struct job *j, const struct strips *t, size_t sample, size_t first, size_t count) {
  const graft_inverted *s = &j->shape;
  const graft_inverted_way_back *way = &j->way;
  const size_t blocks = s->expanded / WIDTH, image = s->output_rows * s->output_columns * WIDTH;
  const size_t start = first * s->output_columns * WIDTH, pixels = count * s->output_columns;
  float *kept = j->scratch, *fresh = kept + blocks * t->kept;
  const float *dy = way->dy + sample * blocks_of(s->outputs) * image + start;
  const float *filtered = way->filtered + sample * blocks * image + start;
  const struct products of_kernel = {
      .sums = way->project_gradient,
      .a = {filtered, blocks, image, 0, .place = WIDTH},
      .b = {dy, blocks_of(s->outputs), image, 0},
      .segments = 1,
      .rows = 1,
      .places = pixels,
      .accumulate = j->begun,
      .totals = way->project_bias_gradient};
  add_products(&of_kernel);
  const graft_ending plain = {.low = -__builtin_inff(), .high = __builtin_inff()};
  products(fresh, t->fresh, dy, image, way->project_back, s->outputs, s->expanded, pixels, &plain);
  for (size_t b = 0; b < blocks; b++)
    for (size_t row = 0; row < count; row++)
      keep_row(kept + b * t->kept + (first + row) % t->slots * t->row_of_block + t->zeros * WIDTH,
               fresh + b * t->fresh + row * s->output_columns * WIDTH,
               filtered + b * image + row * s->output_columns * WIDTH, s, &way->filtered_mask,
               way->depthwise_bias_gradient + b * WIDTH);
}

// One row of one block of the window's input: what `count` rows of gradients give it, cut by the function before the
// window, and what it gives to as many rows of the window.
INLINE void meet(float *to, const float *values, size_t next, const float *const *gradients, const float *const *w,
                 float *const *dw, size_t columns, const graft_bounded *mask, const int count) {
  block factor[SIZE][SIZE], sum[SIZE][SIZE];
  const block low = (block){0} + mask->low, high = (block){0} + mask->high;
  const bool cuts = mask->values;
  UNROLLED for (int r = 0; r < count; r++)
    UNROLLED for (int k = 0; k < SIZE; k++) {
      factor[r][k] = LOAD(w[r] + k * WIDTH);
      sum[r][k] = (block){0};
    }
  for (size_t i = 0; i < columns * WIDTH; i += WIDTH) {
    __builtin_prefetch(values + next + i);
    const block value = LOAD(values + i);
    block total = {0};
    UNROLLED for (int r = 0; r < count; r++)
      UNROLLED for (int k = 0; k < SIZE; k++) {
        const block there = LOAD(gradients[r] + i - k * WIDTH);
        total += factor[r][k] * there;
        sum[r][k] += value * there;
      }
    if (cuts) total = (block)((bits)total & (value > low) & (value < high));
    STORE(to + i, total);
  }
  UNROLLED for (int r = 0; r < count; r++)
    UNROLLED for (int k = 0; k < SIZE; k++) STORE(dw[r] + k * WIDTH, LOAD(dw[r] + k * WIDTH) + sum[r][k]);
}

// Gradients before the window for its input rows from `first` up to `last`, and those of the window.
INLINE void window_rows(struct job *j, const struct strips *t, size_t sample, size_t first, size_t last) {
  const graft_inverted *s = &j->shape;
  const graft_inverted_way_back *way = &j->way;
  const size_t blocks = s->expanded / WIDTH, line = s->columns * WIDTH, image = s->rows * line;
  const float *kept = j->scratch;
  float *strip = j->scratch + blocks * (t->kept + t->fresh);
  for (size_t b = 0; b < blocks; b++) {
    const float *expanded = way->expanded + (sample * blocks + b) * image;
    const size_t next = b + 1 < blocks ? image : 0;
    for (size_t row = first; row < last; row++) {
      const float *gradients[SIZE], *w[SIZE];
      float *dw[SIZE];
      int count = 0;
      for (size_t kh = 0; kh < SIZE; kh++) {
        const size_t place = row + s->top;
        if (place < kh || (place - kh) % s->stride != 0 || (place - kh) / s->stride >= s->output_rows) continue;
        const size_t slot = (place - kh) / s->stride % t->slots;
        gradients[count] = kept + b * t->kept + slot * t->row_of_block + (t->zeros + s->left) * WIDTH;
        w[count] = way->depthwise + (b * SIZE + kh) * SIZE * WIDTH;
        dw[count++] = way->depthwise_gradient + (b * SIZE + kh) * SIZE * WIDTH;
      }
      float *to = strip + b * t->strip + (row - first) * line;
      const float *values = expanded + row * line;
      switch (count) {
        case 3: meet(to, values, next, gradients, w, dw, s->columns, &way->expanded_mask, 3); break;
        case 2: meet(to, values, next, gradients, w, dw, s->columns, &way->expanded_mask, 2); break;
        case 1: meet(to, values, next, gradients, w, dw, s->columns, &way->expanded_mask, 1); break;
        default: memset(to, 0, line * sizeof *to); break;
      }
    }
  }
}

// From the gradients before the window to that of the input, and to those of the first kernel.
INLINE void input_rows(struct job *j, const struct strips *t, size_t sample, size_t first, size_t last) {
  const graft_inverted *s = &j->shape;
  const graft_inverted_way_back *way = &j->way;
  const size_t blocks = s->expanded / WIDTH, image = s->rows * s->columns * WIDTH;
  const size_t start = sample * blocks_of(s->inputs) * image + first * s->columns * WIDTH;
  const size_t pixels = (last - first) * s->columns;
  const float *strip = j->scratch + blocks * (t->kept + t->fresh);
  const struct products of_kernel = {
      .sums = way->expand_gradient,
      .a = {way->x + start, blocks_of(s->inputs), image, 0, .place = WIDTH},
      .b = {strip, blocks, t->strip, 0},
      .segments = 1,
      .rows = 1,
      .places = pixels,
      .accumulate = j->begun,
      .totals = way->expand_bias_gradient};
  add_products(&of_kernel);
  if (!way->dx) return;
  graft_ending ending = {.residual = way->others ? way->others + start : NULL, .low = -__builtin_inff(),
                         .high = __builtin_inff(), .mask = way->x_mask};
  if (ending.mask.values) ending.mask.values += start;
  products(way->dx + start, image, strip, t->strip, way->expand_back, s->expanded, s->inputs, pixels, &ending);
}

GRAFT_CLONES static void backward_range(const void *context, size_t begin, size_t end) {
  struct job j = *(const struct job *)context;
  const graft_inverted *s = &j.shape;
  const graft_inverted_way_back *way = &j.way;
  const struct strips t = strips_of(s);
  const size_t blocks = s->expanded / WIDTH;
  memset(j.scratch, 0, blocks * t.kept * sizeof *j.scratch);
  memset(way->expand_bias_gradient, 0, s->expanded * sizeof(float));
  memset(way->depthwise_gradient, 0, s->expanded * SIZE * SIZE * sizeof(float));
  memset(way->depthwise_bias_gradient, 0, s->expanded * sizeof(float));
  memset(way->project_bias_gradient, 0, blocks_of(s->outputs) * WIDTH * sizeof(float));
  for (size_t sample = begin; sample < end; sample++) {
    size_t taken = 0;
    for (size_t first = 0; first < s->rows; first += t.rows) {
      const size_t last = first + t.rows < s->rows ? first + t.rows : s->rows;
      size_t reached = (last - 1 + s->top) / s->stride + 1;
      if (reached > s->output_rows) reached = s->output_rows;
      if (reached > taken) filter_rows(&j, &t, sample, taken, reached - taken);
      taken = reached;
      window_rows(&j, &t, sample, first, last);
      input_rows(&j, &t, sample, first, last);
      j.begun = true;
    }
  }
}

bool graft_inverted_has_backward(graft_inverted s) {
  return s.width == WIDTH && runs_here() && s.size == SIZE && (s.stride == 1 || s.stride == 2) && s.top < SIZE &&
         s.left < SIZE && s.expanded % WIDTH == 0 && s.columns > 0 && s.output_columns > 0 && s.output_rows > 0 &&
         // No row of results lies wholly in what is around the image.
         s.output_rows <= (s.rows - 1 + s.top) / s.stride + 1;
}

void graft_inverted_backward(graft_inverted_way_back way, graft_inverted shape, float *scratch) {
  struct job j = {.shape = shape, .way = way, .scratch = scratch};
  backward_range(&j, 0, shape.samples);
}
