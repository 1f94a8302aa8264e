// Winograd's minimal filtering F(2×2, 3×3): two by two results of a window of three by three, from four by four numbers
// and with sixteen products instead of thirty-six. Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// CVPR 2016.
//
// An image is cut into tiles of two by two results. With the tile d of four by four inputs, the window g and the
// gradient e of the results:
//
//   results   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//   gradient dg = Gᵀ [(A e Aᵀ) ⊙ (Bᵀ d B)] G
//
// For each of the sixteen positions the products ⊙, summed over channels or tiles, are a product of matrices.
#ifndef GRAFT_WINOGRAD_H
#define GRAFT_WINOGRAD_H

#include "Blocks.h"

// Between the matrices of two positions lies a line of cache, lest all sixteen meet in the same lines.
enum { POSITIONS = 16, APART = 16 };

struct tiling {
  size_t rows, columns;  // of tiles
  size_t count;          // of all samples
};

INLINE struct tiling tiling_of(const graft_convolution *s) {
  size_t rows = (s->output_rows + 1) / 2, columns = (s->output_columns + 1) / 2;
  return (struct tiling){.rows = rows, .columns = columns, .count = s->samples * rows * columns};
}

// So many tiles the product of matrices takes at a time: with two blocks of outputs for each, as many sums as there are
// registers for.
enum { TOGETHER = WIDTH == 16 ? 12 : 6 };

// How many tiles are computed at once: as few as leave the matrices near the processor, as many as make each kernel that
// is read worth it, and always as many as the product of matrices takes.
INLINE size_t tiles_at_once(const graft_convolution *s, size_t tiles) {
  const size_t most = (s->inputs + s->outputs <= 512 ? 48 : 96) * (WIDTH / 8), parts = (tiles + most - 1) / most;
  const size_t even = parts ? (tiles + parts - 1) / parts : 0;
  return (even + TOGETHER - 1) / TOGETHER * TOGETHER;
}

// One tile among all.
struct tile {
  size_t sample, row, column;
};

INLINE struct tile tile_at(const struct tiling *t, size_t index) {
  const size_t each = t->rows * t->columns;
  return (struct tile){index / each, index % each / t->columns, index % t->columns};
}

INLINE void go_on(struct tile *tile, const struct tiling *t) {
  if (++tile->column < t->columns) return;
  tile->column = 0;
  if (++tile->row < t->rows) return;
  tile->row = 0;
  tile->sample++;
}

static const float nothing[WIDTH];

// One column of Bᵀ d.
INLINE void fall(block to[4], const block d[4]) {
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}

// Bᵀ d B of `count` tiles of one block of channels: v[position][tile], the positions `apart` from each other.
INLINE void transform_inputs(float *v, size_t apart, const float *images, size_t channel_block, const graft_convolution *s,
                             const struct tiling *t, size_t first, size_t count) {
  const size_t blocks = s->inputs / WIDTH, line = s->columns * WIDTH;
  struct tile tile = tile_at(t, first);
  for (size_t i = 0; i < count; i++, go_on(&tile, t)) {
    const float *image = images + (tile.sample * blocks + channel_block) * s->rows * line;
    const ptrdiff_t top = (ptrdiff_t)(tile.row * 2) - (ptrdiff_t)s->top;
    const ptrdiff_t left = (ptrdiff_t)(tile.column * 2) - (ptrdiff_t)s->left;
    block half[4][4], whole[4];  // half is column by column
    if (top >= 0 && left >= 0 && top + 4 <= (ptrdiff_t)s->rows && left + 4 <= (ptrdiff_t)s->columns) {
      const float *from = image + ((size_t)top * s->columns + (size_t)left) * WIDTH;
      UNROLLED for (int c = 0; c < 4; c++) {
        block column[4];
        UNROLLED for (size_t r = 0; r < 4; r++) column[r] = LOAD(from + r * line + (size_t)c * WIDTH);
        fall(half[c], column);
      }
    } else {
      for (int c = 0; c < 4; c++) {
        block column[4];
        for (int r = 0; r < 4; r++) {
          const ptrdiff_t y = top + r, x = left + c;
          const bool inside = y >= 0 && x >= 0 && y < (ptrdiff_t)s->rows && x < (ptrdiff_t)s->columns;
          column[r] = LOAD(inside ? image + ((size_t)y * s->columns + (size_t)x) * WIDTH : nothing);
        }
        fall(half[c], column);
      }
    }
    UNROLLED for (int r = 0; r < 4; r++) {
      const block row[4] = {half[0][r], half[1][r], half[2][r], half[3][r]};
      fall(whole, row);
      UNROLLED for (int c = 0; c < 4; c++) STORE(v + (size_t)(r * 4 + c) * apart + i * WIDTH, whole[c]);
    }
  }
}

#endif
