// The hot loops that are no oneDNN primitive, or faster than one, on single-precision numbers.
//
// Every loop is compiled for several instruction sets and chosen when the program starts, and runs on the threads of
// the OpenMP runtime that oneDNN has brought along. Results do not depend on the number of threads: reductions cut their
// work by its size alone and add the parts in order.
#ifndef GRAFT_CKERNELS_H
#define GRAFT_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many threads the loops and oneDNN use from the calling thread; 0 leaves it as it is. Returns what is in force.
int graft_use_threads(int count);

// Runs body once for each lane, at the same time on threads of their own; what a lane calls stays on its thread, loops
// and oneDNN alike, and lanes within a lane run one after the other.
void graft_run_lanes(int count, void (*body)(const void *context, int lane), const void *context);

// Until graft_end_alone the calling thread is a lane of its own, and asks no other for help: for work that is done before
// another thread has woken. Returns what graft_end_alone takes.
int graft_begin_alone(void);
void graft_end_alone(int threads);

// Between the two the calling thread takes numbers that are too small to have all their digits, below 1.2e-38, for zero:
// processors take a hundred times as long for them, and gradients that fade are full of them. All loops do so, and the threads
// that they start. What the first returns goes to the second.
unsigned graft_begin_flushing(void);
void graft_end_flushing(unsigned before);

// Whether the calling thread works for a lane.
bool graft_is_in_lane(void);

// An activation in any layout that keeps channels in blocks: [samples][blocks][pixels][width]. Channels-last is one
// block as wide as there are channels, channels-first has blocks of width one.
typedef struct {
  size_t samples, blocks, pixels, width;
} graft_view;

// What an array's numbers are: single precision, or bfloat16, its upper half. Loops load either, compute in single
// precision and round to the nearest when they store. What a signature calls float is always single precision.
typedef enum { graft_f32, graft_bf16 } graft_type;

// MARK: Element by element, on n numbers.

void graft_widen(float *y, const void *x, size_t n);   // from bfloat16
void graft_narrow(void *y, const float *x, size_t n);  // to bfloat16
void graft_round_to_bf16(float *x, size_t n);          // to numbers that bfloat16 has too

void graft_copy(float *y, const float *x, size_t n);
void graft_fill(float *y, float value, size_t n);
void graft_accumulate(void *y, const void *x, size_t n, graft_type type);              // y += x
void graft_add(void *y, const void *a, const void *b, size_t n, graft_type type);       // y = a + b
void graft_multiply(void *y, const void *a, const void *b, size_t n, graft_type type);  // y = a·b
void graft_multiply_accumulate(float *y, const float *a, const float *b, size_t n);  // y += a·b

// y = min(x, top) where x ≥ threshold, slope·(x − threshold) below
void graft_relu(void *y, const void *x, size_t n, float slope, float threshold, float top, graft_type type);
// dx = dy·y'(x); with a threshold of zero the output serves as well as the input
void graft_relu_gradient(void *dx, const void *dy, const void *xy, size_t n, float slope, float threshold, float top,
                         graft_type type);
// y = min(max(scale·x + offset, 0), 1)
void graft_hard_sigmoid(void *y, const void *x, size_t n, float scale, float offset, graft_type type);
void graft_hard_sigmoid_gradient(void *dx, const void *dy, const void *y, size_t n, float scale, graft_type type);
void graft_hard_silu(void *y, const void *x, size_t n, graft_type type);
void graft_hard_silu_gradient(void *dx, const void *dy, const void *x, size_t n, graft_type type);

// Keeps an element where a number made of seed and index is at least rate, and scales it by 1 / (1 − rate).
void graft_dropout(void *y, const void *x, size_t n, float rate, uint64_t seed, graft_type type);

// MARK: By channel. Vectors of channels have blocks·width elements.

// y = x·scale + shift, cut to low…high
void graft_channel_affine(void *y, const void *x, graft_view view, const float *scale, const float *shift, float low,
                          float high, graft_type type);
// y = p·a + q·b + r
void graft_channel_combine(void *y, const void *a, const void *b, graft_view view, const float *p, const float *q,
                           const float *r, graft_type type);
