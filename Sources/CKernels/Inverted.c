// Inverted residuals: a window of one by one that makes channels more, a depthwise one, one of one by one that makes them
// fewer. Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018.
//
// A few rows are taken through all three before the next ones, so that the many channels in between never leave the
// processor. Rows that the depthwise window still needs are kept in a ring, with zeros on both sides of each.
//
// For blocks of sixteen only: with the half as wide registers of AVX2 the primitives one after another take as long.
#define WIDTH 16
#include "Stem.h"

// So many results of a row of the depthwise window at a time; the sides of usual images are multiples of it.
enum { COLUMNS = 7 };
// Results that are worth reading the kernels for.
enum { WORTH = 56 };

// MARK: What is done

// Each step is a function of its own for each processor: all tiles of all steps in one take minutes to compile.

struct job {
  graft_inverted shape;
  graft_inverted_kernels kernels;
  graft_stem stem;
  bool has_stem;
  float *y;
  const float *x, *residual;
  float *scratch;
  size_t workers;
};

// How rows lie in a worker's scratch, in numbers unless it says otherwise.
struct strips {
  size_t rows;          // of results, that are taken through at a time
  size_t count;         // strips of a sample
  size_t slots;         // rows of the ring
  size_t row_of_block;  // of the ring, zeros on both sides included
  size_t row;           // of all blocks
  size_t between;       // of one block, from the depthwise window to the kernel behind it
};

INLINE struct strips strips_of(const graft_inverted *s) {
  struct strips t;
  t.rows = (WORTH + s->output_columns - 1) / s->output_columns;
  if (t.rows > s->output_rows) t.rows = s->output_rows;
  t.count = (s->output_rows + t.rows - 1) / t.rows;
  t.slots = (t.rows - 1) * s->stride + s->size;
  const size_t of_results = (s->output_columns + COLUMNS - 1) / COLUMNS * COLUMNS;
  const size_t read = (of_results - 1) * s->stride + s->size, written = s->left + s->columns;
  t.row_of_block = (read > written ? read : written) * WIDTH;
  t.row = t.row_of_block * (s->expanded / WIDTH);
  t.between = (t.rows * s->output_columns + COLUMNS) * WIDTH;
  return t;
}

// The ring, a row of zeros, what the depthwise window makes, and what a stem sees for one row.
static size_t scratch_of_worker(const graft_inverted *s, const graft_stem *stem) {
  const struct strips t = strips_of(s);
  const size_t seen = stem ? stem->size[0] * stem_row(stem) + WIDTH : 0;
  return (t.slots + 1) * t.row + t.between * (s->expanded / WIDTH) + WIDTH + seen;
}

size_t graft_inverted_scratch(graft_inverted s, const graft_stem *stem, size_t workers) {
  return workers * scratch_of_worker(&s, stem);
}

// Rows `first` up to `last` of what a stem makes of a picture into the ring; `seen` is zero beside the picture.
GRAFT_CLONES static void put_stem(const struct job *j, const struct strips *t, float *ring, float *seen, size_t sample,
                                  size_t first, size_t last) {
  const graft_inverted *s = &j->shape;
  const graft_stem *stem = &j->stem;
  const float *picture = j->x + sample * stem->rows * stem->columns * stem->channels;
  const size_t blocks = s->expanded / WIDTH;
  for (size_t row = first; row < last; row++) {
    for (size_t kh = 0; kh < stem->size[0]; kh++)
      stem_put_row(seen + kh * stem_row(stem), stem, picture, row * stem->strides[0] + kh);
    struct pointwise p = {.w = j->kernels.expand, .y = ring, .to_block = t->row_of_block,
                          .ending = {.low = s->low[0], .high = s->high[0]}};
    for (size_t panel = 0; panel < panels_of(blocks); panel++) {
      const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
      p.bias = j->kernels.expand_bias ? j->kernels.expand_bias + begin * WIDTH : NULL;
      stem_results(&p, stem, seen, row % t->slots * t->row + begin * t->row_of_block + s->left * WIDTH, wide);
      p.w += p.channels * wide * WIDTH;
    }
  }
}

