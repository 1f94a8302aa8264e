#include "CDNNL.h"
#include <stdlib.h>
#include <string.h>

#define V3 (DNNL_VERSION_MAJOR >= 3)
#if V3
typedef const_dnnl_memory_desc_t native_md;
#else
typedef const dnnl_memory_desc_t *native_md;
#endif

static native_md native(const graft_md *md) { return (native_md)md; }

#if V3
dnnl_status_t graft_md_create_strided(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                      const int64_t *strides) {
  return dnnl_memory_desc_create_with_strides((dnnl_memory_desc_t *)md, rank, dims, type, strides);
}

dnnl_status_t graft_md_create_tagged(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                     dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag((dnnl_memory_desc_t *)md, rank, dims, type, tag);
}

dnnl_status_t graft_md_clone(graft_md **md, const graft_md *other) {
  return dnnl_memory_desc_clone((dnnl_memory_desc_t *)md, native(other));
}

void graft_md_destroy(graft_md *md) { dnnl_memory_desc_destroy((dnnl_memory_desc_t)md); }
#else
static dnnl_status_t boxed(graft_md **md, dnnl_status_t status, const dnnl_memory_desc_t *value) {
  if (status != dnnl_success) return status;
  dnnl_memory_desc_t *box = malloc(sizeof *box);
  if (!box) return dnnl_out_of_memory;
  *box = *value;
  *md = (graft_md *)box;
  return dnnl_success;
}

dnnl_status_t graft_md_create_strided(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                      const int64_t *strides) {
  dnnl_memory_desc_t value;
  return boxed(md, dnnl_memory_desc_init_by_strides(&value, rank, dims, type, strides), &value);
}

dnnl_status_t graft_md_create_tagged(graft_md **md, int rank, const int64_t *dims, dnnl_data_type_t type,
                                     dnnl_format_tag_t tag) {
  dnnl_memory_desc_t value;
  return boxed(md, dnnl_memory_desc_init_by_tag(&value, rank, dims, type, tag), &value);
}

dnnl_status_t graft_md_clone(graft_md **md, const graft_md *other) { return boxed(md, dnnl_success, native(other)); }

void graft_md_destroy(graft_md *md) { free(md); }
#endif

int graft_md_equal(const graft_md *a, const graft_md *b) { return dnnl_memory_desc_equal(native(a), native(b)); }

#if V3
int graft_md_form(const graft_md *md, int64_t *dims, int64_t *strides, int64_t *blocks, int64_t *axes,
                  int *block_count) {
  dnnl_format_kind_t kind;
  int rank = 0;
  const dnnl_dims_t *from[4];
  native_md it = native(md);
  if (dnnl_memory_desc_query(it, dnnl_query_format_kind, &kind) != dnnl_success || kind != dnnl_blocked) return 0;
  if (dnnl_memory_desc_query(it, dnnl_query_ndims_s32, &rank) != dnnl_success ||
      dnnl_memory_desc_query(it, dnnl_query_dims, &from[0]) != dnnl_success ||
      dnnl_memory_desc_query(it, dnnl_query_strides, &from[1]) != dnnl_success ||
      dnnl_memory_desc_query(it, dnnl_query_inner_nblks_s32, block_count) != dnnl_success ||
      dnnl_memory_desc_query(it, dnnl_query_inner_blks, &from[2]) != dnnl_success ||
      dnnl_memory_desc_query(it, dnnl_query_inner_idxs, &from[3]) != dnnl_success)
    return 0;
  memcpy(dims, *from[0], (size_t)rank * sizeof *dims);
  memcpy(strides, *from[1], (size_t)rank * sizeof *strides);
  memcpy(blocks, *from[2], (size_t)*block_count * sizeof *blocks);
  memcpy(axes, *from[3], (size_t)*block_count * sizeof *axes);
  return rank;
}
#else
int graft_md_form(const graft_md *md, int64_t *dims, int64_t *strides, int64_t *blocks, int64_t *axes,
                  int *block_count) {
  native_md it = native(md);
  if (it->format_kind != dnnl_blocked) return 0;
  const dnnl_blocking_desc_t *form = &it->format_desc.blocking;
  *block_count = form->inner_nblks;
  memcpy(dims, it->dims, (size_t)it->ndims * sizeof *dims);
  memcpy(strides, form->strides, (size_t)it->ndims * sizeof *strides);
  memcpy(blocks, form->inner_blks, (size_t)form->inner_nblks * sizeof *blocks);
  memcpy(axes, form->inner_idxs, (size_t)form->inner_nblks * sizeof *axes);
  return it->ndims;
}
#endif

