#include "Winograd.h"

// Sums of products come in panels of two blocks, the last of which may be half empty.
enum { PANEL = 2 * WIDTH };

static size_t panels(size_t channels) { return (channels + PANEL - 1) / PANEL; }

bool NAMED(graft_winograd_is_fast)(graft_convolution s) {
  // Measured: with fewer channels or smaller images the transforms cost what the products save.
  return fills_blocks(s) && s.inputs >= 16 && s.outputs >= 16 && s.output_rows > 3 && s.output_columns > 3 && s.top < 3 &&
         s.left < 3;
}

// MARK: Kernels

size_t NAMED(graft_winograd_kernel_count)(size_t inputs, size_t outputs) {
  return POSITIONS * panels(outputs) * PANEL * inputs;
}

struct packing {
  float *u;
  const float *w, *scale;
  size_t rows, columns;  // of the table: inputs and outputs of the way there
};

// G g Gᵀ of a block of columns, from `column` on, of one row of the table.
INLINE void transform_kernel(block u[POSITIONS], const struct packing *j, size_t row, size_t column) {
  const size_t tap = j->rows * j->columns;
  const float *w = j->w + row * j->columns + column;
  const block scale = j->scale ? LOAD(j->scale + column) : (block){0} + 1;
  block half[4][3];
  UNROLLED for (size_t c = 0; c < 3; c++) {
    const block a = LOAD(w + c * tap) * scale, b = LOAD(w + (3 + c) * tap) * scale, d = LOAD(w + (6 + c) * tap) * scale;
    half[0][c] = a;
    half[1][c] = (a + b + d) * 0.5f;
    half[2][c] = (a - b + d) * 0.5f;
    half[3][c] = d;
  }
  UNROLLED for (int r = 0; r < 4; r++) {
    u[r * 4] = half[r][0];
    u[r * 4 + 1] = (half[r][0] + half[r][1] + half[r][2]) * 0.5f;
    u[r * 4 + 2] = (half[r][0] - half[r][1] + half[r][2]) * 0.5f;
    u[r * 4 + 3] = half[r][2];
  }
}

// u[position][panel of outputs][input][2·width]
GRAFT_CLONES static void pack_range(const void *context, size_t begin, size_t end) {
  const struct packing j = *(const struct packing *)context;
  const size_t count = panels(j.columns);
  for (size_t panel = begin; panel < end; panel++)
    for (size_t input = 0; input < j.rows; input++)
      for (size_t half = 0; half < 2; half++) {
        const size_t output = panel * PANEL + half * WIDTH;
        block u[POSITIONS] = {0};
        if (output < j.columns) transform_kernel(u, &j, input, output);
        for (size_t p = 0; p < POSITIONS; p++)
          STREAM(j.u + ((p * count + panel) * j.rows + input) * PANEL + half * WIDTH, u[p]);
      }
  SETTLE();
}

// The same for the way back: inputs and outputs change places, and the window is turned by half a circle, which for the
// transformed one exchanges the first and last of its rows and columns.
GRAFT_CLONES static void pack_back_range(const void *context, size_t begin, size_t end) {
  const struct packing j = *(const struct packing *)context;
  const size_t count = panels(j.rows);
  static const size_t turned[4] = {3, 1, 2, 0};
  block turn[POSITIONS][WIDTH];
  for (size_t panel = begin; panel < end; panel++)
    for (size_t output = 0; output < j.columns; output += WIDTH)
      for (size_t half = 0; half < 2; half++) {
        const size_t input = panel * PANEL + half * WIDTH;
        for (size_t i = 0; i < WIDTH; i++) {
          block u[POSITIONS] = {0};
          if (input < j.rows) transform_kernel(u, &j, input + i, output);
          for (size_t p = 0; p < POSITIONS; p++) turn[p][i] = u[p];
        }
        for (size_t p = 0; p < POSITIONS; p++) {
          transpose(turn[p]);
          const size_t position = turned[p / 4] * 4 + turned[p % 4];
          float *to = j.u + ((position * count + panel) * j.columns + output) * PANEL + half * WIDTH;
          for (size_t i = 0; i < WIDTH; i++) STREAM(to + i * PANEL, turn[p][i]);
        }
      }
  SETTLE();
}

