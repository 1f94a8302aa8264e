// Convolutions of several pixels with strides, on images in blocks of sixteen channels: for each pixel of the window a
// product of matrices, as for windows of one by one. Their sums meet in the results, which stay near the processor.
#define WIDTH 16
#include "Pointwise.h"

enum { MOST_TAPS = 25 };

// One pixel of the window: its kernel, the source of the grid's first result, and which results have a source at all.
struct tap {
  size_t kernel;
  ptrdiff_t row, column;
  size_t first_row, last_row, first_column, last_column;
};

// Results at equal distances that the same pixels of the window belong to.
struct grid {
  size_t row, column;    // of the first
  size_t rows, columns;  // how many
  size_t step[2];        // from one to the next
  size_t source_step[2];
  size_t count;
  struct tap taps[MOST_TAPS];
};

struct images {
  size_t rows, columns;
};

// Which of so many results at steps from `first` on lie within an image.
INLINE void cut_range(size_t *begin, size_t *end, ptrdiff_t first, size_t step, size_t count, size_t extent) {
  const ptrdiff_t by = (ptrdiff_t)step, room = (ptrdiff_t)extent - 1 - first;
  *begin = first < 0 ? (size_t)((-first + by - 1) / by) : 0;
  *end = room < 0 ? 0 : (size_t)(room / by) + 1;
  if (*end > count) *end = count;
  if (*begin > *end) *begin = *end;
}

INLINE bool is_whole(const struct grid *g, const struct tap *t) {
  return t->first_row == 0 && t->last_row == g->rows && t->first_column == 0 && t->last_column == g->columns;
}

// Adds a pixel of the window whose source of the first result is given.
static void add_tap(struct grid *g, size_t kernel, ptrdiff_t row, ptrdiff_t column, struct images source) {
  struct tap *t = &g->taps[g->count++];
  *t = (struct tap){.kernel = kernel, .row = row, .column = column};
  cut_range(&t->first_row, &t->last_row, row, g->source_step[0], g->rows, source.rows);
  cut_range(&t->first_column, &t->last_column, column, g->source_step[1], g->columns, source.columns);
}

// Puts a pixel that all results have at one end of the list, if there is one between two places.
static bool put_whole(struct grid *g, size_t first, size_t last, size_t place) {
  for (size_t i = first; i < last; i++) {
    if (!is_whole(g, &g->taps[i])) continue;
    const struct tap found = g->taps[i];
    g->taps[i] = g->taps[place];
    g->taps[place] = found;
    return true;
  }
  return false;
}

// All results of the way there. The first pixel of the window begins them and the last ends them: both are in all windows.
static bool grid_of_results(struct grid *g, const graft_strided *s) {
  const graft_convolution *i = &s->images;
  *g = (struct grid){.rows = i->output_rows, .columns = i->output_columns, .step = {1, 1},
                     .source_step = {s->strides[0], s->strides[1]}};
  for (size_t kernel = 0; kernel < s->size[0] * s->size[1]; kernel++)
    add_tap(g, kernel, (ptrdiff_t)(kernel / s->size[1]) - (ptrdiff_t)i->top,
            (ptrdiff_t)(kernel % s->size[1]) - (ptrdiff_t)i->left, (struct images){i->rows, i->columns});
  return put_whole(g, 0, g->count, 0) && put_whole(g, 1, g->count, g->count - 1);
}

