// The loops of convolutions over blocks of channels, compiled for each width.
#ifndef GRAFT_CONVOLUTIONS_H
#define GRAFT_CONVOLUTIONS_H

#include "CKernels.h"

#define LOOPS(width)                                                                                                      \
  bool graft_winograd_is_fast_##width(graft_convolution shape);                                                           \
  size_t graft_winograd_kernel_count_##width(size_t inputs, size_t outputs);                                              \
  void graft_winograd_pack_##width(float *u, const float *w, const float *scale, size_t inputs, size_t outputs);          \
  void graft_winograd_pack_back_##width(float *u, const float *w, const float *scale, size_t inputs, size_t outputs);     \
  size_t graft_winograd_scratch_##width(graft_convolution shape, size_t workers);                                         \
  void graft_winograd_##width(float *y, const float *x, const float *u, graft_convolution shape, graft_ending ending,     \
                              float *scratch, size_t workers);                                                            \
  size_t graft_winograd_gradient_scratch_##width(graft_convolution shape);                                                \
  void graft_winograd_gradient_##width(float *dw, float *db, const float *x, const float *dy, graft_convolution shape,    \
                                       float *scratch, bool accumulate);                                                  \
  bool graft_pointwise_is_fast_##width(graft_convolution shape);                                                          \
  void graft_pointwise_gradient_##width(float *dw, float *db, const float *x, const float *dy, graft_convolution shape,   \
                                        bool accumulate);

LOOPS(8)
LOOPS(16)

#undef LOOPS

#endif