void NAMED(graft_winograd_pack)(float *u, const float *w, const float *scale, size_t inputs, size_t outputs) {
  struct packing j = {u, w, scale, inputs, outputs};
  graft_parallel(panels(outputs), 1, pack_range, &j);
}

void NAMED(graft_winograd_pack_back)(float *u, const float *w, const float *scale, size_t inputs, size_t outputs) {
  struct packing j = {u, w, scale, inputs, outputs};
  graft_parallel(panels(inputs), 1, pack_back_range, &j);
}

// MARK: Images

struct job {
  graft_convolution shape;
  struct tiling tiling;
  graft_ending ending;
  float *y;
  const float *x, *u;
  float *scratch;
  size_t workers, at_once;
};

// m[tile][2·width] = Σ over inputs of v[input / width][tile][input % width]·u[input][2·width], for so many tiles. So many
// lines of what is needed next are called with each block of inputs.
INLINE void multiply_tiles(float *m, const float *v, size_t v_block, const float *u, size_t blocks, const float *next,
                           size_t lines, const int tiles) {
  block sum[TOGETHER][2];
  UNROLLED for (int i = 0; i < tiles; i++) sum[i][0] = sum[i][1] = (block){0};
  for (size_t b = 0; b < blocks; b++, v += v_block, u += WIDTH * PANEL) {
    call_lines(&next, lines);
    UNROLLED for (int k = 0; k < WIDTH; k++) {
      const block left = LOAD(u + k * PANEL), right = LOAD(u + k * PANEL + WIDTH);
      UNROLLED for (int i = 0; i < tiles; i++) {
        const float factor = v[i * WIDTH + k];
        sum[i][0] += left * factor;
        sum[i][1] += right * factor;
      }
    }
  }
  UNROLLED for (int i = 0; i < tiles; i++) {
    STORE(m + i * PANEL, sum[i][0]);
    STORE(m + i * PANEL + WIDTH, sum[i][1]);
  }
}

// One position: m[panel][tile][2·width] for all panels of outputs. While the tiles pass by one panel they call the next one
// for, a part each, where the kernel does not stay near by itself.
INLINE void multiply(float *m, const float *v, const float *u, size_t inputs, size_t count, size_t at_once, size_t tiles) {
  enum { NEAR = 1 << 14 };
  const size_t v_block = at_once * WIDTH, blocks = inputs / WIDTH, groups = (tiles + TOGETHER - 1) / TOGETHER;
  const size_t lines = inputs * count * PANEL > NEAR ? (WIDTH * PANEL / LINE + groups - 1) / groups : 0;
  for (size_t panel = 0; panel < count; panel++, m += at_once * PANEL, u += inputs * PANEL) {
    const float *next = u + inputs * PANEL;
    size_t i = 0;
    for (; i + TOGETHER <= tiles; i += TOGETHER, next += blocks * lines * LINE)
      multiply_tiles(m + i * PANEL, v + i * WIDTH, v_block, u, blocks, next, lines, TOGETHER);
    if (TOGETHER > 6 && i + 6 <= tiles) {
      multiply_tiles(m + i * PANEL, v + i * WIDTH, v_block, u, blocks, next, lines, 6);
      i += 6;
    }
    float *rest = m + i * PANEL;
    const float *of = v + i * WIDTH;
    switch (tiles - i) {
      case 1: multiply_tiles(rest, of, v_block, u, blocks, next, lines, 1); break;
      case 2: multiply_tiles(rest, of, v_block, u, blocks, next, lines, 2); break;
      case 3: multiply_tiles(rest, of, v_block, u, blocks, next, lines, 3); break;
      case 4: multiply_tiles(rest, of, v_block, u, blocks, next, lines, 4); break;
      case 5: multiply_tiles(rest, of, v_block, u, blocks, next, lines, 5); break;
      default: break;
    }
  }
}

