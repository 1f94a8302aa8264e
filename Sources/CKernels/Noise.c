#include "CKernels.h"
#include "Parallel.h"
#include <math.h>

struct job {
  graft_noise noise;
  float *y;
  const float *x;
  float amount;
  uint64_t seed;
  bool backward;
};

static inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A normally distributed number made of a seed and an index, after Box and Muller.
static inline float normal(uint64_t seed, size_t i) {
  uint64_t z = mixed(seed + (i + 1) * 0x9E3779B97F4A7C15u);
  float u = (float)((z >> 40) + 1) * 0x1p-24f, v = (float)(z & 0xFFFFFF) * 0x1p-24f;
  return sqrtf(-2 * logf(u)) * cosf(6.2831853f * v);
}

GRAFT_CLONES static void noise_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  switch (j.noise) {
    case graft_noise_added:
      for (size_t i = begin; i < end; i++) j.y[i] = j.x[i] + (j.backward ? 0 : j.amount * normal(j.seed, i));
      break;
    case graft_noise_multiplied: {
      float deviation = sqrtf(j.amount / (1 - j.amount));
      for (size_t i = begin; i < end; i++) j.y[i] = j.x[i] * (1 + deviation * normal(j.seed, i));
      break;
    }
    case graft_noise_alpha: {
      const float least = -1.7580993408473766f;  // what selu tends to for small x
      float scale = 1 / sqrtf((1 - j.amount) * (1 + j.amount * least * least));
      float shift = j.backward ? 0 : -scale * least * j.amount, dropped = j.backward ? 0 : scale * least;
      for (size_t i = begin; i < end; i++) {
        float u = (float)(mixed(j.seed + (i + 1) * 0x9E3779B97F4A7C15u) >> 40) * 0x1p-24f;
        j.y[i] = (u >= j.amount ? scale * j.x[i] : dropped) + shift;
      }
      break;
    }
  }
}

void graft_add_noise(graft_noise noise, float *y, const float *x, size_t n, float amount, uint64_t seed, bool backward) {
  struct job j = {.noise = noise, .y = y, .x = x, .amount = amount, .seed = seed, .backward = backward};
  graft_parallel(n, 4096, noise_range, &j);
}

struct extremum {
  float *y;
  const float *a, *b, *dy;
  bool least;
};

GRAFT_CLONES static void extremum_range(const void *context, size_t begin, size_t end) {
  const struct extremum j = *(const struct extremum *)context;
  if (j.least)
    for (size_t i = begin; i < end; i++) j.y[i] = j.a[i] < j.b[i] ? j.a[i] : j.b[i];
  else
    for (size_t i = begin; i < end; i++) j.y[i] = j.a[i] > j.b[i] ? j.a[i] : j.b[i];
}

void graft_extremum(float *y, const float *a, const float *b, size_t n, bool least) {
  struct extremum j = {.y = y, .a = a, .b = b, .least = least};
  graft_parallel(n, 8192, extremum_range, &j);
}

GRAFT_CLONES static void extremum_gradient_range(const void *context, size_t begin, size_t end) {
  const struct extremum j = *(const struct extremum *)context;
  for (size_t i = begin; i < end; i++) {
    float won = j.least ? j.b[i] - j.a[i] : j.a[i] - j.b[i];
    j.y[i] = j.dy[i] * (won > 0 ? 1.0f : (won < 0 ? 0.0f : 0.5f));
  }
}

void graft_extremum_gradient(float *da, const float *dy, const float *a, const float *b, size_t n, bool least) {
  struct extremum j = {.y = da, .a = a, .b = b, .dy = dy, .least = least};
  graft_parallel(n, 8192, extremum_gradient_range, &j);
}
