// Windows of one by one: a product of matrices, of some pixels at a time by some blocks of outputs.
#ifndef GRAFT_POINTWISE_H
#define GRAFT_POINTWISE_H

#include "Blocks.h"

// As many sums as there are registers for: so many pixels at a time against up to so many blocks of channels.
enum { PIXELS = 8, WIDEST = 3 };

// Blocks of outputs come in panels of nearly the same width.
INLINE size_t blocks_of(size_t channels) { return (channels + WIDTH - 1) / WIDTH; }
INLINE size_t panels_of(size_t blocks) { return (blocks + WIDEST - 1) / WIDEST; }
INLINE size_t panel_begin(size_t blocks, size_t panel) { return blocks * panel / panels_of(blocks); }

// y[place + block] = what the ending makes of bias + Σ over inputs of x[input][pixel]·w[input][block].
struct pointwise {
  const float *x, *w, *bias;  // w is a panel; bias may be NULL
  size_t pixel, block;        // of x: the distances of neighbours
  size_t channels;            // of x
  float *y;
  size_t place[PIXELS];
  size_t to_block;  // of y: the distance of neighbours
  graft_ending ending;
  // What is called for with each block of inputs: so many lines from `next` on, and so many of what the results meet.
  const float *next;
  size_t lines, meetings;
};

// So many lines with each block of inputs have all come when the results meet them.
INLINE size_t meetings_of(size_t channels) { return (PIXELS * WIDEST * WIDTH + channels - 1) / channels; }

// Calls for so many lines of what is added to the results or masks them, from the `met`th on.
INLINE void call_meetings(const struct pointwise *p, size_t *met, size_t lines, const int pixels, const int wide) {
  const float *residual = p->ending.residual, *mask = p->ending.mask.values;
  for (; lines > 0 && *met < (size_t)(pixels * wide); lines--, ++*met) {
    const size_t place = p->place[0] + *met / (size_t)pixels * p->to_block + *met % (size_t)pixels * WIDTH;
    if (residual) __builtin_prefetch(residual + place);
    if (mask) __builtin_prefetch(mask + place);
  }
}

// So many blocks of inputs are added up by themselves, so that many small numbers do not meet one large sum.
enum { ALONE = 8 };

// sum[pixel][block] += Σ over so many inputs of one block.
INLINE void add_inputs(block sum[PIXELS][WIDEST], const struct pointwise *p, const float *x, const float *w, size_t inputs,
                       const int pixels, const int wide) {
  for (size_t k = 0; k < inputs; k++, w += wide * WIDTH) {
    block factor[WIDEST];
    UNROLLED for (int j = 0; j < wide; j++) factor[j] = LOAD(w + j * WIDTH);
    UNROLLED for (int i = 0; i < pixels; i++)
      UNROLLED for (int j = 0; j < wide; j++) sum[i][j] += factor[j] * x[(size_t)i * p->pixel + k];
  }
}

// What a tile has called for.
struct calling {
  const float *next;
  size_t met;
};

// sum[pixel][block] += Σ over all inputs, so many of which lie together.
INLINE void add_all_inputs(block sum[PIXELS][WIDEST], const struct pointwise *p, const float *x, const float *w,
                           struct calling *calling, size_t inputs, const size_t run, const int pixels, const int wide) {
  for (; inputs >= run; inputs -= run, x += p->block, w += wide * WIDTH * run) {
    call_lines(&calling->next, p->lines);
    if (p->meetings) call_meetings(p, &calling->met, p->meetings, pixels, wide);
    if (inputs > run) UNROLLED for (int i = 0; i < pixels; i++) __builtin_prefetch(x + p->block + (size_t)i * p->pixel);
    add_inputs(sum, p, x, w, run, pixels, wide);
  }
  if (inputs > 0) add_inputs(sum, p, x, w, inputs, pixels, wide);
}

