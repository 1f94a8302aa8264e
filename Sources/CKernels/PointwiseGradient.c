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
  const struct blocks x = {
      j->x + (j->first_sample * (s->inputs / WIDTH) + begin) * image + j->first_pixel * WIDTH, end - begin, image,
      s->inputs * pixels_of(s)};
  const struct blocks dy = {
      j->dy + j->first_sample * (s->outputs / WIDTH) * image + j->first_pixel * WIDTH, s->outputs / WIDTH, image,
      s->outputs * pixels_of(s)};
  add_products(j->dw + begin * WIDTH * s->outputs, x, dy, j->samples, j->pixels,
               j->accumulate || j->first_sample > 0 || j->first_pixel > 0);
}

// db (+)= Σ of the gradients of the same pixels, as long as they are near.
GRAFT_CLONES static void sums_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const size_t image = pixels_of(s) * WIDTH, count = j->pixels * WIDTH;
  for (size_t b = begin; b < end; b++) {
    block sum = j->first_sample > 0 || j->first_pixel > 0 ? LOAD(j->db + b * WIDTH) : (block){0};
    for (size_t sample = j->first_sample; sample < j->first_sample + j->samples; sample++) {
      const float *dy = j->dy + (sample * (s->outputs / WIDTH) + b) * image + j->first_pixel * WIDTH;
      block part[4] = {{0}};
      size_t i = 0;
      for (; i + 4 * WIDTH <= count; i += 4 * WIDTH)
        UNROLLED for (size_t k = 0; k < 4; k++) part[k] += LOAD(dy + i + k * WIDTH);
      for (; i < count; i += WIDTH) part[0] += LOAD(dy + i);
      sum += (part[0] + part[1]) + (part[2] + part[3]);
    }
    STORE(j->db + b * WIDTH, sum);
  }
}

bool NAMED(graft_pointwise_is_fast)(graft_convolution s) {
  return fills_blocks(s) && s.top == 0 && s.left == 0 && s.rows == s.output_rows && s.columns == s.output_columns;
}

void NAMED(graft_pointwise_gradient)(float *dw, float *db, const float *x, const float *dy, graft_convolution s,
                                     bool accumulate) {
  struct job j = {.shape = s, .dw = dw, .db = db, .x = x, .dy = dy, .accumulate = accumulate};
  const size_t pixels = pixels_of(&s);
  const size_t parts = (pixels + AT_ONCE - 1) / AT_ONCE, together = pixels < AT_ONCE ? AT_ONCE / pixels : 1;
  for (; j.first_sample < s.samples; j.first_sample += together) {
    const size_t left = s.samples - j.first_sample;
    j.samples = left < together ? left : together;
    for (size_t part = 0; part < parts; part++) {
      j.first_pixel = pixels * part / parts;
      j.pixels = pixels * (part + 1) / parts - j.first_pixel;
      graft_parallel(s.inputs / WIDTH, 1, products_range, &j);
      graft_parallel(s.outputs / WIDTH, 1, sums_range, &j);
    }
  }
}
