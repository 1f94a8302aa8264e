// The loops of Channels.c for one type of number. Vectors of channels are single precision.

GRAFT_INLINE void NAMED(affine_rows)(NUMBER *y, const NUMBER *a, size_t rows, const size_t width, const float *scale,
                                     const float *shift, float low, float high) {
  for (size_t row = 0; row < rows; row++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) {
      float v = LOAD(a[row * width + c]) * scale[c] + shift[c];
      v = v > low ? v : low;
      y[row * width + c] = STORE(v < high ? v : high);
    }
}

GRAFT_CLONES static void NAMED(affine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  for (size_t row = begin, last; row < end; row = last) {
    size_t block = first_channel(j.view, row, end, &last), first = row * j.view.width;
    const NUMBER *a = (const NUMBER *)j.a + first;
    NUMBER *y = (NUMBER *)j.y + first;
    if (j.view.width == 1) {
      const float scale = j.p[block], shift = j.q[block];
      GRAFT_EACH
      for (size_t i = 0; i < last - row; i++) {
        float v = LOAD(a[i]) * scale + shift;
        v = v > j.low ? v : j.low;
        y[i] = STORE(v < j.high ? v : j.high);
      }
    } else {
      FOR_WIDTH(j.view.width, NAMED(affine_rows)(y, a, last - row, width, j.p + block, j.q + block, j.low, j.high));
    }
  }
}

GRAFT_INLINE void NAMED(combine_rows)(NUMBER *y, const NUMBER *a, const NUMBER *b, size_t rows, const size_t width,
                                      const float *p, const float *q, const float *r) {
  for (size_t row = 0; row < rows; row++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++)
      y[row * width + c] = STORE(p[c] * LOAD(a[row * width + c]) + q[c] * LOAD(b[row * width + c]) + r[c]);
}

GRAFT_CLONES static void NAMED(combine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  for (size_t row = begin, last; row < end; row = last) {
    size_t block = first_channel(j.view, row, end, &last), first = row * j.view.width;
    const NUMBER *a = (const NUMBER *)j.a + first, *b = (const NUMBER *)j.b + first;
    NUMBER *y = (NUMBER *)j.y + first;
    FOR_WIDTH(j.view.width,
              NAMED(combine_rows)(y, a, b, last - row, width, j.p + block, j.q + block, j.r + block));
  }
}

// Mean and summed squares around it of each column of a part, which is small enough to be read twice from the cache.
GRAFT_INLINE void NAMED(part_moments)(const NUMBER *x, size_t pixels, const size_t width, float *restrict mean,
                                      float *restrict squares) {
  COLUMN_SUMS(mean, squares);
  for (size_t pixel = 0; pixel < pixels; pixel++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) sum[c] += LOAD(x[pixel * width + c]);
  for (size_t c = 0; c < width; c++) sum[c] /= (float)pixels;
  for (size_t pixel = 0; pixel < pixels; pixel++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) {
      float v = LOAD(x[pixel * width + c]) - sum[c];
      products[c] += v * v;
    }
  KEEP_COLUMN_SUMS(mean, squares);
}

GRAFT_CLONES static void NAMED(moments_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, first = item % parts * part_pixels, count = part_length(j.view, item % parts);
    const NUMBER *x = (const NUMBER *)j.a + (run * j.view.pixels + first) * j.view.width;
    float *one = j.scratch + item * j.view.width * 2, *two = one + j.view.width;
    FOR_WIDTH(j.view.width, NAMED(part_moments)(x, count, width, one, two));
  }
}

// One part of masked_sums_range.
GRAFT_INLINE void NAMED(part_masked_sums)(const NUMBER *a, const NUMBER *b, size_t pixels, const size_t width,
                                          const float *centre, const float *scale, const float *shift, float low,
                                          float high, float *restrict one, float *restrict two) {
  COLUMN_SUMS(one, two);
  for (size_t pixel = 0; pixel < pixels; pixel++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) {
      float dy = LOAD(a[pixel * width + c]), x = LOAD(b[pixel * width + c]), y = x * scale[c] + shift[c];
      float g = ((y > low) & (y < high)) ? dy : 0;
      sum[c] += g;
      products[c] += g * (x - centre[c]);
    }
  KEEP_COLUMN_SUMS(one, two);
}