// Those pixels of the image whose row and column leave the same rests, on the way back.
static bool grid_of_pixels(struct grid *g, const graft_strided *s, size_t row, size_t column) {
  const graft_convolution *i = &s->images;
  const ptrdiff_t by[2] = {(ptrdiff_t)s->strides[0], (ptrdiff_t)s->strides[1]};
  *g = (struct grid){.row = row, .column = column, .rows = (i->rows - row + s->strides[0] - 1) / s->strides[0],
                     .columns = (i->columns - column + s->strides[1] - 1) / s->strides[1],
                     .step = {s->strides[0], s->strides[1]}, .source_step = {1, 1}};
  for (size_t kernel = 0; kernel < s->size[0] * s->size[1]; kernel++) {
    const ptrdiff_t down = (ptrdiff_t)(row + i->top) - (ptrdiff_t)(kernel / s->size[1]);
    const ptrdiff_t right = (ptrdiff_t)(column + i->left) - (ptrdiff_t)(kernel % s->size[1]);
    if (down % by[0] == 0 && right % by[1] == 0)
      add_tap(g, kernel, down / by[0], right / by[1], (struct images){i->output_rows, i->output_columns});
  }
  return put_whole(g, 0, g->count, 0);
}

bool graft_strided_is_fast(graft_strided s) {
  const graft_convolution *i = &s.images;
  struct grid g;
  if (!fills_blocks(*i) || i->width != WIDTH || s.strides[0] * s.strides[1] == 1 || s.size[0] * s.size[1] > MOST_TAPS ||
      i->rows < s.strides[0] || i->columns < s.strides[1] || s.size[0] * s.size[1] == 1 || !grid_of_results(&g, &s))
    return false;
  for (size_t row = 0; row < s.strides[0]; row++)
    for (size_t column = 0; column < s.strides[1]; column++)
      if (!grid_of_pixels(&g, &s, row, column)) return false;
  return true;
}

size_t graft_strided_kernel_count(graft_strided s, bool back) {
  const size_t inputs = back ? s.images.outputs : s.images.inputs, outputs = back ? s.images.inputs : s.images.outputs;
  return s.size[0] * s.size[1] * graft_panels_count(inputs, outputs);
}

void graft_strided_pack(float *panels, const float *w, const float *scale, graft_strided s, bool back) {
  const size_t inputs = s.images.inputs, outputs = s.images.outputs;
  for (size_t kernel = 0; kernel < s.size[0] * s.size[1]; kernel++) {
    float *to = panels + kernel * inputs * outputs;
    if (back) graft_panels_pack_back(to, w + kernel * inputs * outputs, scale, inputs, outputs);
    else graft_panels_pack(to, w + kernel * inputs * outputs, scale, inputs, outputs);
  }
}

struct job {
  const struct grid *grid;
  size_t samples, inputs, outputs;
  struct images source, target;
  graft_ending ending;
  float *y;
  const float *x, *panels;
  size_t samples_at_once, rows_at_once, parts;
};

// So many bytes of the source stay near the processor while the kernels pass by.
enum { NEAR = 512 << 10 };

// What becomes of the sums once a pixel of the window has been added.
INLINE graft_ending ending_of(const struct job *j, size_t tap) {
  graft_ending ending = j->ending;
  ending.bias = NULL;
  if (tap > 0) ending.residual = j->y;
  if (tap + 1 < j->grid->count) ending.low = -__builtin_inff(), ending.high = __builtin_inff();
  return ending;
}

// One row of results, and one pixel of the window.
INLINE void add_row(struct pointwise *p, const struct job *j, const struct tap *t, size_t sample, size_t row, size_t begin,
                    size_t wide, size_t together) {
  const struct grid *g = j->grid;
  const size_t x_image = j->source.rows * j->source.columns, y_image = j->target.rows * j->target.columns;
  const ptrdiff_t x_row = t->row + (ptrdiff_t)(row * g->source_step[0]);
  const float *x = j->x + (sample * (j->inputs / WIDTH) * x_image + (size_t)x_row * j->source.columns) * WIDTH;
  const size_t y_row = (sample * (j->outputs / WIDTH) + begin) * y_image + (g->row + row * g->step[0]) * j->target.columns;
  for (size_t column = t->first_column, next; column < t->last_column; column += next) {
    next = pixels_next(t->last_column - column, together);
    p->x = x + (t->column + (ptrdiff_t)(column * g->source_step[1])) * WIDTH;
    for (size_t i = 0; i < next; i++) p->place[i] = (y_row + g->column + (column + i) * g->step[1]) * WIDTH;
    if (g->step[1] == 1) pointwise(p, WIDTH, ROW, next, wide);
    else pointwise(p, WIDTH, ANY, next, wide);
  }
}

