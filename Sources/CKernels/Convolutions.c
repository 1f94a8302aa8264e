#include "Convolutions.h"

#define FOR_WIDTH(width, f) ((width) == 16 ? f##_16 : f##_8)

bool graft_winograd_is_fast(graft_convolution s) { return FOR_WIDTH(s.width, graft_winograd_is_fast)(s); }

size_t graft_winograd_kernel_count(size_t inputs, size_t outputs, size_t width) {
  return FOR_WIDTH(width, graft_winograd_kernel_count)(inputs, outputs);
}

void graft_winograd_pack(float *u, const float *w, const float *scale, size_t inputs, size_t outputs, size_t width) {
  FOR_WIDTH(width, graft_winograd_pack)(u, w, scale, inputs, outputs);
}

void graft_winograd_pack_back(float *u, const float *w, const float *scale, size_t inputs, size_t outputs,
                              size_t width) {
  FOR_WIDTH(width, graft_winograd_pack_back)(u, w, scale, inputs, outputs);
}

size_t graft_winograd_scratch(graft_convolution s, size_t workers) {
  return FOR_WIDTH(s.width, graft_winograd_scratch)(s, workers);
}

void graft_winograd(float *y, const float *x, const float *u, graft_convolution s, graft_ending ending, float *scratch,
                    size_t workers) {
  FOR_WIDTH(s.width, graft_winograd)(y, x, u, s, ending, scratch, workers);
}

size_t graft_winograd_gradient_scratch(graft_convolution s) {
  return FOR_WIDTH(s.width, graft_winograd_gradient_scratch)(s);
}

void graft_winograd_gradient(float *dw, float *db, const float *x, const float *dy, graft_convolution s, float *scratch,
                             bool accumulate) {
  FOR_WIDTH(s.width, graft_winograd_gradient)(dw, db, x, dy, s, scratch, accumulate);
}

bool graft_pointwise_is_fast(graft_convolution s) { return FOR_WIDTH(s.width, graft_pointwise_is_fast)(s); }

void graft_pointwise_gradient(float *dw, float *db, const float *x, const float *dy, graft_convolution s,
                              bool accumulate) {
  FOR_WIDTH(s.width, graft_pointwise_gradient)(dw, db, x, dy, s, accumulate);
}
