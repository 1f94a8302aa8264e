#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

struct job {
  graft_function function;
  float *y;
  const float *x, *dy;
  float p, q;
};

// Below so many numbers a second thread costs more than it brings.
enum { grain = 4096 };

// One loop for each function: its value, or its slope times dy. A gradient may lie where dy lies, element by element.
#define LOOP(EXPRESSION)                                                                                               \
  for (size_t i = begin; i < end; i++) {                                                                               \
    float x = j.x[i];                                                                                                  \
    j.y[i] = EXPRESSION;                                                                                               \
  }                                                                                                                    \
  break

// The same for functions without calls into the mathematical library.
#define VECTOR_LOOP(EXPRESSION) GRAFT_EACH LOOP(EXPRESSION)

static const float selu_scale = 1.0507009873554805f, selu_alpha = 1.6732632423543772f;

// log(1 + e^x) without overflow
static inline float log_one_plus_exp(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }

static inline float logistic(float x) { return 1 / (1 + expf(-x)); }

GRAFT_CLONES static void value_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const float p = j.p, q = j.q;
  switch (j.function) {
    case graft_selu: LOOP(selu_scale * (x > 0 ? x : selu_alpha * expm1f(x)));
    case graft_celu: LOOP(x > 0 ? x : p * expm1f(x / p));
    case graft_softsign: VECTOR_LOOP(x / (1 + fabsf(x)));
    case graft_mish: LOOP(x * tanhf(log_one_plus_exp(x)));
    case graft_exponential: LOOP(expf(x));
    case graft_hard_tanh: VECTOR_LOOP(x < -1 ? -1 : (x > 1 ? 1 : x));
    case graft_hard_shrink: VECTOR_LOOP(fabsf(x) > p ? x : 0);
    case graft_soft_shrink: VECTOR_LOOP(x > p ? x - p : (x < -p ? x + p : 0));
    case graft_tanh_shrink: LOOP(x - tanhf(x));
    case graft_threshold: VECTOR_LOOP(x > p ? x : q);
    case graft_squareplus: LOOP(0.5f * (x + sqrtf(x * x + p)));
    case graft_sparse_plus: VECTOR_LOOP(x <= -1 ? 0 : (x >= 1 ? x : 0.25f * (x + 1) * (x + 1)));
    case graft_sparse_sigmoid: VECTOR_LOOP(x <= -1 ? 0 : (x >= 1 ? 1 : 0.5f * (x + 1)));
    case graft_log_sigmoid: LOOP(-log_one_plus_exp(-x));
  }
}

static inline float mish_slope(float x) {
  float t = tanhf(log_one_plus_exp(x));
  return t + x * (1 - t * t) * logistic(x);
}

GRAFT_CLONES static void slope_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const float p = j.p;
  switch (j.function) {
    case graft_selu: LOOP(j.dy[i] * selu_scale * (x > 0 ? 1 : selu_alpha * expf(x)));
    case graft_celu: LOOP(j.dy[i] * (x > 0 ? 1 : expf(x / p)));
    case graft_softsign: VECTOR_LOOP(j.dy[i] / ((1 + fabsf(x)) * (1 + fabsf(x))));
    case graft_mish: LOOP(j.dy[i] * mish_slope(x));
    case graft_exponential: LOOP(j.dy[i] * expf(x));
    case graft_hard_tanh: VECTOR_LOOP(x < -1 || x > 1 ? 0 : j.dy[i]);
    case graft_hard_shrink: VECTOR_LOOP(fabsf(x) > p ? j.dy[i] : 0);
    case graft_soft_shrink: VECTOR_LOOP(fabsf(x) > p ? j.dy[i] : 0);
    case graft_tanh_shrink: LOOP(j.dy[i] * tanhf(x) * tanhf(x));
    case graft_threshold: VECTOR_LOOP(x > p ? j.dy[i] : 0);
    case graft_squareplus: LOOP(j.dy[i] * 0.5f * (1 + x / sqrtf(x * x + p)));
    case graft_sparse_plus: VECTOR_LOOP(x <= -1 ? 0 : (x >= 1 ? j.dy[i] : j.dy[i] * 0.5f * (x + 1)));
    case graft_sparse_sigmoid: VECTOR_LOOP(x <= -1 || x >= 1 ? 0 : j.dy[i] * 0.5f);
    case graft_log_sigmoid: LOOP(j.dy[i] * logistic(-x));
  }
}

void graft_apply(graft_function function, float *y, const float *x, size_t n, float p, float q) {
  struct job j = {.function = function, .y = y, .x = x, .p = p, .q = q};
  graft_parallel(n, grain, value_range, &j);
}

void graft_apply_gradient(graft_function function, float *dx, const float *dy, const float *x, size_t n, float p) {
  struct job j = {.function = function, .y = dx, .dy = dy, .x = x, .p = p};
  graft_parallel(n, grain, slope_range, &j);
}
