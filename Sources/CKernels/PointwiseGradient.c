#include "Blocks.h"

struct job {
  graft_convolution shape;
  float *dw, *db;
  const float *x, *dy;
  bool accumulate;
  // What is added now: some pixels, or all pixels of some samples.
  size_t first_sample, samples, first_pixel, pixels;
};

// How many pixels are added up in registers before their sums go to memory.
enum { AT_ONCE = 192 };

static size_t pixels_of(const graft_convolution *s) { return s->rows * s->columns; }

GRAFT_CLONES static void products_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const size_t image = pixels_of(s) * WIDTH;
  const float *x = j->x + j->first_sample * s->inputs * pixels_of(s) + j->first_pixel * WIDTH;
  const float *dy = j->dy + j->first_sample * s->outputs * pixels_of(s) + j->first_pixel * WIDTH;
  const struct products p = {
      .sums = j->dw + begin * WIDTH * s->outputs,
      .a = {x + begin * image, end - begin, image, s->inputs * pixels_of(s)},
      .b = {dy, s->outputs / WIDTH, image, s->outputs * pixels_of(s)},
      .segments = j->samples,
      .places = j->pixels,
      .accumulate = j->accumulate || j->first_sample > 0 || j->first_pixel > 0,
      .totals = begin == 0 ? j->db : NULL};
  add_products(&p);
}

bool NAMED(graft_pointwise_is_fast)(graft_convolution s) {
  return fills_blocks(s) && s.top == 0 && s.left == 0 && s.rows == s.output_rows && s.columns == s.output_columns;
}

void NAMED(graft_pointwise_gradient)(float *dw, float *db, const float *x, const float *dy, graft_convolution s,
                                     bool accumulate) {
  struct job j = {.shape = s, .dw = dw, .db = db, .x = x, .dy = dy, .accumulate = accumulate};
  const size_t pixels = pixels_of(&s);
  const size_t parts = (pixels + AT_ONCE - 1) / AT_ONCE, together = pixels < AT_ONCE ? AT_ONCE / pixels : 1;
  memset(db, 0, s.outputs * sizeof *db);
  for (; j.first_sample < s.samples; j.first_sample += together) {
    const size_t left = s.samples - j.first_sample;
    j.samples = left < together ? left : together;
    for (size_t part = 0; part < parts; part++) {
      j.first_pixel = pixels * part / parts;
      j.pixels = pixels * (part + 1) / parts - j.first_pixel;
      graft_parallel(s.inputs / WIDTH, 1, products_range, &j);
    }
  }
}
