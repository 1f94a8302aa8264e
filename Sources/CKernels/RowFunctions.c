#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

struct table {
  float *y;
  const float *a, *b;
  size_t columns;
};

static size_t row_grain(size_t columns) { return 1 + 1024 / (1 + columns); }

static void log_softmax_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * j.columns;
    float *y = j.y + row * j.columns, top = x[0];
    for (size_t c = 1; c < j.columns; c++) top = x[c] > top ? x[c] : top;
    double sum = 0;
    for (size_t c = 0; c < j.columns; c++) sum += expf(x[c] - top);
    float level = (float)log(sum);
    for (size_t c = 0; c < j.columns; c++) y[c] = x[c] - top - level;
  }
}

void graft_log_softmax(float *y, const float *x, size_t rows, size_t columns) {
  struct table j = {y, x, NULL, columns};
  graft_parallel(rows, row_grain(columns), log_softmax_range, &j);
}

static void log_softmax_gradient_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *dy = j.a + row * j.columns, *y = j.b + row * j.columns;
    float *dx = j.y + row * j.columns;
    double sum = 0;
    for (size_t c = 0; c < j.columns; c++) sum += dy[c];
    for (size_t c = 0; c < j.columns; c++) dx[c] = dy[c] - expf(y[c]) * (float)sum;
  }
}

void graft_log_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t columns) {
  struct table j = {dx, dy, y, columns};
  graft_parallel(rows, row_grain(columns), log_softmax_gradient_range, &j);
}

// The elements of a row from the largest down, without sorting it: those that sparsemax keeps are few. Equal ones follow
// one another from the first to the last. Returns the position of the next, or `columns` after the last.
static size_t next_largest(const float *x, size_t columns, size_t after) {
  size_t best = columns;
  for (size_t c = 0; c < columns; c++) {
    bool is_below = after == columns || x[c] < x[after] || (x[c] == x[after] && c > after);
    if (is_below && (best == columns || x[c] > x[best])) best = c;
  }
  return best;
}

// Of the elements in descending order z1, z2 … with sums c1, c2 … the first k are kept for which zi > (ci − 1)/i. The
// level in the paper is (ck − 1)/k; Keras, on every backend, takes (c1 + … + ck − 1)/k, and so does this.
static size_t sparsemax_level(const float *x, size_t columns, double *level) {
  double sum = 0, sums = 0;
  size_t kept = 0, at = columns;
  while ((at = next_largest(x, columns, at)) < columns) {
    if (x[at] <= (sum + x[at] - 1) / (double)(kept + 1)) break;
    sum += x[at];
    sums += sum;
    kept++;
  }
  *level = (sums - 1) / (double)kept;
  return kept;
}

static void sparsemax_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * j.columns;
    float *y = j.y + row * j.columns;
    double level;
    sparsemax_level(x, j.columns, &level);
    for (size_t c = 0; c < j.columns; c++) y[c] = x[c] > level ? (float)(x[c] - level) : 0;
  }
}

void graft_sparsemax(float *y, const float *x, size_t rows, size_t columns) {
  struct table j = {y, x, NULL, columns};
  graft_parallel(rows, row_grain(columns), sparsemax_range, &j);
}

// The i-th largest of k kept elements stands k − i + 1 times in the level.
static void sparsemax_gradient_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *dy = j.a + row * j.columns, *x = j.b + row * j.columns;
    float *dx = j.y + row * j.columns;
    double level, sum = 0;
    size_t kept = sparsemax_level(x, j.columns, &level), at = j.columns;
    for (size_t c = 0; c < j.columns; c++) {
      dx[c] = x[c] > level ? dy[c] : 0;
      sum += dx[c];
    }
    for (size_t i = 0; i < kept; i++) {
      at = next_largest(x, j.columns, at);
      dx[at] -= (float)(sum * (double)(kept - i) / (double)kept);
    }
  }
}

void graft_sparsemax_gradient(float *dx, const float *dy, const float *x, size_t rows, size_t columns) {
  struct table j = {dx, dy, x, columns};
  graft_parallel(rows, row_grain(columns), sparsemax_gradient_range, &j);
}

GRAFT_CLONES static void prelu_range(const void *context, size_t begin, size_t end) {
  const struct table j = *(const struct table *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.a + row * j.columns, *alpha = j.b;
    float *y = j.y + row * j.columns;
    for (size_t c = 0; c < j.columns; c++) y[c] = x[c] > 0 ? x[c] : alpha[c] * x[c];
  }
}

void graft_prelu(float *y, const float *x, const float *alpha, size_t rows, size_t columns) {
  struct table j = {y, x, alpha, columns};
  graft_parallel(rows, row_grain(columns), prelu_range, &j);
}

struct prelu_gradient {
  float *dx;
  const float *dy, *x, *alpha;
  size_t columns;
};

GRAFT_CLONES static void prelu_gradient_range(const void *context, size_t begin, size_t end) {
  const struct prelu_gradient j = *(const struct prelu_gradient *)context;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.x + row * j.columns, *dy = j.dy + row * j.columns;
    float *dx = j.dx + row * j.columns;
    GRAFT_EACH
    for (size_t c = 0; c < j.columns; c++) dx[c] = dy[c] * (x[c] > 0 ? 1 : j.alpha[c]);
  }
}

void graft_prelu_gradient(float *dx, const float *dy, const float *x, const float *alpha, size_t rows, size_t columns) {
  struct prelu_gradient j = {dx, dy, x, alpha, columns};
  graft_parallel(rows, row_grain(columns), prelu_gradient_range, &j);
}