// How many numbers of scratch graft_channel_sums needs.
size_t graft_channel_sums_scratch(graft_view view);
// first = Σ (a − centre_a), second = Σ (a − centre_a)·(b − centre_b) over samples and pixels, for each channel. b may be
// NULL, then only the first is made. A centre that is NULL is zero.
void graft_channel_sums(const void *a, const void *b, graft_view view, const float *centre_a, const float *centre_b,
                        double *first, double *second, float *scratch, graft_type type);
// Mean and Σ (x − mean)² over samples and pixels, for each channel, in one pass: Chan, Golub and LeVeque, 1979, join the
// moments of the parts. The scratch is that of graft_channel_sums.
void graft_channel_moments(const void *x, graft_view view, double *mean, double *squares, float *scratch,
                           graft_type type);

// Where a gradient comes through a function that cuts scale·x + shift to low…high: strictly between the two.
typedef struct {
  const float *scale, *shift;
  float low, high;
} graft_mask;

// first = Σ g, second = Σ g·(x − centre), with g = dy where it comes through and 0 elsewhere.
void graft_masked_channel_sums(const void *dy, const void *x, graft_view view, const float *centre, graft_mask mask,
                               double *first, double *second, float *scratch, graft_type type);
// y = p·g + q·x + r; y may be dy.
void graft_masked_channel_combine(void *y, const void *dy, const void *x, graft_view view, graft_mask mask,
                                  const float *p, const float *q, const float *r, graft_type type);

// MARK: By channel of each sample. `g` has samples·blocks·width elements.

void graft_pixel_mean(float *g, const void *x, graft_view view, graft_type type);
// dx = factor·dg where the values there, which may be NULL, lie strictly between the bounds
void graft_pixel_spread(void *dx, const float *dg, const void *values, float low, float high, graft_view view,
                        float factor, graft_type type);
void graft_pixel_maximum(float *g, int32_t *where, const void *x, graft_view view, graft_type type);
void graft_pixel_maximum_gradient(void *dx, const float *dg, const int32_t *where, graft_view view, graft_type type);
// y (+)= x·g
void graft_gate(void *y, const void *x, const float *g, graft_view view, bool accumulate, graft_type type);
// dg (+)= Σ dy·x
void graft_gate_gradient(float *dg, const void *dy, const void *x, graft_view view, bool accumulate, graft_type type);
// y = x + g
void graft_pixel_add(void *y, const void *x, const float *g, graft_view view, graft_type type);
// dg (+)= Σ dy
void graft_pixel_sum(float *dg, const void *dy, graft_view view, bool accumulate, graft_type type);

// MARK: Depthwise convolutions, whose kernel gradient oneDNN has no fast primitive for beyond windows of three

// Samples, blocks of channels and images of a depthwise convolution in a blocked layout; a block has 8 or 16 channels.
typedef struct {
  size_t samples, blocks, width;
  size_t rows, columns, output_rows, output_columns;
  size_t size[2], strides[2], dilation[2];  // of the window; a dilation of 1 is dense
  size_t before[2];                         // rows above and columns left of the image that are zero
} graft_depthwise;

// dw[block][kh][kw][width] = Σ x·dy over samples and pixels
void graft_depthwise_kernel_gradient(float *dw, const float *x, const float *dy, graft_depthwise shape);

// A value that a function has cut to bounds; where it lies on them no gradient comes through.
typedef struct {
  const float *values;  // NULL where everything comes through
  float low, high;
} graft_bounded;

// Whether graft_depthwise_backward knows the window.
bool graft_depthwise_has_backward(graft_depthwise shape);

// How many numbers of scratch memory it wants.
size_t graft_depthwise_backward_scratch(graft_depthwise shape);

// All gradients of a depthwise convolution in one pass over its arrays. With g = dy where y lets it through:
// dw[block][kh][kw][width] = Σ x·g, db = Σ g, and dx = Σ w·g where x lets it through. dx may be NULL.
void graft_depthwise_backward(float *dx, float *dw, float *db, const float *x, graft_bounded x_mask, const float *w,
                              const float *dy, graft_bounded y_mask, graft_depthwise shape, float *scratch);

// MARK: Convolutions with strides of 1 on blocks of channels, [samples][channels / width][rows][columns][width]

typedef struct {
  size_t width;                     // of a block, 8 or 16
  size_t samples, inputs, outputs;  // channels, whole blocks
  size_t rows, columns, output_rows, output_columns;
  size_t top, left;  // rows above and columns left of the image that are zero
} graft_convolution;