size_t graft_md_size(const graft_md *md) { return dnnl_memory_desc_get_size(native(md)); }

const graft_md *graft_pd_md(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index) {
  return (const graft_md *)dnnl_primitive_desc_query_md(pd, what, index);
}

const char *graft_pd_implementation(const_dnnl_primitive_desc_t pd) {
  const char *name = NULL;
  return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) == dnnl_success && name ? name : "unknown";
}

dnnl_status_t graft_memory_create(dnnl_memory_t *memory, const graft_md *md, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, native(md), engine, DNNL_MEMORY_NONE);
}

dnnl_status_t graft_post_ops_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta) {
#if V3
  return dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
#else
  return dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, beta);
#endif
}

dnnl_status_t graft_post_ops_sum(dnnl_post_ops_t ops) {
#if V3
  return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
#else
  return dnnl_post_ops_append_sum(ops, 1);
#endif
}

dnnl_status_t graft_post_ops_add(dnnl_post_ops_t ops, const graft_md *md) {
  return dnnl_post_ops_append_binary(ops, dnnl_binary_add, native(md));
}

// In oneDNN 2 an operation descriptor is filled first and turned into a primitive descriptor; in 3 both are one call.
#define DESCRIBE(TYPE, INIT)                                                                                           \
  TYPE description;                                                                                                    \
  dnnl_status_t status = INIT;                                                                                         \
  if (status != dnnl_success) return status

dnnl_status_t graft_convolution_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                        const graft_md *source, const graft_md *weights, const graft_md *bias,
                                        const graft_md *destination, const graft_window *w,
                                        const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_convolution_forward_primitive_desc_create(
      pd, engine, kind, dnnl_convolution_direct, native(source), native(weights), native(bias), native(destination),
      w->strides, w->dilation, w->before, w->after, attributes);
#else
  DESCRIBE(dnnl_convolution_desc_t,
           dnnl_dilated_convolution_forward_desc_init(&description, kind, dnnl_convolution_direct, native(source),
                                                      native(weights), native(bias), native(destination), w->strides,
                                                      w->dilation, w->before, w->after));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_convolution_backward_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                              const graft_md *source_gradient, const graft_md *weights,
                                              const graft_md *destination_gradient, const graft_window *w,
                                              const_dnnl_primitive_desc_t forward,
                                              const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_convolution_backward_data_primitive_desc_create(
      pd, engine, dnnl_convolution_direct, native(source_gradient), native(weights), native(destination_gradient),
      w->strides, w->dilation, w->before, w->after, forward, attributes);
