// The first convolution of a network: windows over pictures of few channels. Each number of a picture is multiplied by many
// of the kernel, so that there is no need for channels to lie in blocks before there are many.
#define WIDTH 16
#include "Stem.h"

// So many bytes of rows stay near the processor.
enum { NEAR = 32 << 10 };

bool graft_stem_is_fast(graft_stem s) {
  return runs_here() && s.channels <= 4 && s.outputs % WIDTH == 0 && s.output_rows > 0 && s.output_columns > 0 &&
         s.size[0] <= 16 && s.size[1] <= 16;
}

// MARK: The way there

struct job {
  graft_stem shape;
  graft_ending ending;
  float *y, *scratch;
  const float *x, *panels;
  size_t workers;
};

// How many rows of results are taken through at a time, and how many rows of the picture these see.
INLINE size_t strip_of(const graft_stem *s) {
  const size_t most = NEAR / (stem_row(s) * sizeof(float));
  const size_t rows = most > s->size[0] ? (most - s->size[0]) / s->strides[0] + 1 : 1;
  return rows < s->output_rows ? rows : s->output_rows;
}
INLINE size_t rows_seen(const graft_stem *s, size_t rows) { return (rows - 1) * s->strides[0] + s->size[0]; }

static size_t scratch_of_worker(const graft_stem *s) { return rows_seen(s, strip_of(s)) * stem_row(s) + WIDTH; }

size_t graft_stem_scratch(graft_stem s, size_t workers) { return workers * scratch_of_worker(&s); }

GRAFT_CLONES static void strips_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_stem *s = &j->shape;
  const size_t rows = strip_of(s), strips = (s->output_rows + rows - 1) / rows, blocks = s->outputs / WIDTH;
  const size_t image = s->output_rows * s->output_columns * WIDTH, row = stem_row(s);
  for (size_t worker = begin; worker < end; worker++) {
    float *seen = j->scratch + worker * scratch_of_worker(s);
    memset(seen, 0, scratch_of_worker(s) * sizeof *seen);
    const size_t all = s->samples * strips, last = all * (worker + 1) / j->workers;
    for (size_t strip = all * worker / j->workers; strip < last; strip++) {
      const size_t sample = strip / strips, first = strip % strips * rows;
      const size_t count = s->output_rows - first < rows ? s->output_rows - first : rows;
      const float *picture = j->x + sample * s->rows * s->columns * s->channels;
      for (size_t r = 0; r < rows_seen(s, count); r++) stem_put_row(seen + r * row, s, picture, first * s->strides[0] + r);
      struct pointwise p = {.w = j->panels, .y = j->y, .to_block = image, .ending = j->ending};
      for (size_t panel = 0; panel < panels_of(blocks); panel++) {
        const size_t from = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - from;
        p.bias = j->ending.bias ? j->ending.bias + from * WIDTH : NULL;
        for (size_t r = 0; r < count; r++) {
          const size_t place = (sample * blocks + from) * image + (first + r) * s->output_columns * WIDTH;
          stem_results(&p, s, seen + r * s->strides[0] * row, place, wide);
        }
        p.w += p.channels * wide * WIDTH;
      }
    }
  }
}

void graft_stem_forward(float *y, const float *x, const float *panels, graft_stem shape, graft_ending ending,
                        float *scratch, size_t workers) {
  struct job j = {shape, ending, y, scratch, x, panels, workers};
  graft_parallel(workers, 1, strips_range, &j);
}

// MARK: The way back

struct way_back {
  graft_stem shape;
  graft_bounded mask;
  float *dw, *db, *scratch;
  const float *x, *dy;
  size_t workers;
  bool accumulate;
};

// So many numbers of a row of the window at a time, over so many results at least: for fewer it takes longer to fetch and
// put away the sums. More do not stay near the processor.
enum { TALL = 8, WORTH = 112 };

// What some rows of results add to the sums of some numbers of a row of the window, for some blocks.
struct share {
  float *sums;
  const float *x, *g;
  size_t row;            // of the sums
  size_t pixel;          // of x: the distance of neighbours
  size_t next;           // of x: the distance of what two rows of results see
  size_t rows, columns;  // of results
  size_t block;          // of g: the distance of neighbours
  const float *later;    // what is called for meanwhile, or NULL
  bool adds;
};

INLINE void add_share(const struct share *j, const int tall, const int wide) {
  block sum[TALL][WIDE];
  UNROLLED for (int i = 0; i < tall; i++)
    UNROLLED for (int b = 0; b < wide; b++)
      sum[i][b] = j->adds ? LOAD(j->sums + (size_t)i * j->row + b * WIDTH) : (block){0};
  const float *g = j->g, *later = j->later;
  for (size_t r = 0; r < j->rows; r++) {
    const float *x = j->x + r * j->next;
    for (size_t column = 0; column < j->columns; column++, x += j->pixel, g += WIDTH) {
      if (later) __builtin_prefetch(later), later += WIDTH;
      block factor[WIDE];
      UNROLLED for (int b = 0; b < wide; b++) factor[b] = LOAD(g + (size_t)b * j->block);
      UNROLLED for (int i = 0; i < tall; i++)
        UNROLLED for (int b = 0; b < wide; b++) sum[i][b] += factor[b] * x[i];
    }
  }
  UNROLLED for (int i = 0; i < tall; i++)
    UNROLLED for (int b = 0; b < wide; b++) STORE(j->sums + (size_t)i * j->row + b * WIDTH, sum[i][b]);
}

INLINE void add_share_of(const struct share *j, size_t tall, const int wide) {
  switch (tall) {
    case 8: add_share(j, 8, wide); break;
    case 7: add_share(j, 7, wide); break;
    case 6: add_share(j, 6, wide); break;
    case 5: add_share(j, 5, wide); break;
    case 4: add_share(j, 4, wide); break;
    case 3: add_share(j, 3, wide); break;
    case 2: add_share(j, 2, wide); break;
    default: add_share(j, 1, wide); break;
  }
}