// What happens to the sums: min(max(sum + bias + residual, low), high), and nothing else comes through where the mask
// lets nothing through. bias and residual may be NULL.
typedef struct {
  const float *bias, *residual;
  float low, high;
  graft_bounded mask;
} graft_ending;

// Whether windows of three by three are faster by Winograd's algorithm than one after another.
bool graft_winograd_is_fast(graft_convolution shape);
// How many numbers a kernel has once it is transformed.
size_t graft_winograd_kernel_count(size_t inputs, size_t outputs, size_t width);
// u, at a multiple of 64 bytes, from w[3][3][inputs][outputs]·scale[outputs], scale being NULL for 1; for the way back, from
// the gradients of outputs to those of inputs.
void graft_winograd_pack(float *u, const float *w, const float *scale, size_t inputs, size_t outputs, size_t width);
void graft_winograd_pack_back(float *u, const float *w, const float *scale, size_t inputs, size_t outputs,
                              size_t width);
// y = x * w on at most so many threads, each with its part of the scratch. The results do not depend on their number.
size_t graft_winograd_scratch(graft_convolution shape, size_t workers);
void graft_winograd(float *y, const float *x, const float *u, graft_convolution shape, graft_ending ending,
                    float *scratch, size_t workers);
// dw[3][3][inputs][outputs] (+)= the gradient of the kernel, db = Σ dy
size_t graft_winograd_gradient_scratch(graft_convolution shape);
void graft_winograd_gradient(float *dw, float *db, const float *x, const float *dy, graft_convolution shape,
                             float *scratch, bool accumulate);

// For windows of one without borders: dw[inputs][outputs] (+)= Σ x·dy over samples and pixels, db = Σ dy
bool graft_pointwise_is_fast(graft_convolution shape);
void graft_pointwise_gradient(float *dw, float *db, const float *x, const float *dy, graft_convolution shape,
                              bool accumulate);

// For windows of one without borders on blocks of sixteen channels: panels, at a multiple of 64 bytes, from
// w[inputs][outputs]·scale[outputs], scale being NULL for 1; and for the way back, from the gradients of outputs to those of
// inputs.
size_t graft_panels_count(size_t inputs, size_t outputs);
void graft_panels_pack(float *panels, const float *table, const float *scale, size_t inputs, size_t outputs);
void graft_panels_pack_back(float *panels, const float *table, const float *scale, size_t inputs, size_t outputs);
// y = x·w; the bias as long as whole blocks
void graft_pointwise(float *y, const float *x, const float *panels, graft_convolution shape, graft_ending ending);

// Windows of several pixels with strides, on blocks of sixteen channels.
typedef struct {
  graft_convolution images;
  size_t size[2], strides[2];
} graft_strided;
// Whether its loops run here and each has a pixel of the window that all of its results read.
bool graft_strided_is_fast(graft_strided shape);
// Panels, at a multiple of 64 bytes, from w[rows][columns][inputs][outputs]·scale[outputs] as with windows of one.
size_t graft_strided_kernel_count(graft_strided shape, bool back);
void graft_strided_pack(float *panels, const float *w, const float *scale, graft_strided shape, bool back);
// y = x * w
void graft_strided_convolve(float *y, const float *x, const float *panels, graft_strided shape, graft_ending ending);
// dx = the gradient of x; the ending has no bias and no bounds
void graft_strided_input_gradient(float *dx, const float *dy, const float *panels, graft_strided shape,
                                  graft_ending ending);
// dw[rows][columns][inputs][outputs] (+)= the gradient of the kernel, db = Σ dy
void graft_strided_gradient(float *dw, float *db, const float *x, const float *dy, graft_strided shape, bool accumulate);

// Pixels at equal distances from images of so many numbers side by side for each pixel, a multiple of eight.
typedef struct {
  size_t images;  // samples, or samples·blocks where channels lie in blocks
  size_t width;
  size_t rows, columns, output_rows, output_columns;
  size_t strides[2];
} graft_sampling;
void graft_sample(float *y, const float *x, graft_sampling shape);
// dx = dy at the pixels that were taken plus the others, which may be NULL, where the mask lets that through
void graft_sample_gradient(float *dx, const float *dy, const float *others, graft_bounded mask, graft_sampling shape);