GRAFT_CLONES static void NAMED(masked_sums_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, block = run % j.view.blocks * j.view.width, count = part_length(j.view, item % parts);
    size_t first = (run * j.view.pixels + item % parts * part_pixels) * j.view.width;
    const NUMBER *a = (const NUMBER *)j.a + first, *b = (const NUMBER *)j.b + first;
    float *one = j.scratch + item * j.view.width * 2, *two = one + j.view.width;
    FOR_WIDTH(j.view.width, NAMED(part_masked_sums)(a, b, count, width, j.centre_b + block, j.scale + block,
                                                    j.shift + block, j.low, j.high, one, two));
  }
}

GRAFT_INLINE void NAMED(masked_combine_rows)(NUMBER *y, const NUMBER *a, const NUMBER *b, size_t rows,
                                             const size_t width, const float *p, const float *q, const float *r,
                                             const float *scale, const float *shift, float low, float high) {
  for (size_t row = 0; row < rows; row++)
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) {
      float dy = LOAD(a[row * width + c]), x = LOAD(b[row * width + c]), v = x * scale[c] + shift[c];
      float g = ((v > low) & (v < high)) ? dy : 0;
      y[row * width + c] = STORE(p[c] * g + q[c] * x + r[c]);
    }
}

GRAFT_CLONES static void NAMED(masked_combine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  for (size_t row = begin, last; row < end; row = last) {
    size_t block = first_channel(j.view, row, end, &last), first = row * j.view.width;
    const NUMBER *a = (const NUMBER *)j.a + first, *b = (const NUMBER *)j.b + first;
    NUMBER *y = (NUMBER *)j.y + first;
    FOR_WIDTH(j.view.width, NAMED(masked_combine_rows)(y, a, b, last - row, width, j.p + block, j.q + block,
                                                       j.r + block, j.scale + block, j.shift + block, j.low, j.high));
  }
}

// One part of sums_range: sums of a − centre_a, or of a where that is NULL, and of its products with b − centre_b.
GRAFT_INLINE void NAMED(part_sums)(const NUMBER *a, const NUMBER *b, size_t pixels, const size_t width,
                                   const float *centre_a, const float *centre_b, float *restrict one,
                                   float *restrict two) {
  COLUMN_SUMS(one, two);
  for (size_t pixel = 0; pixel < pixels; pixel++) {
    const NUMBER *from = a + pixel * width, *other = b ? b + pixel * width : NULL;
    if (!b && centre_a) {
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) sum[c] += LOAD(from[c]) - centre_a[c];
    } else if (!b) {
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) sum[c] += LOAD(from[c]);
    } else if (centre_a) {
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) {
        float v = LOAD(from[c]) - centre_a[c];
        sum[c] += v;
        products[c] += v * (LOAD(other[c]) - centre_b[c]);
      }
    } else if (centre_b) {
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) {
        sum[c] += LOAD(from[c]);
        products[c] += LOAD(from[c]) * (LOAD(other[c]) - centre_b[c]);
      }
    } else {
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) {
        sum[c] += LOAD(from[c]);
        products[c] += LOAD(from[c]) * LOAD(other[c]);
      }
    }
  }
  KEEP_COLUMN_SUMS(one, two);
}

GRAFT_CLONES static void NAMED(sums_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, block = run % j.view.blocks * j.view.width, count = part_length(j.view, item % parts);
    size_t first = (run * j.view.pixels + item % parts * part_pixels) * j.view.width;
    const NUMBER *a = (const NUMBER *)j.a + first, *b = j.b ? (const NUMBER *)j.b + first : NULL;
    const float *centre_a = j.centre_a ? j.centre_a + block : NULL, *centre_b = j.centre_b ? j.centre_b + block : NULL;
    float *one = j.scratch + item * j.view.width * 2, *two = one + j.view.width;
    FOR_WIDTH(j.view.width, NAMED(part_sums)(a, b, count, width, centre_a, centre_b, one, two));
  }
}

