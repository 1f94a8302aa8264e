#include "CKernels.h"
#include "Parallel.h"
#include <math.h>
#include <string.h>

// Below so many numbers a second thread costs more than it brings.
enum { grain = 32768 };

struct operands {
  void *y;
  const void *a, *b;
  float p, q, r;
  uint64_t seed;
};

#define LOOPS "ElementwiseLoops.h"
#include "ForEachNumber.h"

GRAFT_CLONES static void fill_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  for (size_t i = begin; i < end; i++) y[i] = o.p;
}

void graft_fill(float *y, float value, size_t n) {
  struct operands o = {.y = y, .p = value};
  graft_parallel(n, grain, fill_range, &o);
}

void graft_accumulate(void *y, const void *x, size_t n, graft_type type) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, LOOP_FOR(type, accumulate_range), &o);
}

void graft_add(void *y, const void *a, const void *b, size_t n, graft_type type) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, LOOP_FOR(type, add_range), &o);
}

void graft_multiply(void *y, const void *a, const void *b, size_t n, graft_type type) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, LOOP_FOR(type, multiply_range), &o);
}

GRAFT_CLONES static void multiply_accumulate_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  const float *a = o.a, *b = o.b;
  for (size_t i = begin; i < end; i++) y[i] += a[i] * b[i];
}

void graft_multiply_accumulate(float *y, const float *a, const float *b, size_t n) {
  struct operands o = {.y = y, .a = a, .b = b};
  graft_parallel(n, grain, multiply_accumulate_range, &o);
}

void graft_relu(void *y, const void *x, size_t n, float slope, float threshold, float top, graft_type type) {
  struct operands o = {.y = y, .a = x, .p = slope, .q = threshold, .r = top};
  graft_parallel(n, grain, LOOP_FOR(type, relu_range), &o);
}

void graft_relu_gradient(void *dx, const void *dy, const void *xy, size_t n, float slope, float threshold, float top,
                         graft_type type) {
  struct operands o = {.y = dx, .a = dy, .b = xy, .p = slope, .q = threshold, .r = top};
  graft_parallel(n, grain, LOOP_FOR(type, relu_gradient_range), &o);
}

void graft_hard_sigmoid(void *y, const void *x, size_t n, float scale, float offset, graft_type type) {
  struct operands o = {.y = y, .a = x, .p = scale, .q = offset};
  graft_parallel(n, grain, LOOP_FOR(type, hard_sigmoid_range), &o);
}

void graft_hard_sigmoid_gradient(void *dx, const void *dy, const void *y, size_t n, float scale, graft_type type) {
  struct operands o = {.y = dx, .a = dy, .b = y, .p = scale};
  graft_parallel(n, grain, LOOP_FOR(type, hard_sigmoid_gradient_range), &o);
}

void graft_hard_silu(void *y, const void *x, size_t n, graft_type type) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, LOOP_FOR(type, hard_silu_range), &o);
}

void graft_hard_silu_gradient(void *dx, const void *dy, const void *x, size_t n, graft_type type) {
  struct operands o = {.y = dx, .a = dy, .b = x};
  graft_parallel(n, grain, LOOP_FOR(type, hard_silu_gradient_range), &o);
}

void graft_dropout(void *y, const void *x, size_t n, float rate, uint64_t seed, graft_type type) {
  struct operands o = {.y = y, .a = x, .p = rate, .q = 1 / (1 - rate), .seed = seed};
  graft_parallel(n, grain, LOOP_FOR(type, dropout_range), &o);
}

GRAFT_CLONES static void scale_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  for (size_t i = begin; i < end; i++) y[i] *= o.p;
}

void graft_scale(float *x, size_t n, float factor) {
  struct operands o = {.y = x, .p = factor};
  graft_parallel(n, grain, scale_range, &o);
}

GRAFT_CLONES static void clip_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  for (size_t i = begin; i < end; i++) {
    float v = y[i];
    v = v < o.p ? v : o.p;
    y[i] = v > -o.p ? v : -o.p;
  }
}

void graft_clip(float *x, size_t n, float limit) {
  struct operands o = {.y = x, .p = limit};
  graft_parallel(n, grain, clip_range, &o);
}

GRAFT_CLONES static void decay_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  for (size_t i = begin; i < end; i++) y[i] -= o.p * y[i];
}

void graft_decay(float *w, size_t n, float factor) {
  struct operands o = {.y = w, .p = factor};
  graft_parallel(n, grain, decay_range, &o);
}

static void copy_range(const void *context, size_t begin, size_t end) {
  const struct operands *o = context;
  memcpy((float *)o->y + begin, (const float *)o->a + begin, (end - begin) * sizeof(float));
}

void graft_copy(float *y, const float *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, copy_range, &o);
}

GRAFT_CLONES static void widen_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  const uint16_t *a = o.a;
  for (size_t i = begin; i < end; i++) y[i] = graft_load_bf16(a[i]);
}

void graft_widen(float *y, const void *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, widen_range, &o);
}

GRAFT_CLONES static void narrow_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  uint16_t *y = o.y;
  const float *a = o.a;
  for (size_t i = begin; i < end; i++) y[i] = graft_store_bf16(a[i]);
}

void graft_narrow(void *y, const float *x, size_t n) {
  struct operands o = {.y = y, .a = x};
  graft_parallel(n, grain, narrow_range, &o);
}

GRAFT_CLONES static void round_range(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  float *y = o.y;
  for (size_t i = begin; i < end; i++) y[i] = graft_load_bf16(graft_store_bf16(y[i]));
}

void graft_round_to_bf16(float *x, size_t n) {
  struct operands o = {.y = x};
  graft_parallel(n, grain, round_range, &o);
}
