// Products of few rows by a table [inputs][outputs] as it is stored. With so few rows they take as long as it takes to read
// the table: to bring it into another layout first would take longer.
#define WIDTH 16
#include "Blocks.h"

// As many sums as there are registers for: so many rows, by so many inputs on the way back; and so many inputs that the way
// there adds at once.
enum { ROWS = 8, BY = 2, DEEP = 8 };

struct job {
  graft_dense shape;
  float *y, *db;
  const float *x, *w, *bias, *dy;
  bool accumulate;
};

// A block of which only the first numbers are there.
INLINE void load_part(block *to, const float *from, size_t count) {
  *to = (block){0};
  memcpy(to, from, count * sizeof *from);
}

// MARK: The way there

// y of some rows and one block of outputs, `count` of which are there, += what so many inputs give, which is added up by
// itself, so that many small numbers do not meet one large sum.
INLINE void add_inputs(float *y, const float *x, const float *w, const graft_dense *s, size_t count, const int rows,
                       const int inputs) {
  block factor[DEEP];
  UNROLLED for (int i = 0; i < inputs; i++) load_part(&factor[i], w + (size_t)i * s->outputs, count);
  UNROLLED for (int r = 0; r < rows; r++) {
    block before, sum = {0};
    UNROLLED for (int i = 0; i < inputs; i++) sum += factor[i] * x[(size_t)r * s->inputs + i];
    load_part(&before, y + (size_t)r * s->outputs, count);
    sum += before;
    memcpy(y + (size_t)r * s->outputs, &sum, count * sizeof *y);
  }
}

// The outputs of some rows from `first` up to `last`, while the table passes by once.
INLINE void rows_forward(const struct job *j, size_t row, size_t first, size_t last, const int rows) {
  const graft_dense *s = &j->shape;
  float *y = j->y + row * s->outputs;
  const float *x = j->x + row * s->inputs;
  for (int r = 0; r < rows; r++)
    for (size_t o = first; o < last; o++) y[r * s->outputs + o] = j->bias ? j->bias[o] : 0;
  for (size_t i = 0, inputs; i < s->inputs; i += inputs) {
    inputs = s->inputs - i >= DEEP ? DEEP : 1;
    const float *w = j->w + i * s->outputs;
    size_t o = first;
    for (; o + WIDTH <= last; o += WIDTH) {
      if (inputs == DEEP) add_inputs(y + o, x + i, w + o, s, WIDTH, rows, DEEP);
      else add_inputs(y + o, x + i, w + o, s, WIDTH, rows, 1);
    }
    if (o == last) continue;
    if (inputs == DEEP) add_inputs(y + o, x + i, w + o, s, last - o, rows, DEEP);
    else add_inputs(y + o, x + i, w + o, s, last - o, rows, 1);
  }
}

GRAFT_CLONES static void outputs_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_dense *s = &j->shape;
  const size_t first = begin * WIDTH, last = end * WIDTH < s->outputs ? end * WIDTH : s->outputs;
  size_t row = 0;
  for (; row + ROWS <= s->rows; row += ROWS) rows_forward(j, row, first, last, ROWS);
  for (; row < s->rows; row++) rows_forward(j, row, first, last, 1);
}

void graft_dense_forward(float *y, const float *x, const float *w, const float *bias, graft_dense shape) {
  struct job j = {.shape = shape, .y = y, .x = x, .w = w, .bias = bias};
  graft_parallel((shape.outputs + WIDTH - 1) / WIDTH, 1, outputs_range, &j);
}

// MARK: The way back

// dx of some rows and inputs: sums over outputs, added up over the width at the end.
INLINE void inputs_tile(const struct job *j, size_t row, size_t input, const int rows, const int inputs) {
  const graft_dense *s = &j->shape;
  block sum[WIDTH];
  UNROLLED for (int i = 0; i < WIDTH; i++) sum[i] = (block){0};
  const float *dy = j->dy + row * s->outputs, *w = j->w + input * s->outputs;
  size_t o = 0;
  for (; o + WIDTH <= s->outputs; o += WIDTH) {
    block factor[BY];
    UNROLLED for (int i = 0; i < inputs; i++) factor[i] = LOAD(w + (size_t)i * s->outputs + o);
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int i = 0; i < inputs; i++)
        sum[r * BY + i] += factor[i] * LOAD(dy + (size_t)r * s->outputs + o);
  }
  if (o < s->outputs) {
    block factor[BY], gradient;
    UNROLLED for (int i = 0; i < inputs; i++) load_part(&factor[i], w + (size_t)i * s->outputs + o, s->outputs - o);
    UNROLLED for (int r = 0; r < rows; r++) {
      load_part(&gradient, dy + (size_t)r * s->outputs + o, s->outputs - o);
      UNROLLED for (int i = 0; i < inputs; i++) sum[r * BY + i] += factor[i] * gradient;
    }
  }
  transpose(sum);
  block total = {0};
  UNROLLED for (int i = 0; i < WIDTH; i++) total += sum[i];
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int i = 0; i < inputs; i++) j->y[(row + r) * s->inputs + input + i] = total[r * BY + i];
}

