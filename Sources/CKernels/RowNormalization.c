#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

struct job {
  graft_rows n;
  float *y, *mean, *inverse, *scratch;
  const float *x, *dy, *gamma, *beta;
};

enum { lanes = 16, block = 1024 };

// Sums run in lanes over blocks of a row; the blocks are added in double precision.
#define SUM_OVER_ROW(RESULT, COUNT, TERM)                                                                              \
  double RESULT = 0;                                                                                                   \
  for (size_t first = 0; first < COUNT; first += block) {                                                              \
    size_t last = first + block < COUNT ? first + block : COUNT, i = first;                                            \
    float lane[lanes] = {0}, rest = 0;                                                                                 \
    for (; i + lanes <= last; i += lanes)                                                                              \
      for (size_t k = 0; k < lanes; k++) {                                                                             \
        size_t c = i + k;                                                                                              \
        lane[k] += TERM;                                                                                               \
      }                                                                                                                \
    for (size_t c = i; c < last; c++) rest += TERM;                                                                    \
    double part = rest;                                                                                                \
    for (size_t k = 0; k < lanes; k++) part += lane[k];                                                                \
    RESULT += part;                                                                                                    \
  }

GRAFT_CLONES static void forward_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t n = j.n.columns;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.x + row * n;
    float *y = j.y + row * n, mean = 0;
    if (j.n.removes_mean || j.n.about_mean) {
      SUM_OVER_ROW(sum, n, x[c])
      mean = (float)(sum / (double)n);
    }
    float centre = j.n.about_mean ? mean : 0, taken = j.n.removes_mean ? mean : 0;
    SUM_OVER_ROW(square, n, (x[c] - centre) * (x[c] - centre))
    double size = square * j.n.factor + j.n.epsilon;
    float inverse = (float)(1 / sqrt(size > j.n.least ? size : j.n.least));
    j.mean[row] = mean;
    j.inverse[row] = inverse;
    if (j.gamma && j.beta)
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) y[c] = (x[c] - taken) * inverse * j.gamma[c] + j.beta[c];
    else if (j.gamma)
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) y[c] = (x[c] - taken) * inverse * j.gamma[c];
    else if (j.beta)
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) y[c] = (x[c] - taken) * inverse + j.beta[c];
    else
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) y[c] = (x[c] - taken) * inverse;
  }
}

static size_t row_grain(graft_rows n) { return 1 + 4096 / (1 + n.columns); }

void graft_normalize_rows(float *y, const float *x, const float *gamma, const float *beta, float *mean, float *inverse,
                          graft_rows n) {
  struct job j = {.n = n, .y = y, .x = x, .gamma = gamma, .beta = beta, .mean = mean, .inverse = inverse};
  graft_parallel(n.rows, row_grain(n), forward_range, &j);
}

// With u = x − a·μ, v = x − b·μ, g = γ·dy and r = 1/s: dx = r·(g − a·mean(g)) − r³·factor·v·Σ g·u.
GRAFT_CLONES static void gradient_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t n = j.n.columns;
  for (size_t row = begin; row < end; row++) {
    const float *x = j.x + row * n, *dy = j.dy + row * n, *gamma = j.gamma;
    float *dx = j.y + row * n, mean = j.mean[row], inverse = j.inverse[row];
    float centre = j.n.about_mean ? mean : 0, taken = j.n.removes_mean ? mean : 0;
    double total = 0, product = 0;
    if (gamma) {
      SUM_OVER_ROW(p, n, dy[c] * gamma[c] * (x[c] - taken))
      product = p;
    } else {
      SUM_OVER_ROW(p, n, dy[c] * (x[c] - taken))
      product = p;
    }
    if (j.n.removes_mean) {
      if (gamma) {
        SUM_OVER_ROW(t, n, dy[c] * gamma[c])
        total = t;
      } else {
        SUM_OVER_ROW(t, n, dy[c])
        total = t;
      }
    }
    // Where the least size was taken the scale does not depend on x.
    bool is_fixed = j.n.least > 0 && inverse * inverse * j.n.least >= 1;
    float steep = is_fixed ? 0 : (float)((double)inverse * inverse * inverse * j.n.factor * product);
    float level = (float)(total / (double)n);
    // dx may be dy, each element read before it is written.
    if (gamma)
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) dx[c] = inverse * (dy[c] * gamma[c] - level) - steep * (x[c] - centre);
    else
      GRAFT_EACH
      for (size_t c = 0; c < n; c++) dx[c] = inverse * (dy[c] - level) - steep * (x[c] - centre);
  }
}

void graft_normalize_rows_gradient(float *dx, const float *dy, const float *x, const float *gamma, const float *mean,
                                   const float *inverse, graft_rows n) {
  struct job j = {.n = n, .y = dx, .dy = dy, .x = x, .gamma = gamma, .mean = (float *)mean, .inverse = (float *)inverse};
  graft_parallel(n.rows, row_grain(n), gradient_range, &j);
}

// The table is cut into parts of rows and strips of columns, so that few long rows and many short ones both keep all
// threads busy.
enum { part_rows = 128, strip = 512 };

static size_t part_count(graft_rows n) { return (n.rows + part_rows - 1) / part_rows; }

static size_t strip_count(graft_rows n) { return (n.columns + strip - 1) / strip; }

size_t graft_row_parameters_scratch(graft_rows n) { return 2 * part_count(n) * n.columns; }

GRAFT_CLONES static void parameters_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t n = j.n.columns, strips = strip_count(j.n);
  for (size_t item = begin; item < end; item++) {
    size_t part = item / strips, left = item % strips * strip, right = left + strip < n ? left + strip : n;
    size_t top = part * part_rows, bottom = top + part_rows < j.n.rows ? top + part_rows : j.n.rows;
    float *restrict first = j.scratch + 2 * part * n, *restrict second = first + n;
    for (size_t c = left; c < right; c++) first[c] = second[c] = 0;
    for (size_t row = top; row < bottom; row++) {
      const float *dy = j.dy + row * n, *x = j.x + row * n;
      float taken = j.n.removes_mean ? j.mean[row] : 0, inverse = j.inverse[row];
      for (size_t c = left; c < right; c++) {
        first[c] += dy[c];
        second[c] += dy[c] * ((x[c] - taken) * inverse);
      }
    }
  }
}

GRAFT_CLONES static void gather_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t n = j.n.columns, parts = part_count(j.n);
  float *dgamma = j.y, *dbeta = j.mean;
  for (size_t c = begin; c < end; c++) dgamma[c] = dbeta[c] = 0;
  for (size_t part = 0; part < parts; part++) {
    const float *first = j.scratch + 2 * part * n, *second = first + n;
    for (size_t c = begin; c < end; c++) {
      dbeta[c] += first[c];
      dgamma[c] += second[c];
    }
  }
}

void graft_row_parameters_gradient(float *dgamma, float *dbeta, const float *dy, const float *x, const float *mean,
                                   const float *inverse, graft_rows n, float *scratch) {
  struct job j = {.n = n, .dy = dy, .x = x, .mean = (float *)mean, .inverse = (float *)inverse, .scratch = scratch};
  graft_parallel(part_count(n) * strip_count(n), 1, parameters_range, &j);
  struct job g = {.n = n, .y = dgamma, .mean = dbeta, .scratch = scratch};
  graft_parallel(n.columns, 1 + 8192 / part_count(n), gather_range, &g);
}
