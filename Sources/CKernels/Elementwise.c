#include "CKernels.h"
#include "Parallel.h"
#include <math.h>
#include <string.h>

// Below so many numbers a second thread costs more than it brings.
enum { grain = 8192 };

struct operands {
  float *y;
  const float *a, *b;
  float p, q, r;
  uint64_t seed;
};

GRAFT_CLONES static void fill_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] = o.p;
}

void graft_fill(float *y, float value, size_t n) {
  struct operands o = {.y = y, .p = value};
  graft_parallel(n, grain, fill_range, &o);
}

GRAFT_CLONES static void accumulate_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] += o.a[i];
}

void graft_accumulate(float *y, const float *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, accumulate_range, &o);
}

GRAFT_CLONES static void add_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] = o.a[i] + o.b[i];
}

void graft_add(float *y, const float *a, const float *b, size_t n) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, add_range, &o);
}

GRAFT_CLONES static void multiply_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] = o.a[i] * o.b[i];
}

void graft_multiply(float *y, const float *a, const float *b, size_t n) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, multiply_range, &o);
}

GRAFT_CLONES static void multiply_accumulate_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] += o.a[i] * o.b[i];
}

void graft_multiply_accumulate(float *y, const float *a, const float *b, size_t n) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, multiply_accumulate_range, &o);
}

GRAFT_CLONES static void relu_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float x = o.a[i], low = o.p * (x - o.q), high = x < o.r ? x : o.r;
    o.y[i] = x >= o.q ? high : low;
  }
}

void graft_relu(float *y, const float *x, size_t n, float slope, float threshold, float top) {
  struct operands o = {.y = y, .a = x, .p = slope, .q = threshold, .r = top};
  graft_parallel(n, grain, relu_range, &o);
}

GRAFT_CLONES static void relu_gradient_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float x = o.b[i], factor = x > o.q ? (x < o.r ? 1.0f : 0.0f) : o.p;
    o.y[i] = o.a[i] * factor;
  }
}

void graft_relu_gradient(float *dx, const float *dy, const float *xy, size_t n, float slope, float threshold, float top) {
  struct operands o = {.y = dx, .a = dy, .b = xy, .p = slope, .q = threshold, .r = top};
  graft_parallel(n, grain, relu_gradient_range, &o);
}

GRAFT_CLONES static void hard_sigmoid_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float v = o.p * o.a[i] + o.q;
    v = v > 0 ? v : 0;
    o.y[i] = v < 1 ? v : 1;
  }
}

void graft_hard_sigmoid(float *y, const float *x, size_t n, float scale, float offset) {
  struct operands o = {.y = y, .a = x, .p = scale, .q = offset};
  graft_parallel(n, grain, hard_sigmoid_range, &o);
}

GRAFT_CLONES static void hard_sigmoid_gradient_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float v = o.b[i];
    o.y[i] = v > 0 && v < 1 ? o.a[i] * o.p : 0;
  }
}

void graft_hard_sigmoid_gradient(float *dx, const float *dy, const float *y, size_t n, float scale) {
  struct operands o = {.y = dx, .a = dy, .b = y, .p = scale};
  graft_parallel(n, grain, hard_sigmoid_gradient_range, &o);
}

GRAFT_CLONES static void hard_silu_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float x = o.a[i], v = x + 3;
    v = v > 0 ? v : 0;
    v = v < 6 ? v : 6;
    o.y[i] = x * v * (1.0f / 6);
  }
}

void graft_hard_silu(float *y, const float *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, hard_silu_range, &o);
}

GRAFT_CLONES static void hard_silu_gradient_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float x = o.b[i], inner = (2 * x + 3) * (1.0f / 6);
    float factor = x < -3 ? 0 : (x > 3 ? 1 : inner);
    o.y[i] = o.a[i] * factor;
  }
}

void graft_hard_silu_gradient(float *dx, const float *dy, const float *x, size_t n) {
  struct operands o = {.y = dx, .a = dy, .b = x};
  graft_parallel(n, grain, hard_silu_gradient_range, &o);
}

GRAFT_CLONES static void dropout_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    uint64_t z = o.seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    float u = (float)((z ^ (z >> 31)) >> 40) * 0x1p-24f;
    o.y[i] = u >= o.p ? o.a[i] * o.q : 0;
  }
}

void graft_dropout(float *y, const float *x, size_t n, float rate, uint64_t seed) {
  struct operands o = {.y = y, .a = x, .p = rate, .q = 1 / (1 - rate), .seed = seed};
  graft_parallel(n, grain, dropout_range, &o);
}

GRAFT_CLONES static void scale_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] *= o.p;
}

void graft_scale(float *x, size_t n, float factor) {
  struct operands o = {.y = x, .p = factor};
  graft_parallel(n, grain, scale_range, &o);
}

GRAFT_CLONES static void clip_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) {
    float v = o.y[i];
    v = v < o.p ? v : o.p;
    o.y[i] = v > -o.p ? v : -o.p;
  }
}

void graft_clip(float *x, size_t n, float limit) {
  struct operands o = {.y = x, .p = limit};
  graft_parallel(n, grain, clip_range, &o);
}

GRAFT_CLONES static void decay_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  for (size_t i = begin; i < end; i++) o.y[i] -= o.p * o.y[i];
}

void graft_decay(float *w, size_t n, float factor) {
  struct operands o = {.y = w, .p = factor};
  graft_parallel(n, grain, decay_range, &o);
}

static void copy_range(const void *context, size_t begin, size_t end) {
  const struct operands *o = context;
  memcpy(o->y + begin, o->a + begin, (end - begin) * sizeof(float));
}

void graft_copy(float *y, const float *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, copy_range, &o);
}
