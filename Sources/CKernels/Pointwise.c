// Convolutions of one by one, on whole images in blocks of sixteen channels.
#define WIDTH 16
#include "Pointwise.h"

struct job {
  graft_convolution shape;
  graft_ending ending;
  float *y;
  const float *x, *panels;
  size_t at_once, portions;  // pixels that are computed together, and how many times that of a sample
};

// So many bytes of the input stay near the processor while the panels of the kernel pass by.
enum { NEAR = 512 << 10 };

size_t graft_panels_count(size_t inputs, size_t outputs) { return inputs * blocks_of(outputs) * WIDTH; }

struct packing {
  float *panels;
  const float *table;
  size_t inputs, outputs;  // rows and columns of the table
};

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
        if (left >= WIDTH) STORE(to, LOAD(from));
        else for (size_t i = 0; i < WIDTH; i++) to[i] = i < left ? from[i] : 0;
      }
  }
}

// The other way round, for whole blocks: [panel of inputs][output][blocks of the panel][width].
GRAFT_CLONES static void pack_back_range(const void *context, size_t first, size_t last) {
  const struct packing *j = context;
  const size_t blocks = j->inputs / WIDTH;
  for (size_t panel = first; panel < last; panel++) {
    const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
    float *to = j->panels + begin * j->outputs * WIDTH;
    for (size_t output = 0; output < j->outputs; output += WIDTH)
      for (size_t b = 0; b < wide; b++) {
        block rows[WIDTH];
        UNROLLED for (size_t i = 0; i < WIDTH; i++)
          rows[i] = LOAD(j->table + ((begin + b) * WIDTH + i) * j->outputs + output);
        transpose(rows);
        UNROLLED for (size_t i = 0; i < WIDTH; i++) STORE(to + ((output + i) * wide + b) * WIDTH, rows[i]);
      }
  }
}

void graft_panels_pack(float *panels, const float *table, size_t inputs, size_t outputs) {
  struct packing j = {panels, table, inputs, outputs};
  graft_parallel(panels_of(blocks_of(outputs)), 1, pack_range, &j);
}

void graft_panels_pack_back(float *panels, const float *table, size_t inputs, size_t outputs) {
  struct packing j = {panels, table, inputs, outputs};
  graft_parallel(panels_of(blocks_of(inputs)), 1, pack_back_range, &j);
}

GRAFT_CLONES static void portions_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const size_t pixels = s->rows * s->columns, image = pixels * WIDTH, blocks = s->outputs / WIDTH;
  struct pointwise p = {.pixel = WIDTH, .block = image, .channels = s->inputs, .y = j->y, .to_block = image,
                        .ending = j->ending};
  for (size_t portion = begin; portion < end; portion++) {
    const size_t sample = portion / j->portions, first = portion % j->portions * j->at_once;
    const size_t last = first + j->at_once < pixels ? first + j->at_once : pixels;
    const size_t together = pixels_together(last - first);
    const float *x = j->x + sample * s->inputs * pixels;
    p.w = j->panels;
    for (size_t panel = 0; panel < panels_of(blocks); panel++) {
      const size_t begin = panel_begin(blocks, panel), wide = panel_begin(blocks, panel + 1) - begin;
      p.bias = j->ending.bias ? j->ending.bias + begin * WIDTH : NULL;
      size_t place = (sample * blocks + begin) * image + first * WIDTH;
      for (size_t pixel = first, next; pixel < last; pixel += next) {
        next = pixels_next(last - pixel, together);
        for (size_t i = 0; i < next; i++, place += WIDTH) p.place[i] = place;
        p.x = x + pixel * WIDTH;
        pointwise(&p, next, wide);
      }
      p.w += s->inputs * wide * WIDTH;
    }
  }
}

void graft_pointwise(float *y, const float *x, const float *panels, graft_convolution s, graft_ending ending) {
  struct job j = {.shape = s, .ending = ending, .y = y, .x = x, .panels = panels};
  const size_t pixels = s.rows * s.columns, most = NEAR / (s.inputs * sizeof *x) / 56 * 56;
  j.at_once = most < 56 ? 56 : most;
  j.portions = (pixels + j.at_once - 1) / j.at_once;
  graft_parallel(s.samples * j.portions, 1, portions_range, &j);
}