// g, some blocks of dy where the results let it through, and its sums.
INLINE void put_gradients(float *g, float *db, const struct way_back *j, size_t place, size_t image, size_t count,
                          size_t wide) {
  const block low = (block){0} + j->mask.low, high = (block){0} + j->mask.high;
  for (size_t b = 0; b < wide; b++, place += image) {
    block sum = {0};
    for (size_t first = 0; first < count; first += ALONE * WIDTH) {
      const size_t last = first + ALONE * WIDTH < count ? first + ALONE * WIDTH : count;
      block total = {0};
      for (size_t i = first; i < last; i++, g += WIDTH) {
        block value = LOAD(j->dy + place + i * WIDTH);
        if (j->mask.values) {
          const block known = LOAD(j->mask.values + place + i * WIDTH);
          value = (block)((bits)value & (known > low) & (known < high));
        }
        STORE(g, value);
        total += value;
      }
      sum += total;
    }
    STORE(db + b * WIDTH, LOAD(db + b * WIDTH) + sum);
  }
}

// How many rows of results are taken through at a time.
INLINE size_t rows_back(const graft_stem *s) {
  const size_t rows = (WORTH + s->output_columns - 1) / s->output_columns;
  return rows < s->output_rows ? rows : s->output_rows;
}

static size_t gradient_scratch_of_worker(const graft_stem *s) {
  const size_t rows = rows_back(s);
  return rows_seen(s, rows) * stem_row(s) + WIDE * rows * s->output_columns * WIDTH + WIDTH;
}

size_t graft_stem_gradient_scratch(graft_stem s, size_t workers) { return workers * gradient_scratch_of_worker(&s); }

// Where some rows of a group of blocks begin.
INLINE size_t place_of(const graft_stem *s, size_t strip, size_t group, size_t rows) {
  const size_t blocks = s->outputs / WIDTH, groups = (blocks + WIDE - 1) / WIDE;
  const size_t strips = (s->output_rows + rows - 1) / rows;
  const size_t image = s->output_rows * s->output_columns * WIDTH;
  return (strip / strips * blocks + blocks * group / groups) * image + strip % strips * rows * s->output_columns * WIDTH;
}

// Each worker has some groups of blocks.
GRAFT_CLONES static void groups_range(const void *context, size_t begin, size_t end) {
  const struct way_back *j = context;
  const graft_stem *s = &j->shape;
  const size_t blocks = s->outputs / WIDTH, groups = (blocks + WIDE - 1) / WIDE;
  const size_t image = s->output_rows * s->output_columns * WIDTH, row = stem_row(s);
  const size_t run = s->size[1] * s->channels, tiles = (run + TALL - 1) / TALL;
  const size_t rows = rows_back(s), strips = (s->output_rows + rows - 1) / rows;
  for (size_t worker = begin; worker < end; worker++) {
    float *seen = j->scratch + worker * gradient_scratch_of_worker(s), *g = seen + rows_seen(s, rows) * row;
    memset(seen, 0, rows_seen(s, rows) * row * sizeof *seen);
    const size_t first_group = groups * worker / j->workers, last_group = groups * (worker + 1) / j->workers;
    if (first_group == last_group) continue;
    struct share share = {.g = g, .row = s->outputs, .pixel = s->strides[1] * s->channels, .next = s->strides[0] * row,
                          .columns = s->output_columns, .adds = j->accumulate};
    for (size_t strip = 0; strip < s->samples * strips; strip++, share.adds = true) {
      const size_t sample = strip / strips, first = strip % strips * rows;
      const float *picture = j->x + sample * s->rows * s->columns * s->channels;
      share.rows = s->output_rows - first < rows ? s->output_rows - first : rows;
      share.block = share.rows * s->output_columns * WIDTH;
      for (size_t r = 0; r < rows_seen(s, share.rows); r++)
        stem_put_row(seen + r * row, s, picture, first * s->strides[0] + r);
      for (size_t group = first_group; group < last_group; group++) {
        const size_t from = blocks * group / groups, wide = blocks * (group + 1) / groups - from;
        const size_t place = place_of(s, strip, group, rows);
        put_gradients(g, j->db + from * WIDTH, j, place, image, share.rows * s->output_columns, wide);
        const bool is_last = group + 1 == last_group;
        const size_t later = place_of(s, is_last ? strip + 1 : strip, is_last ? first_group : group + 1, rows);
        for (size_t tile = 0; tile < s->size[0] * tiles; tile++) {
          const float *calls = tile < wide ? j->dy : tile < 2 * wide ? j->mask.values : NULL;
          share.later = calls ? calls + later + tile % wide * image : NULL;
          const size_t kh = tile / tiles, top = run * (tile % tiles) / tiles;
          share.x = seen + kh * row + top;
          share.sums = j->dw + (kh * run + top) * s->outputs + from * WIDTH;
          const size_t tall = run * (tile % tiles + 1) / tiles - top;
          switch (wide) {
            case 3: add_share_of(&share, tall, 3); break;
            case 2: add_share_of(&share, tall, 2); break;
            default: add_share_of(&share, tall, 1); break;
          }
        }
      }
    }
  }
}

void graft_stem_gradient(float *dw, float *db, const float *x, const float *dy, graft_bounded y_mask, graft_stem shape,
                         float *scratch, size_t workers, bool accumulate) {
  struct way_back j = {shape, y_mask, dw, db, scratch, x, dy, workers, accumulate};
  memset(db, 0, shape.outputs * sizeof *db);
  graft_parallel(workers, 1, groups_range, &j);
}