// Aᵀ m A and what comes after it, of `count` tiles of one block of outputs.
INLINE void transform_outputs(const struct job *j, const float *m, size_t apart, size_t output_block, size_t first,
                              size_t count) {
  const graft_convolution *s = &j->shape;
  const size_t line = s->output_columns * WIDTH;
  const block bias = j->ending.bias ? LOAD(j->ending.bias + output_block * WIDTH) : (block){0};
  struct cut cut;
  cut_of(&cut, &j->ending);
  float *y = j->y;
  struct tile tile = tile_at(&j->tiling, first);
  for (size_t i = 0; i < count; i++, m += PANEL, go_on(&tile, &j->tiling)) {
    block half[2][4];
    UNROLLED for (size_t c = 0; c < 4; c++) {
      const block a = LOAD(m + c * apart), b = LOAD(m + (4 + c) * apart), d = LOAD(m + (8 + c) * apart);
      half[0][c] = a + b + d;
      half[1][c] = b - d - LOAD(m + (12 + c) * apart);
    }
    const size_t row = (tile.sample * (s->outputs / WIDTH) + output_block) * s->output_rows + tile.row * 2;
    const size_t place = row * line + tile.column * 2 * WIDTH;
    const bool has_right = tile.column * 2 + 1 < s->output_columns, has_lower = tile.row * 2 + 1 < s->output_rows;
    UNROLLED for (size_t r = 0; r < 2; r++) {
      if (r > 0 && !has_lower) continue;
      const block left = half[r][0] + half[r][1] + half[r][2] + bias;
      const block right = half[r][1] - half[r][2] - half[r][3] + bias;
      end(y, &left, &cut, place + r * line);
      if (has_right) end(y, &right, &cut, place + r * line + WIDTH);
    }
  }
}

static size_t input_distance(const graft_convolution *s, size_t at_once) { return at_once * s->inputs + APART; }

static size_t output_distance(const graft_convolution *s, size_t at_once) {
  return at_once * panels(s->outputs) * PANEL + APART;
}

static size_t scratch_of_worker(const graft_convolution *s, size_t at_once) {
  return POSITIONS * (input_distance(s, at_once) + output_distance(s, at_once));
}

GRAFT_CLONES static void images_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_convolution *s = &j->shape;
  const size_t v_apart = input_distance(s, j->at_once), m_apart = output_distance(s, j->at_once);
  for (size_t worker = begin; worker < end; worker++) {
    float *v = j->scratch + worker * scratch_of_worker(s, j->at_once), *m = v + POSITIONS * v_apart;
    const size_t last = j->tiling.count * (worker + 1) / j->workers;
    for (size_t first = j->tiling.count * worker / j->workers; first < last; first += j->at_once) {
      const size_t count = last - first < j->at_once ? last - first : j->at_once;
      for (size_t b = 0; b < s->inputs / WIDTH; b++)
        transform_inputs(v + b * j->at_once * WIDTH, v_apart, j->x, b, s, &j->tiling, first, count);
      for (size_t p = 0; p < POSITIONS; p++)
        multiply(m + p * m_apart, v + p * v_apart, j->u + p * panels(s->outputs) * PANEL * s->inputs, s->inputs,
                 panels(s->outputs), j->at_once, count);
      for (size_t b = 0; b < s->outputs / WIDTH; b++)
        transform_outputs(j, m + b / 2 * j->at_once * PANEL + b % 2 * WIDTH, m_apart, b, first, count);
    }
  }
}

static size_t tiles_of_worker(const graft_convolution *s, size_t workers) {
  return tiles_at_once(s, (tiling_of(s).count + workers - 1) / workers);
}

size_t NAMED(graft_winograd_scratch)(graft_convolution s, size_t workers) {
  return workers * scratch_of_worker(&s, tiles_of_worker(&s, workers));
}

void NAMED(graft_winograd)(float *y, const float *x, const float *u, graft_convolution s, graft_ending ending,
                           float *scratch, size_t workers) {
  struct job j = {.shape = s, .tiling = tiling_of(&s), .ending = ending, .y = y, .x = x, .u = u, .scratch = scratch,
                  .workers = workers, .at_once = tiles_of_worker(&s, workers)};
  graft_parallel(workers, 1, images_range, &j);
}
