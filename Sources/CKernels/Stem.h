// Pictures of few channels, row by row as their windows want them: the numbers of a row of the window lie together.
#ifndef GRAFT_STEM_H
#define GRAFT_STEM_H

#include "Pointwise.h"

// How many numbers of a row the windows of a row of results reach.
INLINE size_t stem_row(const graft_stem *s) {
  return ((s->output_columns - 1) * s->strides[1] + s->size[1]) * s->channels;
}

// One row of what the windows see, counted from the zeros above the picture; what lies left and right of the picture is
// zero already.
INLINE void stem_put_row(float *to, const graft_stem *s, const float *picture, size_t row) {
  const size_t all = stem_row(s), begin = s->left * s->channels;
  if (row < s->top || row - s->top >= s->rows) {
    memset(to, 0, all * sizeof *to);
    return;
  }
  // No window may reach the picture.
  if (begin >= all) return;
  const size_t width = s->columns * s->channels, count = begin + width < all ? width : all - begin;
  const float *from = picture + (row - s->top) * width;
  if (s->scale)
    for (size_t i = 0; i < count; i++) to[begin + i] = from[i] * s->scale[i] + s->shift[i];
  else
    memcpy(to + begin, from, count * sizeof *to);
}

// One row of results, of some blocks: `seen` is the first row of its windows, `place` where its first result goes.
INLINE void stem_results(struct pointwise *p, const graft_stem *s, const float *seen, size_t place, size_t wide) {
  const size_t run = s->size[1] * s->channels, together = pixels_together(s->output_columns);
  p->pixel = s->strides[1] * s->channels;
  p->block = stem_row(s);
  p->channels = s->size[0] * run;
  for (size_t column = 0, next; column < s->output_columns; column += next) {
    next = pixels_next(s->output_columns - column, together);
    p->place[0] = place + column * WIDTH;
    p->x = seen + column * p->pixel;
    pointwise(p, run, PLAIN, next, wide);
  }
}

#endif
