#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

enum { grain = 32768 };

// sqrtf may have to set errno, and a loop with it is not vectorised.
static inline __attribute__((always_inline)) float square_root(float x) {
#if __has_builtin(__builtin_elementwise_sqrt)
  return __builtin_elementwise_sqrt(x);
#else
  return sqrtf(x);
#endif
}

struct update {
  float *w, *m, *v;
  const float *g;
  float rate, beta1, beta2, epsilon;
};

GRAFT_CLONES static void plain_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) u.w[i] -= u.rate * u.g[i];
}

GRAFT_CLONES static void momentum_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    u.v[i] = u.beta1 * u.v[i] - u.rate * u.g[i];
    u.w[i] += u.v[i];
  }
}

GRAFT_CLONES static void nesterov_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    u.v[i] = u.beta1 * u.v[i] - u.rate * u.g[i];
    u.w[i] += u.beta1 * u.v[i] - u.rate * u.g[i];
  }
}

void graft_step_sgd(float *w, const float *g, float *v, size_t n, float rate, float momentum, bool nesterov) {
  struct update u = {.w = w, .v = v, .g = g, .rate = rate, .beta1 = momentum};
  graft_parallel(n, grain, momentum == 0 || !v ? plain_range : nesterov ? nesterov_range : momentum_range, &u);
}

GRAFT_CLONES static void adam_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    float g = u.g[i], m = u.m[i] + (g - u.m[i]) * (1 - u.beta1), v = u.v[i] + (g * g - u.v[i]) * (1 - u.beta2);
    u.m[i] = m;
    u.v[i] = v;
    u.w[i] -= u.rate * m / (square_root(v) + u.epsilon);
  }
}

void graft_step_adam(float *w, const float *g, float *m, float *v, size_t n, float rate, float beta1, float beta2,
                     float epsilon) {
  struct update u = {w, m, v, g, rate, beta1, beta2, epsilon};
  graft_parallel(n, grain, adam_range, &u);
}

GRAFT_CLONES static void rmsprop_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    float g = u.g[i];
    u.v[i] = u.beta2 * u.v[i] + (1 - u.beta2) * (g * g);
    u.w[i] -= u.rate * g / square_root(u.v[i] + u.epsilon);
  }
}

GRAFT_CLONES static void rmsprop_momentum_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    float g = u.g[i];
    u.v[i] = u.beta2 * u.v[i] + (1 - u.beta2) * (g * g);
    u.m[i] = u.beta1 * u.m[i] + u.rate * g / square_root(u.v[i] + u.epsilon);
    u.w[i] -= u.m[i];
  }
}

void graft_step_rmsprop(float *w, const float *g, float *square, float *increment, size_t n, float rate, float rho,
                        float momentum, float epsilon) {
  struct update u = {w, increment, square, g, rate, momentum, rho, epsilon};
  graft_parallel(n, grain, momentum == 0 || !increment ? rmsprop_range : rmsprop_momentum_range, &u);
}

GRAFT_CLONES static void lion_range(const void *context, size_t begin, size_t end) {
  const struct update u = *(const struct update *)context;
  for (size_t i = begin; i < end; i++) {
    float g = u.g[i], m = u.m[i], c = u.beta1 * m + (1 - u.beta1) * g;
    u.w[i] -= c > 0 ? u.rate : c < 0 ? -u.rate : 0;
    u.m[i] = u.beta2 * m + (1 - u.beta2) * g;
  }
}

void graft_step_lion(float *w, const float *g, float *m, size_t n, float rate, float beta1, float beta2) {
  struct update u = {.w = w, .m = m, .g = g, .rate = rate, .beta1 = beta1, .beta2 = beta2};
  graft_parallel(n, grain, lion_range, &u);
}

// The sum is cut by the length alone, never by the number of threads.
enum { part = 65536 };

struct norm {
  const float *x;
  size_t n;
  double *sums;
};

GRAFT_CLONES static void norm_range(const void *context, size_t begin, size_t end) {
  const struct norm job = *(const struct norm *)context;
  for (size_t p = begin; p < end; p++) {
    size_t first = p * part, last = first + part < job.n ? first + part : job.n;
    double lanes[8] = {0};
    size_t i = first;
    for (; i + 8 <= last; i += 8)
      for (int lane = 0; lane < 8; lane++) lanes[lane] += (double)job.x[i + lane] * job.x[i + lane];
    for (; i < last; i++) lanes[0] += (double)job.x[i] * job.x[i];
    double sum = 0;
    for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
    job.sums[p] = sum;
  }
}

enum { most = 256 };

