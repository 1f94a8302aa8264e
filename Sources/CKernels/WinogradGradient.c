#include "Winograd.h"

struct job {
  graft_convolution shape;
  struct tiling tiling;
  float *dw, *db;
  const float *x, *dy;
  float *v, *e, *products;
  size_t at_once, first, count;
  bool accumulate;
};

static size_t distance(size_t channels, size_t at_once) { return channels * at_once + APART; }

// A e Aᵀ of `count` tiles of one block of outputs: e[position][tile]; db (+)= Σ of the gradients.
INLINE void transform_gradients(float *e, size_t apart, const struct job *j, size_t output_block) {
  const graft_convolution *s = &j->shape;
  const size_t line = s->output_columns * WIDTH, blocks = s->outputs / WIDTH;
  block sum = j->first ? LOAD(j->db + output_block * WIDTH) : (block){0};
  struct tile tile = tile_at(&j->tiling, j->first);
  for (size_t i = 0; i < j->count; i++, e += WIDTH, go_on(&tile, &j->tiling)) {
    const size_t row = (tile.sample * blocks + output_block) * s->output_rows + tile.row * 2;
    const float *from = j->dy + row * line + tile.column * 2 * WIDTH;
    const bool has_right = tile.column * 2 + 1 < s->output_columns, has_lower = tile.row * 2 + 1 < s->output_rows;
    const block a = LOAD(from), b = LOAD(has_right ? from + WIDTH : nothing);
    const block c = LOAD(has_lower ? from + line : nothing);
    const block d = LOAD(has_right && has_lower ? from + line + WIDTH : nothing);
    sum += (a + b) + (c + d);
    const block half[4][2] = {{a, b}, {a + c, b + d}, {a - c, b - d}, {-c, -d}};
    UNROLLED for (size_t r = 0; r < 4; r++) {
      STORE(e + (r * 4) * apart, half[r][0]);
      STORE(e + (r * 4 + 1) * apart, half[r][0] + half[r][1]);
      STORE(e + (r * 4 + 2) * apart, half[r][0] - half[r][1]);
      STORE(e + (r * 4 + 3) * apart, -half[r][1]);
    }
  }
  STORE(j->db + output_block * WIDTH, sum);
}

GRAFT_CLONES static void transform_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const size_t blocks = j->shape.inputs / WIDTH, each = j->at_once * WIDTH;
  for (size_t i = begin; i < end; i++) {
    if (i < blocks)
      transform_inputs(j->v + i * each, distance(j->shape.inputs, j->at_once), j->x, i, &j->shape, &j->tiling, j->first,
                       j->count);
    else
      transform_gradients(j->e + (i - blocks) * each, distance(j->shape.outputs, j->at_once), j, i - blocks);
  }
}

// For each position products[input][output] (+)= Σ over tiles.
GRAFT_CLONES static void multiply_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const size_t inputs = j->shape.inputs, outputs = j->shape.outputs, each = j->at_once * WIDTH;
  for (size_t p = begin; p < end; p++) {
    const struct products all = {
        .sums = j->products + p * inputs * outputs,
        .a = {j->v + p * distance(inputs, j->at_once), inputs / WIDTH, each, 0, .place = WIDTH},
        .b = {j->e + p * distance(outputs, j->at_once), outputs / WIDTH, each, 0},
        .segments = 1,
        .rows = 1,
        .places = j->count,
        .accumulate = j->first > 0};
    add_products(&all);
  }
}

// Gᵀ of four numbers.
INLINE void fall_to_three(block to[3], const block d[4]) {
  const block sum = (d[1] + d[2]) * 0.5f;
  to[0] = d[0] + sum;
  to[1] = (d[1] - d[2]) * 0.5f;
  to[2] = sum + d[3];
}

// dw (+)= Gᵀ products G, for some inputs.
GRAFT_CLONES static void kernel_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const size_t outputs = j->shape.outputs, table = j->shape.inputs * outputs;
  for (size_t place = begin * outputs; place < end * outputs; place += WIDTH) {
    block half[4][3], whole[3];  // half is column by column
    UNROLLED for (size_t c = 0; c < 4; c++) {
      block column[4];
      UNROLLED for (size_t r = 0; r < 4; r++) column[r] = LOAD(j->products + (r * 4 + c) * table + place);
      fall_to_three(half[c], column);
    }
    UNROLLED for (size_t r = 0; r < 3; r++) {
      const block row[4] = {half[0][r], half[1][r], half[2][r], half[3][r]};
      fall_to_three(whole, row);
      UNROLLED for (size_t c = 0; c < 3; c++) {
        float *to = j->dw + (r * 3 + c) * table + place;
        STORE(to, j->accumulate ? LOAD(to) + whole[c] : whole[c]);
      }
    }
  }
}

size_t NAMED(graft_winograd_gradient_scratch)(graft_convolution s) {
  const size_t at_once = tiles_at_once(&s, tiling_of(&s).count);
  return POSITIONS * (distance(s.inputs, at_once) + distance(s.outputs, at_once) + s.inputs * s.outputs);
}

void NAMED(graft_winograd_gradient)(float *dw, float *db, const float *x, const float *dy, graft_convolution s,
                                    float *scratch, bool accumulate) {
  struct job j = {.shape = s, .tiling = tiling_of(&s), .dw = dw, .db = db, .x = x, .dy = dy, .v = scratch,
                  .accumulate = accumulate};
  j.at_once = tiles_at_once(&s, j.tiling.count);
  j.e = j.v + POSITIONS * distance(s.inputs, j.at_once);
  j.products = j.e + POSITIONS * distance(s.outputs, j.at_once);
  for (; j.first < j.tiling.count; j.first += j.at_once) {
    const size_t left = j.tiling.count - j.first;
    j.count = left < j.at_once ? left : j.at_once;
    graft_parallel((s.inputs + s.outputs) / WIDTH, 1, transform_range, &j);
    graft_parallel(POSITIONS, 1, multiply_range, &j);
  }
  graft_parallel(s.inputs, WIDTH, kernel_range, &j);
}