// Rows of an input in blocks into the ring, with the channels made more, where rows are so wide that no tile goes over their
// ends.
GRAFT_CLONES static void expand_rows(const struct job *j, const struct strips *t, float *ring, const float *x,
                                     size_t first, size_t last) {
  const graft_inverted *s = &j->shape;
  const size_t blocks = s->expanded / WIDTH, together = pixels_together(s->columns);
  struct pointwise p = {.pixel = WIDTH, .block = s->block, .channels = s->inputs, .w = j->kernels.expand, .y = ring,
                        .to_block = t->row_of_block, .ending = {.low = s->low[0], .high = s->high[0]}};
  for (size_t panel = 0; panel < panels_of(blocks); panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    p.bias = j->kernels.expand_bias + begin * WIDTH;
    for (size_t row = first; row < last; row++) {
      p.x = x + row * s->columns * WIDTH;
      p.place[0] = row % t->slots * t->row + begin * t->row_of_block + s->left * WIDTH;
      for (size_t column = 0; column < s->columns; column += together) {
        if (together == PIXELS) pointwise_blocks(&p, WIDTH, PLAIN, PIXELS, wide);
        else pointwise_blocks(&p, WIDTH, PLAIN, 7, wide);
        p.x += together * WIDTH, p.place[0] += together * WIDTH;
      }
    }
    p.w += s->inputs * wide * WIDTH;
  }
}

// Rows `first` up to `last` of the input into the ring, with the channels made more.
GRAFT_CLONES static void expand(const struct job *j, const struct strips *t, float *ring, size_t sample, size_t first,
                                size_t last) {
  const graft_inverted *s = &j->shape;
  const float *x = j->x + sample * s->sample;
  const size_t blocks = s->expanded / WIDTH;
  if (!j->kernels.expand) {
    for (size_t row = first; row < last; row++)
      for (size_t b = 0; b < blocks; b++) {
        const float *from = x + b * s->block + row * s->columns * s->pixel;
        float *to = ring + row % t->slots * t->row + b * t->row_of_block + s->left * WIDTH;
        for (size_t c = 0; c < s->columns; c++) STORE(to + c * WIDTH, LOAD(from + c * s->pixel));
      }
    return;
  }
  if (s->pixel == WIDTH && (s->columns % PIXELS == 0 || s->columns % 7 == 0)) {
    expand_rows(j, t, ring, x, first, last);
    return;
  }
  struct pointwise p = {.pixel = s->pixel, .block = s->block, .channels = s->inputs, .w = j->kernels.expand, .y = ring,
                        .to_block = t->row_of_block, .ending = {.low = s->low[0], .high = s->high[0]}};
  const size_t all = last * s->columns, together = pixels_together(all - first * s->columns);
  for (size_t panel = 0; panel < panels_of(blocks); panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    p.bias = j->kernels.expand_bias + begin * WIDTH;
    size_t row = first, column = 0, place = 0;
    for (size_t pixel = first * s->columns, count; pixel < all; pixel += count) {
      count = pixels_next(all - pixel, together);
      for (size_t i = 0; i < count; i++, place += WIDTH) {
        if (column == 0) place = row++ % t->slots * t->row + begin * t->row_of_block + s->left * WIDTH;
        p.place[i] = place;
        if (++column == s->columns) column = 0;
      }
      p.x = x + pixel * s->pixel;
      pointwise(&p, WIDTH, ANY, count, wide);
    }
    p.w += s->inputs * wide * WIDTH;
  }
}

// One row of results of the depthwise window, for one block.
INLINE void depthwise_row(float *to, const float *const *rows, const float *w, const block *bias, size_t columns,
                          const struct cut *cut, const int size, const int stride) {
  for (size_t column = 0; column < columns; column += COLUMNS, to += COLUMNS * WIDTH) {
    block sum[COLUMNS];
    UNROLLED for (int i = 0; i < COLUMNS; i++) sum[i] = *bias;
    for (int kh = 0; kh < size; kh++) {
      const float *from = rows[kh] + column * (size_t)stride * WIDTH;
      block factor[5];
      UNROLLED for (int kw = 0; kw < size; kw++) factor[kw] = LOAD(w + (kh * size + kw) * WIDTH);
      UNROLLED for (int c = 0; c < (COLUMNS - 1) * stride + size; c++) {
        const block value = LOAD(from + c * WIDTH);
        UNROLLED for (int kw = 0; kw < size; kw++) {
          const int place = c - kw;
          if (place >= 0 && place % stride == 0 && place / stride < COLUMNS) sum[place / stride] += value * factor[kw];
        }
      }
    }
    UNROLLED for (size_t i = 0; i < COLUMNS; i++) end(to, &sum[i], cut, i * WIDTH);
  }
}

