#include "CKernels.h"
#include "Parallel.h"

// One number for each channel of each sample, as in Channels.c: a run is one block of one sample.
struct job {
  graft_view view;
  float *y;
  const float *a, *x, *p, *q, *r;
};

static size_t run_grain(graft_view v) { return 1 + 8192 / (1 + v.width * v.pixels); }

GRAFT_CLONES static void product_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  enum { strip = 64, part = 32 };
  for (size_t run = begin; run < end; run++) {
    const float *x = j.x + run * pixels * width, *a = j.a ? j.a + run * pixels * width : NULL;
    for (size_t start = 0; start < width; start += strip) {
      size_t columns = width - start < strip ? width - start : strip;
      const float *centre = j.p + run * width + start;
      // Sums of sums: the error grows with the root of the number of pixels, not with the number.
      float total[strip] = {0};
      for (size_t first = 0; first < pixels; first += part) {
        size_t last = first + part < pixels ? first + part : pixels;
        float sum[strip] = {0};
        for (size_t pixel = first; pixel < last; pixel++) {
          const float *row = x + pixel * width + start, *other = a ? a + pixel * width + start : NULL;
          if (other)
            for (size_t c = 0; c < columns; c++) sum[c] += other[c] * (row[c] - centre[c]);
          else
            for (size_t c = 0; c < columns; c++) sum[c] += (row[c] - centre[c]) * (row[c] - centre[c]);
        }
        for (size_t c = 0; c < columns; c++) total[c] += sum[c];
      }
      for (size_t c = 0; c < columns; c++) j.y[run * width + start + c] = total[c];
    }
  }
}

void graft_sample_products(float *g, const float *a, const float *x, const float *centre, graft_view view) {
  struct job j = {.view = view, .y = g, .a = a, .x = x, .p = centre};
  graft_parallel(view.samples * view.blocks, run_grain(view), product_range, &j);
}

GRAFT_CLONES static void combine_range(const void *context, size_t begin, size_t end) {
  const struct job j = *(const struct job *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    size_t run = row / pixels * width;
    const float *a = j.a ? j.a + row * width : NULL, *x = j.x + row * width;
    const float *p = j.p + run, *q = j.q + run, *r = j.r + run;
    float *y = j.y + row * width;
    if (a)
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) y[c] = p[c] * a[c] + q[c] * x[c] + r[c];
    else
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) y[c] = q[c] * x[c] + r[c];
  }
}

void graft_sample_combine(float *y, const float *a, const float *x, graft_view view, const float *p, const float *q,
                          const float *r) {
  struct job j = {.view = view, .y = y, .a = a, .x = x, .p = p, .q = q, .r = r};
  graft_parallel(view.samples * view.blocks * view.pixels, 1 + 8192 / (1 + view.width), combine_range, &j);
}