GRAFT_CLONES static void NAMED(mean_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const NUMBER *x = (const NUMBER *)j.a + run * pixels * width;
    float *restrict g = (float *)j.y + run * width;
    if (width == 1) {
      double sum = 0;
      for (size_t pixel = 0; pixel < pixels; pixel++) sum += LOAD(x[pixel]);
      g[0] = (float)(sum * j.low) + (j.accumulate ? g[0] : 0);
      continue;
    }
    // Sums of sums: the error grows with the root of the number of pixels, not with the number.
    for (size_t start = 0; start < width; start += 64) {
      size_t columns = width - start < 64 ? width - start : 64;
      float total[64] = {0};
      for (size_t first = 0; first < pixels; first += 32) {
        size_t last = first + 32 < pixels ? first + 32 : pixels;
        float sum[64] = {0};
        for (size_t pixel = first; pixel < last; pixel++)
          for (size_t c = 0; c < columns; c++) sum[c] += LOAD(x[pixel * width + start + c]);
        for (size_t c = 0; c < columns; c++) total[c] += sum[c];
      }
      for (size_t c = 0; c < columns; c++)
        g[start + c] = total[c] * j.low + (j.accumulate ? g[start + c] : 0);
    }
  }
}

GRAFT_CLONES static void NAMED(spread_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const float *g = (const float *)j.a + row / pixels * width, factor = *j.p;
    const NUMBER *x = (const NUMBER *)j.b + (j.b ? row * width : 0);
    NUMBER *dx = (NUMBER *)j.y + row * width;
    if (j.b)
      GRAFT_EACH
      for (size_t c = 0; c < width; c++)
        dx[c] = STORE(((LOAD(x[c]) > j.low) & (LOAD(x[c]) < j.high)) ? g[c] * factor : 0);
    else
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) dx[c] = STORE(g[c] * factor);
  }
}

GRAFT_CLONES static void NAMED(maximum_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const NUMBER *x = (const NUMBER *)j.a + run * pixels * width;
    float *g = (float *)j.y + run * width;
    int32_t *where = j.where + run * width;
    for (size_t c = 0; c < width; c++) g[c] = LOAD(x[c]), where[c] = 0;
    for (size_t pixel = 1; pixel < pixels; pixel++)
      for (size_t c = 0; c < width; c++) {
        float v = LOAD(x[pixel * width + c]);
        where[c] = v > g[c] ? (int32_t)pixel : where[c];
        g[c] = v > g[c] ? v : g[c];
      }
  }
}

GRAFT_CLONES static void NAMED(maximum_gradient_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    size_t run = row / pixels;
    int32_t pixel = (int32_t)(row % pixels);
    const float *dg = (const float *)j.a + run * width;
    NUMBER *dx = (NUMBER *)j.y + row * width;
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) dx[c] = STORE(j.where[run * width + c] == pixel ? dg[c] : 0);
  }
}

GRAFT_CLONES static void NAMED(gate_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const NUMBER *x = (const NUMBER *)j.a + row * width;
    const float *g = (const float *)j.b + row / pixels * width;
    NUMBER *y = (NUMBER *)j.y + row * width;
    if (j.accumulate)
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) y[c] = STORE(LOAD(y[c]) + LOAD(x[c]) * g[c]);
    else
      GRAFT_EACH
      for (size_t c = 0; c < width; c++) y[c] = STORE(LOAD(x[c]) * g[c]);
  }
}

GRAFT_CLONES static void NAMED(pixel_add_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t row = begin; row < end; row++) {
    const NUMBER *x = (const NUMBER *)j.a + row * width;
    const float *g = (const float *)j.b + row / pixels * width;
    NUMBER *y = (NUMBER *)j.y + row * width;
    GRAFT_EACH
    for (size_t c = 0; c < width; c++) y[c] = STORE(LOAD(x[c]) + g[c]);
  }
}

GRAFT_CLONES static void NAMED(gate_gradient_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels;
  for (size_t run = begin; run < end; run++) {
    const NUMBER *dy = (const NUMBER *)j.a + run * pixels * width, *x = (const NUMBER *)j.b + run * pixels * width;
    float *restrict dg = (float *)j.y + run * width;
    for (size_t start = 0; start < width; start += 64) {
      size_t columns = width - start < 64 ? width - start : 64;
      float total[64] = {0};
      for (size_t first = 0; first < pixels; first += 32) {
        size_t last = first + 32 < pixels ? first + 32 : pixels;
        float sum[64] = {0};
        for (size_t pixel = first; pixel < last; pixel++)
          for (size_t c = 0; c < columns; c++)
            sum[c] += LOAD(dy[pixel * width + start + c]) * LOAD(x[pixel * width + start + c]);
        for (size_t c = 0; c < columns; c++) total[c] += sum[c];
      }
      for (size_t c = 0; c < columns; c++) dg[start + c] = total[c] + (j.accumulate ? dg[start + c] : 0);
    }
  }
}