#else
  DESCRIBE(dnnl_convolution_desc_t,
           dnnl_dilated_convolution_backward_data_desc_init(
               &description, dnnl_convolution_direct, native(source_gradient), native(weights),
               native(destination_gradient), w->strides, w->dilation, w->before, w->after));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_convolution_backward_weights(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 const graft_md *source, const graft_md *weights_gradient,
                                                 const graft_md *bias_gradient, const graft_md *destination_gradient,
                                                 const graft_window *w, const_dnnl_primitive_desc_t forward,
                                                 const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_convolution_backward_weights_primitive_desc_create(
      pd, engine, dnnl_convolution_direct, native(source), native(weights_gradient), native(bias_gradient),
      native(destination_gradient), w->strides, w->dilation, w->before, w->after, forward, attributes);
#else
  DESCRIBE(dnnl_convolution_desc_t,
           dnnl_dilated_convolution_backward_weights_desc_init(
               &description, dnnl_convolution_direct, native(source), native(weights_gradient), native(bias_gradient),
               native(destination_gradient), w->strides, w->dilation, w->before, w->after));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_inner_product_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                          const graft_md *source, const graft_md *weights, const graft_md *bias,
                                          const graft_md *destination, const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_inner_product_forward_primitive_desc_create(pd, engine, kind, native(source), native(weights),
                                                          native(bias), native(destination), attributes);
#else
  DESCRIBE(dnnl_inner_product_desc_t,
           dnnl_inner_product_forward_desc_init(&description, kind, native(source), native(weights), native(bias),
                                                native(destination)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_inner_product_backward_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                const graft_md *source_gradient, const graft_md *weights,
                                                const graft_md *destination_gradient,
                                                const_dnnl_primitive_desc_t forward,
                                                const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_inner_product_backward_data_primitive_desc_create(
      pd, engine, native(source_gradient), native(weights), native(destination_gradient), forward, attributes);
#else
  DESCRIBE(dnnl_inner_product_desc_t,
           dnnl_inner_product_backward_data_desc_init(&description, native(source_gradient), native(weights),
                                                      native(destination_gradient)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_inner_product_backward_weights(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                   const graft_md *source, const graft_md *weights_gradient,
                                                   const graft_md *bias_gradient, const graft_md *destination_gradient,
                                                   const_dnnl_primitive_desc_t forward,
                                                   const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_inner_product_backward_weights_primitive_desc_create(
      pd, engine, native(source), native(weights_gradient), native(bias_gradient), native(destination_gradient),
      forward, attributes);
#else
  DESCRIBE(dnnl_inner_product_desc_t,
           dnnl_inner_product_backward_weights_desc_init(&description, native(source), native(weights_gradient),
                                                         native(bias_gradient), native(destination_gradient)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_matmul(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const graft_md *source,
                           const graft_md *weights, const graft_md *destination,
                           const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_matmul_primitive_desc_create(pd, engine, native(source), native(weights), NULL, native(destination),
                                           attributes);
#else
  DESCRIBE(dnnl_matmul_desc_t,
           dnnl_matmul_desc_init(&description, native(source), native(weights), NULL, native(destination)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_pooling_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                    dnnl_alg_kind_t algorithm, const graft_md *source, const graft_md *destination,
                                    const graft_window *w, const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_pooling_forward_primitive_desc_create(pd, engine, kind, algorithm, native(source), native(destination),
                                                    w->strides, w->size, w->dilation, w->before, w->after, attributes);
#else
  DESCRIBE(dnnl_pooling_desc_t,
           dnnl_pooling_forward_desc_init(&description, kind, algorithm, native(source), native(destination),
                                          w->strides, w->size, w->before, w->after));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_pooling_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                     const graft_md *source_gradient, const graft_md *destination_gradient,
                                     const graft_window *w, const_dnnl_primitive_desc_t forward,
                                     const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_pooling_backward_primitive_desc_create(pd, engine, algorithm, native(source_gradient),
                                                     native(destination_gradient), w->strides, w->size, w->dilation,
                                                     w->before, w->after, forward, attributes);
#else
  DESCRIBE(dnnl_pooling_desc_t,
           dnnl_pooling_backward_desc_init(&description, algorithm, native(source_gradient),
                                           native(destination_gradient), w->strides, w->size, w->before, w->after));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_eltwise_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                    dnnl_alg_kind_t algorithm, const graft_md *data, float alpha, float beta,
                                    const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_eltwise_forward_primitive_desc_create(pd, engine, kind, algorithm, native(data), native(data), alpha,
                                                    beta, attributes);
#else
  DESCRIBE(dnnl_eltwise_desc_t,
           dnnl_eltwise_forward_desc_init(&description, kind, algorithm, native(data), alpha, beta));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_eltwise_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                     const graft_md *gradient, const graft_md *data, float alpha, float beta,
                                     const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_eltwise_backward_primitive_desc_create(pd, engine, algorithm, native(gradient), native(gradient),
                                                     native(data), alpha, beta, forward, attributes);
#else
  DESCRIBE(dnnl_eltwise_desc_t,
           dnnl_eltwise_backward_desc_init(&description, algorithm, native(gradient), native(data), alpha, beta));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_resampling_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                       dnnl_alg_kind_t algorithm, const graft_md *source, const graft_md *destination,
                                       const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_resampling_forward_primitive_desc_create(pd, engine, kind, algorithm, NULL, native(source),
                                                       native(destination), attributes);
#else
  DESCRIBE(dnnl_resampling_desc_t,
           dnnl_resampling_forward_desc_init(&description, kind, algorithm, NULL, native(source), native(destination)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, NULL);
#endif
}

dnnl_status_t graft_resampling_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
                                        const graft_md *source_gradient, const graft_md *destination_gradient,
                                        const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attributes) {
#if V3
  return dnnl_resampling_backward_primitive_desc_create(pd, engine, algorithm, NULL, native(source_gradient),
                                                        native(destination_gradient), forward, attributes);
#else
  DESCRIBE(dnnl_resampling_desc_t,
           dnnl_resampling_backward_desc_init(&description, algorithm, NULL, native(source_gradient),
                                              native(destination_gradient)));
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, forward);
#endif
}

dnnl_status_t graft_reorder(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const graft_md *source,
                            const graft_md *destination, const_dnnl_primitive_attr_t attributes) {
  return dnnl_reorder_primitive_desc_create(pd, native(source), engine, native(destination), engine, attributes);
}
