// Convolutions of one by one, on whole images in blocks of sixteen channels.
#define WIDTH 16
#include "Pointwise.h"

struct job {
  graft_convolution shape;
  graft_ending ending;
  float *y;
  const float *x, *panels;
  // What is computed together: some samples, or some pixels of one, which are one of its parts.
  size_t samples, pixels, parts;
};

// So many bytes of the input stay near the processor while the panels of the kernel pass by, which are called for one ahead
// where the kernel has more numbers than stay near with it.
enum { NEAR = 512 << 10, KERNEL_NEAR = 1 << 16 };

size_t graft_panels_count(size_t inputs, size_t outputs) { return inputs * blocks_of(outputs) * WIDTH; }

struct packing {
  float *panels;
  const float *table, *scale;
  size_t inputs, outputs;  // rows and columns of the table
};

// What a block of columns, or as many of its channels as there are, is multiplied by.
INLINE void put_scale(block *to, const float *scale, size_t outputs) {
  *to = (block){0} + 1;
  if (!scale) return;
  if (outputs >= WIDTH) *to = LOAD(scale);
  else for (size_t i = 0; i < outputs; i++) (*to)[i] = scale[i];
}

// [panel][input][blocks of the panel][width], channels that there are not being zero
GRAFT_CLONES static void pack_range(const void *context, size_t first, size_t last) {
  const struct packing *j = context;
  const size_t blocks = blocks_of(j->outputs);
  for (size_t panel = first; panel < last; panel++) {
    const size_t begin = panel_begin(blocks, panel), end = panel_begin(blocks, panel + 1);
    float *to = j->panels + begin * j->inputs * WIDTH;
    for (size_t input = 0; input < j->inputs; input++)
      for (size_t b = begin; b < end; b++, to += WIDTH) {
        const float *from = j->table + input * j->outputs + b * WIDTH;
        const size_t left = j->outputs - b * WIDTH;
        block scale;
        put_scale(&scale, j->scale ? j->scale + b * WIDTH : NULL, left);
        if (left >= WIDTH) STREAM(to, LOAD(from) * scale);
        else for (size_t i = 0; i < WIDTH; i++) to[i] = i < left ? from[i] * scale[i] : 0;
      }
  }
  SETTLE();
}

// The other way round: [panel of inputs][output][blocks of the panel][width].
GRAFT_CLONES static void pack_back_range(const void *context, size_t first, size_t last) {
  const struct packing *j = context;
  const size_t blocks = blocks_of(j->inputs);
  for (size_t panel = first; panel < last; panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    float *to = j->panels + begin * j->outputs * WIDTH;
    for (size_t output = 0; output < j->outputs; output += WIDTH) {
      const size_t outputs = j->outputs - output;
      block scale;
      put_scale(&scale, j->scale ? j->scale + output : NULL, outputs);
      for (size_t b = 0; b < wide; b++) {
        const size_t input = (begin + b) * WIDTH, inputs = j->inputs - input;
        const float *from = j->table + input * j->outputs + output;
        if (inputs >= WIDTH && outputs >= WIDTH) {
          block rows[WIDTH];
          UNROLLED for (size_t i = 0; i < WIDTH; i++) rows[i] = LOAD(from + i * j->outputs) * scale;
          transpose(rows);
          UNROLLED for (size_t i = 0; i < WIDTH; i++) STREAM(to + ((output + i) * wide + b) * WIDTH, rows[i]);
          continue;
        }
        for (size_t o = 0; o < outputs && o < WIDTH; o++)
          for (size_t i = 0; i < WIDTH; i++)
            to[((output + o) * wide + b) * WIDTH + i] = i < inputs ? from[i * j->outputs + o] * scale[o] : 0;
      }
    }
  }
  SETTLE();
}

void graft_panels_pack(float *panels, const float *table, const float *scale, size_t inputs, size_t outputs) {
  struct packing j = {panels, table, scale, inputs, outputs};
  graft_parallel(panels_of(blocks_of(outputs)), 1, pack_range, &j);
}

