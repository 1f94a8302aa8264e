// oneDNN as Swift sees it: one interface over the C interfaces of oneDNN 2.x and 3.x.
//
// What both versions share (engines, streams, memories, primitives) is imported as it is. A function stands here only
// where the two differ or where Swift cannot import a macro. Every function returns a dnnl_status_t.
#ifndef GRAFT_CDNNL_H
#define GRAFT_CDNNL_H

#include <dnnl.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A memory descriptor: a struct in oneDNN 2, an opaque object in 3. Owned by whoever created it.
typedef struct graft_md graft_md;

dnnl_status_t graft_md_create_strided(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                      const int64_t *strides);
// tag: dnnl_format_tag_any, dnnl_nhwc, dnnl_nchw, dnnl_nChw8c, dnnl_nChw16c …
dnnl_status_t graft_md_create_tagged(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                     dnnl_format_tag_t tag);
dnnl_status_t graft_md_clone(graft_md **md, const graft_md *other);
void graft_md_destroy(graft_md *md);
int graft_md_equal(const graft_md *a, const graft_md *b);
size_t graft_md_size(const graft_md *md);
// The descriptor of one argument of a primitive; it belongs to the primitive descriptor. NULL where there is none.
const graft_md *graft_pd_md(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index);
const char *graft_pd_implementation(const_dnnl_primitive_desc_t pd);
dnnl_status_t graft_memory_create(dnnl_memory_t *memory, const graft_md *md, dnnl_engine_t engine);

dnnl_status_t graft_post_ops_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta);
// How an array lies in memory: its extents, the distance of neighbours along each axis (of blocks, where an axis is cut
// into blocks), and the blocks from the outermost to the innermost, each with its axis. Arrays have room for
// DNNL_MAX_NDIMS numbers. Returns the number of axes; 0 for a layout that cannot be said so.
int graft_md_form(const graft_md *md, int64_t *dims, int64_t *strides, int64_t *blocks, int64_t *axes,
                  int *block_count);

// What is computed is added to what the destination holds.
dnnl_status_t graft_post_ops_sum(dnnl_post_ops_t ops);
dnnl_status_t graft_post_ops_add(dnnl_post_ops_t ops, const graft_md *md);

// A window over the two axes of an image: strides, dilation (0 = dense) and padding before and after.
typedef struct {
  int64_t size[2], strides[2], dilation[2], before[2], after[2];
} graft_window;

dnnl_status_t graft_convolution_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                        const graft_md *source, const graft_md *weights, const graft_md *bias,
                                        const graft_md *destination, const graft_window *window,
                                        const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_convolution_backward_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                              const graft_md *source_gradient, const graft_md *weights,
                                              const graft_md *destination_gradient, const graft_window *window,
                                              const_dnnl_primitive_desc_t forward,
                                              const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_convolution_backward_weights(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 const graft_md *source, const graft_md *weights_gradient,
                                                 const graft_md *bias_gradient, const graft_md *destination_gradient,
                                                 const graft_window *window, const_dnnl_primitive_desc_t forward,
                                                 const_dnnl_primitive_attr_t attributes);

dnnl_status_t graft_inner_product_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                          const graft_md *source, const graft_md *weights, const graft_md *bias,
                                          const graft_md *destination, const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_inner_product_backward_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                const graft_md *source_gradient, const graft_md *weights,
                                                const graft_md *destination_gradient,
                                                const_dnnl_primitive_desc_t forward,
                                                const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_inner_product_backward_weights(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                   const graft_md *source, const graft_md *weights_gradient,
                                                   const graft_md *bias_gradient, const graft_md *destination_gradient,
                                                   const_dnnl_primitive_desc_t forward,
                                                   const_dnnl_primitive_attr_t attributes);

// Products of matrices: [N, M, K] by [N, K, P] to [N, M, P].
dnnl_status_t graft_matmul(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const graft_md *source,
                           const graft_md *weights, const graft_md *destination,
                           const_dnnl_primitive_attr_t attributes);

dnnl_status_t graft_pooling_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                    dnnl_alg_kind_t algorithm, const graft_md *source, const graft_md *destination,
                                    const graft_window *window, const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_pooling_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                     const graft_md *source_gradient, const graft_md *destination_gradient,
                                     const graft_window *window, const_dnnl_primitive_desc_t forward,
                                     const_dnnl_primitive_attr_t attributes);

dnnl_status_t graft_eltwise_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                    dnnl_alg_kind_t algorithm, const graft_md *data, float alpha, float beta,
                                    const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_eltwise_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                     const graft_md *gradient, const graft_md *data, float alpha, float beta,
                                     const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attributes);

dnnl_status_t graft_resampling_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                       dnnl_alg_kind_t algorithm, const graft_md *source, const graft_md *destination,
                                       const_dnnl_primitive_attr_t attributes);
dnnl_status_t graft_resampling_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                        const graft_md *source_gradient, const graft_md *destination_gradient,
                                        const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attributes);

dnnl_status_t graft_reorder(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const graft_md *source,
                            const graft_md *destination, const_dnnl_primitive_attr_t attributes);

// Execution arguments, which are macros in C.
enum {
  graft_arg_source = DNNL_ARG_SRC,
  graft_arg_destination = DNNL_ARG_DST,
  graft_arg_weights = DNNL_ARG_WEIGHTS,
  graft_arg_bias = DNNL_ARG_BIAS,
  graft_arg_workspace = DNNL_ARG_WORKSPACE,
  graft_arg_scratchpad = DNNL_ARG_SCRATCHPAD,
  graft_arg_source_gradient = DNNL_ARG_DIFF_SRC,
  graft_arg_destination_gradient = DNNL_ARG_DIFF_DST,
  graft_arg_weights_gradient = DNNL_ARG_DIFF_WEIGHTS,
  graft_arg_bias_gradient = DNNL_ARG_DIFF_BIAS,
  graft_arg_first_post_op = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
};

#ifdef __cplusplus
}
#endif
#endif
