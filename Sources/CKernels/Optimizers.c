#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

enum { grain = 8192 };

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
    float g = u.g[i];
    u.m[i] += (g - u.m[i]) * (1 - u.beta1);
    u.v[i] += (g * g - u.v[i]) * (1 - u.beta2);
    u.w[i] -= u.rate * u.m[i] / (sqrtf(u.v[i]) + u.epsilon);
  }
}

void graft_step_adam(float *w, const float *g, float *m, float *v, size_t n, float rate, float beta1, float beta2,
                     float epsilon) {
  struct update u = {w, m, v, g, rate, beta1, beta2, epsilon};
  graft_parallel(n, grain, adam_range, &u);
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

double graft_squared_norm(const float *x, size_t n) {
  enum { most = 256 };
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