// How results are put away: neighbours behind each other from place[0] on, where in plain order nothing is added to them
// and no mask lies over them, or each at its place.
enum order { PLAIN, ROW, ANY };

INLINE size_t place_of_pixel(const struct pointwise *p, const enum order order, int pixel) {
  return order == ANY ? p->place[pixel] : p->place[0] + (size_t)pixel * WIDTH;
}

INLINE void pointwise_tile(const struct pointwise *p, const size_t run, const enum order order, const int pixels,
                           const int wide) {
  const size_t most = ALONE * run;
  struct calling calling = {.next = p->next};
  // What is needed last is called for first.
  if (order != PLAIN && !p->meetings) UNROLLED for (int i = 0; i < pixels; i++)
    UNROLLED for (int j = 0; j < wide; j++) {
      const size_t place = place_of_pixel(p, order, i) + (size_t)j * p->to_block;
      if (p->ending.residual) __builtin_prefetch(p->ending.residual + place);
      if (p->ending.mask.values) __builtin_prefetch(p->ending.mask.values + place);
    }
  block all[PIXELS][WIDEST];
  UNROLLED for (int i = 0; i < pixels; i++)
    UNROLLED for (int j = 0; j < wide; j++) all[i][j] = p->bias ? LOAD(p->bias + j * WIDTH) : (block){0};
  if (p->channels <= most) {
    add_all_inputs(all, p, p->x, p->w, &calling, p->channels, run, pixels, wide);
  } else {
    for (size_t first = 0; first < p->channels; first += most) {
      const size_t inputs = p->channels - first < most ? p->channels - first : most;
      block sum[PIXELS][WIDEST];
      UNROLLED for (int i = 0; i < pixels; i++)
        UNROLLED for (int j = 0; j < wide; j++) sum[i][j] = (block){0};
      const float *x = p->x + first / run * p->block, *w = p->w + first * (size_t)wide * WIDTH;
      add_all_inputs(sum, p, x, w, &calling, inputs, run, pixels, wide);
      UNROLLED for (int i = 0; i < pixels; i++)
        UNROLLED for (int j = 0; j < wide; j++) all[i][j] += sum[i][j];
    }
  }
  struct cut cut;
  cut_of(&cut, &p->ending);
  if (order == PLAIN) cut.residual = cut.known = NULL;
  UNROLLED for (int i = 0; i < pixels; i++)
    UNROLLED for (int j = 0; j < wide; j++)
      end(p->y, &all[i][j], &cut, place_of_pixel(p, order, i) + (size_t)j * p->to_block);
}

// So many pixels go together where there are as many: seven where that leaves none over, as in usual images.
INLINE size_t pixels_together(size_t count) { return count % 7 == 0 && count % PIXELS != 0 ? 7 : PIXELS; }

// How many go together of those that are left.
INLINE size_t pixels_next(size_t left, size_t together) {
  return left >= together ? together : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

INLINE void pointwise_blocks(const struct pointwise *p, const size_t run, const enum order order, const int pixels,
                             size_t wide) {
  switch (wide) {
    case 3: pointwise_tile(p, run, order, pixels, 3); break;
    case 2: pointwise_tile(p, run, order, pixels, 2); break;
    default: pointwise_tile(p, run, order, pixels, 1); break;
  }
}

// So many pixels by so many blocks, `run` inputs of a pixel lying together: WIDTH where they lie in blocks.
INLINE void pointwise(const struct pointwise *p, const size_t run, const enum order order, size_t pixels, size_t wide) {
  switch (pixels) {
    case 8: pointwise_blocks(p, run, order, 8, wide); break;
    case 7: pointwise_blocks(p, run, order, 7, wide); break;
    case 4: pointwise_blocks(p, run, order, 4, wide); break;
    case 2: pointwise_blocks(p, run, order, 2, wide); break;
    default: pointwise_blocks(p, run, order, 1, wide); break;
  }
}

#endif