double graft_squared_norm(const float *x, size_t n) {
  double sums[most], total = 0;
  for (size_t start = 0; start < n; start += (size_t)most * part) {
    size_t count = n - start < (size_t)most * part ? n - start : (size_t)most * part;
    size_t parts = (count + part - 1) / part;
    struct norm job = {x + start, count, sums};
    graft_parallel(parts, 1, norm_range, &job);
    for (size_t p = 0; p < parts; p++) total += sums[p];
  }
  return total;
}

// LAMB goes over a parameter twice: how far it moves depends on the norms of all of it and of its whole update.
struct lamb {
  float *w, *m, *v;
  const float *g;
  size_t n;
  float rate, beta1, beta2, epsilon, first_correction, second_correction;
  double *weight_sums, *update_sums;
};

static inline __attribute__((always_inline)) float lamb_update(float m, float v, const struct lamb *u) {
  return m * u->first_correction / (square_root(v * u->second_correction) + u->epsilon);
}

GRAFT_CLONES static void lamb_moments_range(const void *context, size_t begin, size_t end) {
  const struct lamb u = *(const struct lamb *)context;
  for (size_t p = begin; p < end; p++) {
    size_t first = p * part, last = first + part < u.n ? first + part : u.n;
    double weights[8] = {0}, updates[8] = {0};
    for (size_t i = first; i < last; i += 64) {
      size_t count = last - i < 64 ? last - i : 64;
      // What a last short row lacks is zero.
      float w[64] = {0}, r[64] = {0};
      for (size_t j = 0; j < count; j++) {
        float g = u.g[i + j];
        float m = u.m[i + j] + (g - u.m[i + j]) * (1 - u.beta1), v = u.v[i + j] + (g * g - u.v[i + j]) * (1 - u.beta2);
        u.m[i + j] = m;
        u.v[i + j] = v;
        w[j] = u.w[i + j];
        r[j] = lamb_update(m, v, &u);
      }
      for (size_t j = 0; j < 64; j += 8)
        for (int lane = 0; lane < 8; lane++) {
          weights[lane] += (double)w[j + lane] * w[j + lane];
          updates[lane] += (double)r[j + lane] * r[j + lane];
        }
    }
    double weight_sum = 0, update_sum = 0;
    for (int lane = 0; lane < 8; lane++) {
      weight_sum += weights[lane];
      update_sum += updates[lane];
    }
    u.weight_sums[p] = weight_sum;
    u.update_sums[p] = update_sum;
  }
}

GRAFT_CLONES static void lamb_range(const void *context, size_t begin, size_t end) {
  const struct lamb u = *(const struct lamb *)context;
  for (size_t i = begin; i < end; i++) u.w[i] -= u.rate * lamb_update(u.m[i], u.v[i], &u);
}

void graft_step_lamb(float *w, const float *g, float *m, float *v, size_t n, float rate, float beta1, float beta2,
                     float epsilon, float first_correction, float second_correction) {
  double weight_sums[most], update_sums[most], weights = 0, updates = 0;
  struct lamb u = {w,     m,       v,                g,                 n,           rate,       beta1,
                   beta2, epsilon, first_correction, second_correction, weight_sums, update_sums};
  for (size_t start = 0; start < n; start += (size_t)most * part) {
    struct lamb job = u;
    job.w += start, job.m += start, job.v += start, job.g += start;
    job.n = n - start < (size_t)most * part ? n - start : (size_t)most * part;
    size_t parts = (job.n + part - 1) / part;
    graft_parallel(parts, 1, lamb_moments_range, &job);
    for (size_t p = 0; p < parts; p++) {
      weights += weight_sums[p];
      updates += update_sums[p];
    }
  }
  if (weights > 0 && updates > 0) u.rate = (float)(rate * sqrt(weights / updates));
  graft_parallel(n, grain, lamb_range, &u);
}

// MARK: Beside a step

struct blend {
  float *y;
  const float *a, *b;
  float share;
};

GRAFT_CLONES static void pull_range(const void *context, size_t begin, size_t end) {
  const struct blend o = *(const struct blend *)context;
  for (size_t i = begin; i < end; i++) o.y[i] += o.share * (o.a[i] - o.b[i]);
}

void graft_pull(float *g, const float *w, const float *anchor, size_t n, float strength) {
  struct blend o = {g, w, anchor, strength};
  graft_parallel(n, grain, pull_range, &o);
}

GRAFT_CLONES static void average_range(const void *context, size_t begin, size_t end) {
  const struct blend o = *(const struct blend *)context;
  for (size_t i = begin; i < end; i++) o.y[i] += o.share * (o.a[i] - o.y[i]);
}

void graft_average(float *mean, const float *w, size_t n, float share) {
  struct blend o = {.y = mean, .a = w, .share = share};
  graft_parallel(n, grain, average_range, &o);
}
