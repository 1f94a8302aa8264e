#include "Blocks.h"

struct job {
  graft_convolution shape;
  float *dw, *db;
  const float *x, *dy;
  bool accumulate;
};

// How many pixels are added up in registers before their sums go to memory: with their blocks of outputs and the blocks of
// inputs that pass by they stay in the nearest cache.
enum { AT_ONCE = WIDTH == 16 ? 112 : 192 };

static size_t pixels_of(const graft_convolution *s) { return s->rows * s->columns; }

// What is added at once: some pixels, or all pixels of some samples.
struct portion {
  size_t sample, samples, pixel, pixels;
};

// The portions of one part of the samples or of the pixels of each.
struct cutting {
  size_t together, parts;
};

static struct cutting cutting_of(const graft_convolution *s) {
  const size_t pixels = pixels_of(s);
  return (struct cutting){pixels < AT_ONCE ? AT_ONCE / pixels : 1, (pixels + AT_ONCE - 1) / AT_ONCE};
}

INLINE struct portion portion_at(const graft_convolution *s, const struct cutting *c, size_t sample, size_t part) {
  const size_t pixel = part_of(pixels_of(s), part, c->parts), left = s->samples - sample;
  return (struct portion){sample, left < c->together ? left : c->together, pixel,
                          part_of(pixels_of(s), part + 1, c->parts) - pixel};
}

// One portion for some blocks of inputs, from `begin` on; the next one lies so many samples and pixels behind it.
INLINE void add_portion(const struct job *j, const struct portion *portion, size_t begin, size_t end, size_t samples_on,
                        ptrdiff_t pixels_on) {
  const graft_convolution *s = &j->shape;
  const size_t image = pixels_of(s) * WIDTH, x_sample = s->inputs * pixels_of(s), dy_sample = s->outputs * pixels_of(s);
  const float *x = j->x + portion->sample * x_sample + portion->pixel * WIDTH;
  const float *dy = j->dy + portion->sample * dy_sample + portion->pixel * WIDTH;
  const struct products p = {
      .sums = j->dw + begin * WIDTH * s->outputs,
      .a = {x + begin * image, end - begin, image, x_sample, samples_on * x_sample + (size_t)(pixels_on * WIDTH),
            .place = WIDTH},
      .b = {dy, s->outputs / WIDTH, image, dy_sample, samples_on * dy_sample + (size_t)(pixels_on * WIDTH)},
      .segments = portion->samples,
      .rows = 1,
      .places = portion->pixels,
      .accumulate = j->accumulate || portion->sample > 0 || portion->pixel > 0,
      .totals = begin == 0 ? j->db : NULL};
  add_products(&p);
}

GRAFT_CLONES static void products_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const struct cutting cutting = cutting_of(s);
  for (size_t sample = 0; sample < s->samples; sample += cutting.together)
    for (size_t part = 0; part < cutting.parts; part++) {
      const struct portion portion = portion_at(s, &cutting, sample, part);
      const bool goes_on = part + 1 < cutting.parts, comes_more = sample + cutting.together < s->samples;
      add_portion(j, &portion, begin, end, !goes_on && comes_more ? cutting.together : 0,
                  goes_on ? (ptrdiff_t)portion.pixels : comes_more ? -(ptrdiff_t)portion.pixel : 0);
    }
}

bool NAMED(graft_pointwise_is_fast)(graft_convolution s) {
  return fills_blocks(s) && s.top == 0 && s.left == 0 && s.rows == s.output_rows && s.columns == s.output_columns;
}

void NAMED(graft_pointwise_gradient)(float *dw, float *db, const float *x, const float *dy, graft_convolution s,
                                     bool accumulate) {
  struct job j = {.shape = s, .dw = dw, .db = db, .x = x, .dy = dy, .accumulate = accumulate};
  memset(db, 0, s.outputs * sizeof *db);
  graft_parallel(s.inputs / WIDTH, 1, products_range, &j);
}