GRAFT_CLONES static void rows_range(const void *context, size_t first_portion, size_t last_portion) {
  const struct job *j = context;
  const struct grid *g = j->grid;
  const size_t blocks = j->outputs / WIDTH, together = pixels_together(g->columns);
  struct pointwise p = {.pixel = g->source_step[1] * WIDTH, .block = j->source.rows * j->source.columns * WIDTH,
                        .channels = j->inputs, .y = j->y, .to_block = j->target.rows * j->target.columns * WIDTH};
  for (size_t portion = first_portion; portion < last_portion; portion++) {
    const size_t sample = portion / j->parts * j->samples_at_once, row = portion % j->parts * j->rows_at_once;
    const size_t last_sample = sample + j->samples_at_once < j->samples ? sample + j->samples_at_once : j->samples;
    const size_t last_row = row + j->rows_at_once < g->rows ? row + j->rows_at_once : g->rows;
    for (size_t panel = 0; panel < panels_of(blocks); panel++) {
      const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
      for (size_t tap = 0; tap < g->count; tap++) {
        const struct tap *t = &g->taps[tap];
        const size_t from = row > t->first_row ? row : t->first_row, to = last_row < t->last_row ? last_row : t->last_row;
        p.w = j->panels + (t->kernel * j->outputs + begin * WIDTH) * j->inputs;
        p.bias = tap == 0 && j->ending.bias ? j->ending.bias + begin * WIDTH : NULL;
        p.ending = ending_of(j, tap);
        for (size_t i = sample; i < last_sample; i++)
          for (size_t r = from; r < to; r++) add_row(&p, j, t, i, r, begin, wide, together);
      }
    }
  }
}

// Shares out samples and rows: some samples together where their images are small, some rows of one where it is large.
static void run(struct job *j) {
  const size_t row_bytes = j->grid->source_step[0] * j->source.columns * j->inputs * sizeof *j->x;
  const size_t rows = NEAR / row_bytes, threads = graft_is_in_lane() ? 1 : (size_t)graft_use_threads(0);
  const size_t each = (j->samples + threads - 1) / threads;
  j->rows_at_once = rows < 4 ? 4 : rows < j->grid->rows ? rows : j->grid->rows;
  j->parts = (j->grid->rows + j->rows_at_once - 1) / j->rows_at_once;
  j->samples_at_once = j->parts > 1 ? 1 : rows / j->grid->rows < each ? rows / j->grid->rows : each;
  if (j->samples_at_once == 0) j->samples_at_once = 1;
  graft_parallel((j->samples + j->samples_at_once - 1) / j->samples_at_once * j->parts, 1, rows_range, j);
}

void graft_strided_convolve(float *y, const float *x, const float *panels, graft_strided s, graft_ending ending) {
  const graft_convolution *i = &s.images;
  struct grid grid;
  grid_of_results(&grid, &s);
  struct job j = {.grid = &grid, .samples = i->samples, .inputs = i->inputs, .outputs = i->outputs,
                  .source = {i->rows, i->columns}, .target = {i->output_rows, i->output_columns}, .ending = ending, .y = y,
                  .x = x, .panels = panels};
  run(&j);
}

void graft_strided_input_gradient(float *dx, const float *dy, const float *panels, graft_strided s, graft_ending ending) {
  const graft_convolution *i = &s.images;
  struct grid grid;
  struct job j = {.grid = &grid, .samples = i->samples, .inputs = i->outputs, .outputs = i->inputs,
                  .source = {i->output_rows, i->output_columns}, .target = {i->rows, i->columns}, .ending = ending,
                  .y = dx, .x = dy, .panels = panels};
  for (size_t row = 0; row < s.strides[0]; row++)
    for (size_t column = 0; column < s.strides[1]; column++) {
      grid_of_pixels(&grid, &s, row, column);
      run(&j);
    }
}