// Windows over pictures of few channels, [samples][rows][columns][channels], as at the entrance of a network. Results lie in
// blocks of sixteen channels.
typedef struct {
  size_t samples, channels, outputs;  // outputs in whole blocks
  size_t rows, columns, output_rows, output_columns;
  size_t size[2], strides[2];
  size_t top, left;           // rows above and columns left of the picture that are zero
  const float *scale, *shift;  // what makes the picture of x first, scale·x + shift, [columns][channels]; NULL for x itself
} graft_stem;

// Whether that is faster than what else there is.
bool graft_stem_is_fast(graft_stem shape);
// y from panels of w[size][size][channels][outputs], on at most so many threads, each with its part of the scratch. The
// results do not depend on their number.
size_t graft_stem_scratch(graft_stem shape, size_t workers);
void graft_stem_forward(float *y, const float *x, const float *panels, graft_stem shape, graft_ending ending,
                        float *scratch, size_t workers);
// With g = dy where y lets it through: dw[size][size][channels][outputs] (+)= Σ x·g, db = Σ g
size_t graft_stem_gradient_scratch(graft_stem shape, size_t workers);
void graft_stem_gradient(float *dw, float *db, const float *x, const float *dy, graft_bounded y_mask, graft_stem shape,
                         float *scratch, size_t workers, bool accumulate);

// Three convolutions on end: one by one that makes channels more, which may be missing, depthwise, and one by one that
// makes them fewer. For blocks of sixteen channels: y lies in blocks as above, the last filled up with zeros, and x in any
// order that has the channels of a block together.
typedef struct {
  size_t width, samples;
  size_t inputs, expanded, outputs;  // channels; the expanded ones in whole blocks
  size_t rows, columns, output_rows, output_columns;
  size_t size, stride, top, left;  // of the depthwise window, with rows above and columns left of the image that are zero
  size_t sample, block, pixel;     // how far apart samples, blocks of channels and pixels of x are
  float low[3], high[3];           // what each of the three is cut to
} graft_inverted;

// Kernels of one by one in panels, those of the window in blocks; biases as long as the blocks. expand may be NULL.
typedef struct {
  const float *expand, *expand_bias, *depthwise, *depthwise_bias, *project, *project_bias;
} graft_inverted_kernels;

// Whether that is faster than one after another.
bool graft_inverted_is_fast(graft_inverted shape);
// residual may be NULL; at most so many threads, each with its part of the scratch. The results do not depend on their
// number. Where there is a stem, that makes of pictures x what the depthwise window reads, with the kernels of `expand`;
// else it is NULL.
size_t graft_inverted_scratch(graft_inverted shape, const graft_stem *stem, size_t workers);
void graft_inverted_residual(float *y, const float *x, const float *residual, graft_inverted_kernels kernels,
                             graft_inverted shape, const graft_stem *stem, float *scratch, size_t workers);

// What the way back goes through, all images in blocks, the last of which is filled up with zeros.
typedef struct {
  const float *x, *expanded, *filtered, *dy;  // the input, what the first two made, and the gradient of the output
  const float *others;                        // what other readers give to the gradient of the input, or NULL
  // Where the input, and what the first two made, had been cut.
  graft_bounded x_mask, expanded_mask, filtered_mask;
  const float *expand_back, *depthwise, *project_back;  // kernels as on the way there, but panels for the way back
  float *dx;                                            // may be NULL
  // Of the kernels: [inputs][expanded], blocks, [expanded][outputs], the channels in whole blocks; and Σ of each
  // gradient that comes to a bias.
  float *expand_gradient, *expand_bias_gradient, *depthwise_gradient, *depthwise_bias_gradient, *project_gradient,
      *project_bias_gradient;
} graft_inverted_way_back;

// Whether the way back knows the window. The images' distances in the shape do not matter.
bool graft_inverted_has_backward(graft_inverted shape);
// All gradients in one go, on the calling thread.
size_t graft_inverted_backward_scratch(graft_inverted shape);
void graft_inverted_backward(graft_inverted_way_back way, graft_inverted shape, float *scratch);

// MARK: Few rows by a table

typedef struct {
  size_t rows, inputs, outputs;
} graft_dense;