void graft_panels_pack_back(float *panels, const float *table, const float *scale, size_t inputs, size_t outputs) {
  struct packing j = {panels, table, scale, inputs, outputs};
  graft_parallel(panels_of(blocks_of(inputs)), 1, pack_back_range, &j);
}

// One panel of outputs for some pixels of a sample.
INLINE void panel_of_sample(struct pointwise *p, const struct job *j, size_t sample, size_t first, size_t last,
                            size_t begin, size_t wide) {
  const graft_convolution *s = &j->shape;
  const size_t pixels = s->rows * s->columns, together = pixels_together(last - first);
  const float *x = j->x + sample * s->inputs * pixels;
  const size_t place = ((sample * (s->outputs / WIDTH) + begin) * pixels + first) * WIDTH;
  for (size_t pixel = first, next; pixel < last; pixel += next) {
    next = pixels_next(last - pixel, together);
    p->place[0] = place + (pixel - first) * WIDTH;
    p->x = x + pixel * WIDTH;
    if (p->ending.residual || p->ending.mask.values) pointwise(p, WIDTH, ROW, next, wide);
    else pointwise(p, WIDTH, PLAIN, next, wide);
    // The next tile calls for the next part.
    p->next += s->inputs / WIDTH * p->lines * LINE;
  }
}

GRAFT_CLONES static void portions_range(const void *context, size_t first_portion, size_t last_portion) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const size_t pixels = s->rows * s->columns, image = pixels * WIDTH, blocks = s->outputs / WIDTH;
  struct pointwise p = {.pixel = WIDTH, .block = image, .channels = s->inputs, .y = j->y, .to_block = image,
                        .ending = j->ending};
  if (j->ending.residual || j->ending.mask.values) p.meetings = meetings_of(s->inputs);
  for (size_t portion = first_portion; portion < last_portion; portion++) {
    const size_t first_sample = portion / j->parts * j->samples;
    const size_t left = s->samples - first_sample, samples = left < j->samples ? left : j->samples;
    const size_t first = portion % j->parts * j->pixels;
    const size_t last = first + j->pixels < pixels ? first + j->pixels : pixels;
    p.w = j->panels;
    for (size_t panel = 0; panel < panels_of(blocks); panel++) {
      const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
      p.bias = j->ending.bias ? j->ending.bias + begin * WIDTH : NULL;
      const size_t tiles = samples * ((last - first + PIXELS - 1) / PIXELS);
      p.lines = s->inputs * s->outputs > KERNEL_NEAR ? (wide * WIDTH * WIDTH / LINE + tiles - 1) / tiles : 0;
      p.next = p.w + s->inputs * wide * WIDTH;
      for (size_t i = 0; i < samples; i++) panel_of_sample(&p, j, first_sample + i, first, last, begin, wide);
      p.w += s->inputs * wide * WIDTH;
    }
  }
}

void graft_pointwise(float *y, const float *x, const float *panels, graft_convolution s, graft_ending ending) {
  struct job j = {.shape = s, .ending = ending, .y = y, .x = x, .panels = panels, .samples = 1, .parts = 1};
  const size_t pixels = s.rows * s.columns, most = NEAR / (s.inputs * sizeof *x);
  if (most < pixels) {
    j.pixels = most < 56 ? 56 : most / 56 * 56;
    j.parts = (pixels + j.pixels - 1) / j.pixels;
  } else {
    // Several samples, but work for every thread.
    const size_t threads = graft_is_in_lane() ? 1 : (size_t)graft_use_threads(0);
    const size_t each = (s.samples + threads - 1) / threads;
    j.pixels = pixels;
    j.samples = most / pixels < each ? most / pixels : each;
  }
  graft_parallel((s.samples + j.samples - 1) / j.samples * j.parts, 1, portions_range, &j);
}