GRAFT_CLONES static void inputs_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  const graft_dense *s = &j->shape;
  for (size_t pair = begin; pair < end; pair++) {
    const size_t input = pair * BY;
    const bool is_whole = input + BY <= s->inputs;
    size_t row = 0;
    for (; row + ROWS <= s->rows; row += ROWS) {
      if (is_whole) inputs_tile(j, row, input, ROWS, BY);
      else inputs_tile(j, row, input, ROWS, 1);
    }
    for (; row < s->rows; row++) {
      if (is_whole) inputs_tile(j, row, input, 1, BY);
      else inputs_tile(j, row, input, 1, 1);
    }
  }
}

void graft_dense_input_gradient(float *dx, const float *dy, const float *w, graft_dense shape) {
  struct job j = {.shape = shape, .y = dx, .dy = dy, .w = w};
  graft_parallel((shape.inputs + BY - 1) / BY, 1, inputs_range, &j);
}

// dw of some inputs and blocks of outputs, the last `count` wide.
INLINE void kernel_tile(const struct job *j, size_t input, size_t output, size_t count, const int inputs,
                        const int wide) {
  const graft_dense *s = &j->shape;
  block sum[4][4];
  float *dw = j->y + input * s->outputs + output;
  UNROLLED for (int i = 0; i < inputs; i++)
    UNROLLED for (int k = 0; k < wide; k++) {
      sum[i][k] = (block){0};
      if (j->accumulate) load_part(&sum[i][k], dw + (size_t)i * s->outputs + k * WIDTH, k + 1 < wide ? WIDTH : count);
    }
  for (size_t row = 0; row < s->rows; row++) {
    const float *x = j->x + row * s->inputs + input, *dy = j->dy + row * s->outputs + output;
    block gradient[4];
    UNROLLED for (int k = 0; k < wide; k++) load_part(&gradient[k], dy + k * WIDTH, k + 1 < wide ? WIDTH : count);
    UNROLLED for (int i = 0; i < inputs; i++)
      UNROLLED for (int k = 0; k < wide; k++) sum[i][k] += gradient[k] * x[i];
  }
  UNROLLED for (int i = 0; i < inputs; i++)
    UNROLLED for (int k = 0; k < wide; k++)
      memcpy(dw + (size_t)i * s->outputs + k * WIDTH, &sum[i][k], (k + 1 < wide ? WIDTH : count) * sizeof(float));
}

// So many inputs at once.
INLINE void kernel_rows(const struct job *j, size_t input, const int inputs) {
  const size_t outputs = j->shape.outputs;
  size_t output = 0;
  for (; output + 4 * WIDTH <= outputs; output += 4 * WIDTH) kernel_tile(j, input, output, WIDTH, inputs, 4);
  for (; output + WIDTH <= outputs; output += WIDTH) kernel_tile(j, input, output, WIDTH, inputs, 1);
  if (output < outputs) kernel_tile(j, input, output, outputs - output, inputs, 1);
}

GRAFT_CLONES static void kernel_range(const void *context, size_t begin, size_t end) {
  const struct job *j = context;
  size_t input = begin;
  for (; input + 4 <= end; input += 4) kernel_rows(j, input, 4);
  for (; input < end; input++) kernel_rows(j, input, 1);
}

void graft_dense_kernel_gradient(float *dw, float *db, const float *x, const float *dy, graft_dense shape,
                                 bool accumulate) {
  struct job j = {.shape = shape, .y = dw, .x = x, .dy = dy, .accumulate = accumulate};
  graft_parallel(shape.inputs, 1, kernel_range, &j);
  for (size_t o = 0; o < shape.outputs; o++) db[o] = 0;
  for (size_t row = 0; row < shape.rows; row++)
    for (size_t o = 0; o < shape.outputs; o++) db[o] += dy[row * shape.outputs + o];
}

bool graft_dense_is_fast(graft_dense shape) {
  // Measured: a table that stays near the processor is brought into another layout in no time.
  enum { LARGE = 1 << 18 };
  return runs_here() && shape.rows > 0 && shape.rows <= 64 && shape.inputs * shape.outputs >= LARGE;
}