// The depthwise window over `count` rows of results from `first` on.
GRAFT_CLONES static void depthwise(const struct job *j, const struct strips *t, const float *ring, float *between,
                                   size_t first, size_t count) {
  const graft_inverted *s = &j->shape;
  const float *zeros = ring + t->slots * t->row;
  const graft_ending ending = {.low = s->low[1], .high = s->high[1]};
  struct cut cut;
  cut_of(&cut, &ending);
  for (size_t b = 0; b < s->expanded / WIDTH; b++) {
    const float *w = j->kernels.depthwise + b * s->size * s->size * WIDTH;
    const block bias = LOAD(j->kernels.depthwise_bias + b * WIDTH);
    for (size_t r = 0; r < count; r++) {
      const float *rows[5];
      for (size_t kh = 0; kh < s->size; kh++) {
        const size_t row = (first + r) * s->stride + kh;
        const bool inside = row >= s->top && row - s->top < s->rows;
        rows[kh] = inside ? ring + (row - s->top) % t->slots * t->row + b * t->row_of_block : zeros;
      }
      float *to = between + b * t->between + r * s->output_columns * WIDTH;
      if (s->size == 3 && s->stride == 1) depthwise_row(to, rows, w, &bias, s->output_columns, &cut, 3, 1);
      else if (s->size == 3) depthwise_row(to, rows, w, &bias, s->output_columns, &cut, 3, 2);
      else if (s->stride == 1) depthwise_row(to, rows, w, &bias, s->output_columns, &cut, 5, 1);
      else depthwise_row(to, rows, w, &bias, s->output_columns, &cut, 5, 2);
    }
  }
}

// The channels of `count` rows of results made fewer.
GRAFT_CLONES static void project(const struct job *j, const struct strips *t, const float *between, size_t sample,
                                 size_t first, size_t count) {
  const graft_inverted *s = &j->shape;
  const size_t blocks = blocks_of(s->outputs), image = s->output_rows * s->output_columns * WIDTH;
  struct pointwise p = {.pixel = WIDTH, .block = t->between, .channels = s->expanded, .w = j->kernels.project, .y = j->y,
                        .to_block = image,
                        .ending = {.residual = j->residual, .low = s->low[2], .high = s->high[2]}};
  const size_t pixels = count * s->output_columns, together = pixels_together(pixels);
  for (size_t panel = 0; panel < panels_of(blocks); panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    p.bias = j->kernels.project_bias + begin * WIDTH;
    const size_t place = (sample * blocks + begin) * image + first * s->output_columns * WIDTH;
    for (size_t pixel = 0, next; pixel < pixels; pixel += next) {
      next = pixels_next(pixels - pixel, together);
      p.place[0] = place + pixel * WIDTH;
      p.x = between + pixel * WIDTH;
      if (j->residual) pointwise(&p, WIDTH, ROW, next, wide);
      else pointwise(&p, WIDTH, PLAIN, next, wide);
    }
    p.w += s->expanded * wide * WIDTH;
  }
}

GRAFT_CLONES static void strips_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_inverted *s = &j->shape;
  const struct strips t = strips_of(s);
  for (size_t worker = begin; worker < end; worker++) {
    const size_t scratch = scratch_of_worker(s, j->has_stem ? &j->stem : NULL);
    float *ring = j->scratch + worker * scratch, *between = ring + (t.slots + 1) * t.row;
    float *seen = between + t.between * (s->expanded / WIDTH) + WIDTH;
    memset(ring, 0, scratch * sizeof *ring);
    const size_t all = s->samples * t.count, last = all * (worker + 1) / j->workers;
    size_t known = 0;  // rows of this sample that are in the ring or have been
    for (size_t strip = all * worker / j->workers; strip < last; strip++) {
      const size_t sample = strip / t.count, first = strip % t.count * t.rows;
      const size_t count = s->output_rows - first < t.rows ? s->output_rows - first : t.rows;
      const size_t top = first * s->stride, bottom = (first + count - 1) * s->stride + s->size;
      size_t from = top > s->top ? top - s->top : 0, to = bottom > s->top ? bottom - s->top : 0;
      if (first > 0 && known > from) from = known;
      if (to > s->rows) to = s->rows;
      if (from < to && j->has_stem) put_stem(j, &t, ring, seen, sample, from, to);
      else if (from < to) expand(j, &t, ring, sample, from, to);
      known = strip % t.count + 1 == t.count ? 0 : to;
      depthwise(j, &t, ring, between, first, count);
      project(j, &t, between, sample, first, count);
    }
  }
}

bool graft_inverted_is_fast(graft_inverted s) {
  const bool has_window = (s.size == 3 || s.size == 5) && (s.stride == 1 || s.stride == 2);
  return s.width == WIDTH && runs_here() && has_window && s.expanded % WIDTH == 0 && s.columns > 0 && s.output_columns > 0;
}

void graft_inverted_residual(float *y, const float *x, const float *residual, graft_inverted_kernels kernels,
                             graft_inverted shape, const graft_stem *stem, float *scratch, size_t workers) {
  struct job j = {.shape = shape, .kernels = kernels, .has_stem = stem, .y = y, .x = x, .residual = residual,
                  .scratch = scratch, .workers = workers};
  if (stem) j.stem = *stem;
  graft_parallel(workers, 1, strips_range, &j);
}