// Whether rows are few, the table large and registers wide enough for these loops.
bool graft_dense_is_fast(graft_dense shape);
// y[rows][outputs] = x[rows][inputs]·w[inputs][outputs] + bias, which may be NULL
void graft_dense_forward(float *y, const float *x, const float *w, const float *bias, graft_dense shape);
// dx = dy·wᵀ
void graft_dense_input_gradient(float *dx, const float *dy, const float *w, graft_dense shape);
// dw (+)= xᵀ·dy, db = Σ dy
void graft_dense_kernel_gradient(float *dw, float *db, const float *x, const float *dy, graft_dense shape,
                                 bool accumulate);

// MARK: Moving rows

// Copies counts[0]·counts[1] rows of so many numbers, where strides are in numbers.
void graft_copy_rows(void *y, const size_t y_strides[2], const void *x, const size_t x_strides[2],
                     const size_t counts[2], size_t row, graft_type type);

// Places at equal distances along the middle of three axes: out of `extent` places the `count` ones from `start` on, `step`
// apart, which may be negative.
typedef struct {
  size_t outer, extent;
  ptrdiff_t start, step;
  size_t count, inner;
} graft_slice;

// y[outer][count][inner] = those places of x[outer][extent][inner]
void graft_slice_take(float *y, const float *x, graft_slice slice);
// The way back: those places of x = y
void graft_slice_put(float *x, const float *y, graft_slice slice);

// y = a·b or a + b over a box of four axes, the strides of each tensor in numbers (0 repeats an axis). With accumulate
// the result is added to y, so that a y with strides of 0 becomes a sum over those axes; that runs on one thread.
void graft_broadcast(float *y, const size_t y_strides[4], const float *a, const size_t a_strides[4], const float *b,
                     const size_t b_strides[4], const size_t counts[4], bool multiply, bool accumulate);

// MARK: Rows of numbers

void graft_softmax(float *y, const float *x, size_t rows, size_t columns);
void graft_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t columns);

void graft_log_softmax(float *y, const float *x, size_t rows, size_t columns);
void graft_log_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t columns);
void graft_sparsemax(float *y, const float *x, size_t rows, size_t columns);
// dx may be dy.
void graft_sparsemax_gradient(float *dx, const float *dy, const float *x, size_t rows, size_t columns);
// y = x where x > 0, alpha·x below, with one alpha for each column
void graft_prelu(float *y, const float *x, const float *alpha, size_t rows, size_t columns);
void graft_prelu_gradient(float *dx, const float *dy, const float *x, const float *alpha, size_t rows, size_t columns);

// MARK: Functions of one number that no primitive has, with up to two parameters

typedef enum {
  graft_selu,
  graft_celu,  // p: alpha
  graft_softsign,
  graft_mish,
  graft_exponential,
  graft_hard_tanh,
  graft_hard_shrink,  // p: threshold
  graft_soft_shrink,  // p: threshold
  graft_tanh_shrink,
  graft_threshold,   // p: threshold, q: the value below
  graft_squareplus,  // p: b
  graft_sparse_plus,
  graft_sparse_sigmoid,
  graft_log_sigmoid,
} graft_function;

void graft_apply(graft_function function, float *y, const float *x, size_t n, float p, float q);
// dx may be dy.
void graft_apply_gradient(graft_function function, float *dx, const float *dy, const float *x, size_t n, float p);

// The larger or the lesser of two numbers, and the gradient for the first; equal numbers share it.
void graft_extremum(float *y, const float *a, const float *b, size_t n, bool least);
void graft_extremum_gradient(float *da, const float *dy, const float *a, const float *b, size_t n, bool least);

// MARK: Noise made of a seed and the index of each number

typedef enum {
  graft_noise_added,       // amount: deviation
  graft_noise_multiplied,  // amount: rate, variance rate/(1 − rate)
  graft_noise_alpha,       // amount: rate
} graft_noise;

// y = x with noise; backward turns dy into dx with the same numbers.
void graft_add_noise(graft_noise noise, float *y, const float *x, size_t n, float amount, uint64_t seed, bool backward);

// MARK: By channel of each sample with its own centre. Vectors have samples·blocks·width elements.