// MARK: Gradient of the kernel

struct gradient {
  graft_strided shape;
  struct grid grid;
  float *dw, *db;
  const float *x, *dy;
  bool accumulate;
};

// How many results are added up in registers before their sums go to memory.
enum { AT_ONCE = 112 };

// One pixel of the window for some blocks of inputs, and the results of some samples and rows.
INLINE void add_gradient(const struct gradient *j, size_t tap, size_t begin, size_t end, size_t sample, size_t samples,
                         size_t row, size_t last_row, bool adds) {
  const graft_convolution *i = &j->shape.images;
  const struct grid *g = &j->grid;
  const struct tap *t = &g->taps[tap];
  const size_t from = row > t->first_row ? row : t->first_row, to = last_row < t->last_row ? last_row : t->last_row;
  const size_t x_image = i->rows * i->columns * WIDTH, dy_image = i->output_rows * i->output_columns * WIDTH;
  const ptrdiff_t x_row = t->row + (ptrdiff_t)(from * g->source_step[0]);
  const ptrdiff_t x_column = t->column + (ptrdiff_t)(t->first_column * g->source_step[1]);
  const size_t x_start = (size_t)(x_row * (ptrdiff_t)i->columns + x_column) * WIDTH;
  const size_t dy_start = (from * i->output_columns + t->first_column) * WIDTH;
  const struct products p = {
      .sums = j->dw + (t->kernel * i->inputs + begin * WIDTH) * i->outputs,
      .a = {j->x + (sample * (i->inputs / WIDTH) + begin) * x_image + x_start, end - begin, x_image,
            i->inputs / WIDTH * x_image, 0, .place = g->source_step[1] * WIDTH,
            .row = g->source_step[0] * i->columns * WIDTH},
      .b = {j->dy + sample * (i->outputs / WIDTH) * dy_image + dy_start, i->outputs / WIDTH, dy_image,
            i->outputs / WIDTH * dy_image, 0, .row = i->output_columns * WIDTH},
      .segments = samples,
      .rows = to > from ? to - from : 0,
      .places = t->last_column - t->first_column,
      .accumulate = adds,
      .totals = tap == 0 && begin == 0 ? j->db : NULL};
  add_products(&p);
}

GRAFT_CLONES static void gradients_range(const void *context, size_t begin, size_t end) {
  const struct gradient *j = context;
  const graft_convolution *i = &j->shape.images;
  const struct grid *g = &j->grid;
  const size_t pixels = g->rows * g->columns, together = pixels < AT_ONCE ? AT_ONCE / pixels : 1;
  const size_t parts = (pixels + AT_ONCE - 1) / AT_ONCE < g->rows ? (pixels + AT_ONCE - 1) / AT_ONCE : g->rows;
  for (size_t sample = 0; sample < i->samples; sample += together) {
    const size_t samples = i->samples - sample < together ? i->samples - sample : together;
    for (size_t part = 0; part < parts; part++)
      for (size_t tap = 0; tap < g->count; tap++)
        add_gradient(j, tap, begin, end, sample, samples, part_of(g->rows, part, parts), part_of(g->rows, part + 1, parts),
                     j->accumulate || sample > 0 || part > 0);
  }
}

void graft_strided_gradient(float *dw, float *db, const float *x, const float *dy, graft_strided s, bool accumulate) {
  struct gradient j = {.shape = s, .dw = dw, .db = db, .x = x, .dy = dy, .accumulate = accumulate};
  grid_of_results(&j.grid, &s);
  memset(db, 0, s.images.outputs * sizeof *db);
  graft_parallel(s.images.inputs / WIDTH, 1, gradients_range, &j);
}