// g = Σ a·(x − centre) over pixels, or Σ (x − centre)² where a is NULL
void graft_sample_products(float *g, const float *a, const float *x, const float *centre, graft_view view);
// y = p·a + q·x + r, or q·x + r where a is NULL; y may be a.
void graft_sample_combine(float *y, const float *a, const float *x, graft_view view, const float *p, const float *q,
                          const float *r);

// MARK: Rows brought to a common scale by their own statistics

// Rows of so many numbers with mean μ: u = x − μ where the mean is removed, else x; v = x − μ where the size is taken
// about the mean, else x; the size is √max(factor·Σv² + epsilon, least).
typedef struct {
  size_t rows, columns;
  bool removes_mean, about_mean;
  float factor, epsilon, least;
} graft_rows;

// y = gamma·u/size + beta, one gamma and beta for each column; either may be NULL. Keeps mean and 1/size of every row.
void graft_normalize_rows(float *y, const float *x, const float *gamma, const float *beta, float *mean, float *inverse,
                          graft_rows n);
// dx may be dy.
void graft_normalize_rows_gradient(float *dx, const float *dy, const float *x, const float *gamma, const float *mean,
                                   const float *inverse, graft_rows n);
// How many numbers of scratch graft_row_parameters_gradient needs.
size_t graft_row_parameters_scratch(graft_rows n);
// dgamma = Σ dy·u/size and dbeta = Σ dy down each column
void graft_row_parameters_gradient(float *dgamma, float *dbeta, const float *dy, const float *x, const float *mean,
                                   const float *inverse, graft_rows n, float *scratch);

// MARK: Folding a scale by output channel into a kernel of rows x columns, and its gradient back out

// y = x·scale, columns last
void graft_scale_columns(float *y, const float *x, const float *scale, size_t rows, size_t columns);
// y (+)= x·scale; scale may be NULL for one
void graft_scale_columns_into(float *y, const float *x, const float *scale, size_t rows, size_t columns,
                              bool accumulate);
// g = g + other, dots[c] = Σ g·w down each column, and then g = g·scale in place; other, scale, or both dots and w may be NULL
void graft_unfold(float *g, const float *other, const float *w, const float *scale, float *dots, size_t rows,
                  size_t columns);
// dots[c] = Σ a·b down each column
void graft_column_dots(float *dots, const float *a, const float *b, size_t rows, size_t columns);

// MARK: Optimizer steps

double graft_squared_norm(const float *x, size_t n);
void graft_scale(float *x, size_t n, float factor);
void graft_clip(float *x, size_t n, float limit);
// v = momentum·v − rate·g; w += v, or w += momentum·v − rate·g with Nesterov. v may be NULL where momentum is zero.
void graft_step_sgd(float *w, const float *g, float *v, size_t n, float rate, float momentum, bool nesterov);
// Adam with bias corrections folded into rate: w −= rate·m / (√v + epsilon)
void graft_step_adam(float *w, const float *g, float *m, float *v, size_t n, float rate, float beta1, float beta2,
                     float epsilon);
// square = rho·square + (1 − rho)·g²; w −= rate·g / √(square + epsilon), with momentum by increment = momentum·increment
// + that. increment may be NULL where momentum is zero.
void graft_step_rmsprop(float *w, const float *g, float *square, float *increment, size_t n, float rate, float rho,
                        float momentum, float epsilon);
// w −= rate·sign(beta1·m + (1 − beta1)·g); m = beta2·m + (1 − beta2)·g
void graft_step_lion(float *w, const float *g, float *m, size_t n, float rate, float beta1, float beta2);
// w −= rate·(|w| / |u|)·u with u = first_correction·m / (√(second_correction·v) + epsilon); a norm of zero counts as the other
void graft_step_lamb(float *w, const float *g, float *m, float *v, size_t n, float rate, float beta1, float beta2,
                     float epsilon, float first_correction, float second_correction);
void graft_decay(float *w, size_t n, float factor);  // w −= factor·w
void graft_pull(float *g, const float *w, const float *anchor, size_t n, float strength);  // g += strength·(w − anchor)
void graft_average(float *mean, const float *w, size_t n, float share);                    // mean += share·(w − mean)

// MARK: The address sanitizer, in a build that has it

// Whether this is such a build.
bool graft_is_sanitized(void);
// Makes every access to these bytes an error; does nothing in other builds.
void graft_guard(void *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
