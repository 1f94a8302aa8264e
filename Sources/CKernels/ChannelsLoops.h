// The loops of Channels.c for one type of number. Vectors of channels are single precision.

GRAFT_CLONES static void NAMED(affine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels, blocks = j.view.blocks;
  const NUMBER *a = j.a;
  NUMBER *y = j.y;
  size_t row = begin;
  while (row < end) {
    size_t run = row / pixels, last = (run + 1) * pixels < end ? (run + 1) * pixels : end;
    const float *restrict scale = j.p + run % blocks * width, *restrict shift = j.q + run % blocks * width;
    if (width == 1) {
      for (; row < last; row++) {
        float v = LOAD(a[row]) * scale[0] + shift[0];
        v = v > j.low ? v : j.low;
        y[row] = STORE(v < j.high ? v : j.high);
      }
      continue;
    }
    for (; row < last; row++) {
      const NUMBER *from = a + row * width;
      NUMBER *to = y + row * width;
      for (size_t c = 0; c < width; c++) {
        float v = LOAD(from[c]) * scale[c] + shift[c];
        v = v > j.low ? v : j.low;
        to[c] = STORE(v < j.high ? v : j.high);
      }
    }
  }
}

GRAFT_CLONES static void NAMED(combine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels, blocks = j.view.blocks;
  for (size_t row = begin; row < end; row++) {
    size_t block = row / pixels % blocks * width;
    const NUMBER *a = (const NUMBER *)j.a + row * width, *b = (const NUMBER *)j.b + row * width;
    const float *p = j.p + block, *q = j.q + block, *r = j.r + block;
    NUMBER *y = (NUMBER *)j.y + row * width;
    for (size_t c = 0; c < width; c++) y[c] = STORE(p[c] * LOAD(a[c]) + q[c] * LOAD(b[c]) + r[c]);
  }
}

// Mean and summed squares around it of each column of a part, which is small enough to be read twice from the cache.
GRAFT_INLINE void NAMED(part_moments)(const NUMBER *x, size_t pixels, const size_t width, float *restrict mean,
                                      float *restrict squares) {
  for (size_t c = 0; c < width; c++) mean[c] = squares[c] = 0;
  for (size_t pixel = 0; pixel < pixels; pixel++)
    for (size_t c = 0; c < width; c++) mean[c] += LOAD(x[pixel * width + c]);
  for (size_t c = 0; c < width; c++) mean[c] /= (float)pixels;
  for (size_t pixel = 0; pixel < pixels; pixel++)
    for (size_t c = 0; c < width; c++) {
      float v = LOAD(x[pixel * width + c]) - mean[c];
      squares[c] += v * v;
    }
}

GRAFT_CLONES static void NAMED(moments_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t width = j.view.width, parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, first = item % parts * part_pixels, count = part_length(j.view, item % parts);
    const NUMBER *x = (const NUMBER *)j.a + (run * j.view.pixels + first) * width;
    float *one = j.scratch + item * width * 2, *two = one + width;
    float mean[16], squares[16];
    if (width == 8 || width == 16) {
      // Known widths stay in registers.
      if (width == 8) NAMED(part_moments)(x, count, 8, mean, squares);
      else NAMED(part_moments)(x, count, 16, mean, squares);
      memcpy(one, mean, width * sizeof *one);
      memcpy(two, squares, width * sizeof *two);
    } else {
      NAMED(part_moments)(x, count, width, one, two);
    }
  }
}

// One part of masked_sums_range.
GRAFT_INLINE void NAMED(part_masked_sums)(const NUMBER *a, const NUMBER *b, size_t pixels, const size_t width,
                                          const float *centre, const float *scale, const float *shift, float low,
                                          float high, float *restrict one, float *restrict two) {
  for (size_t c = 0; c < width; c++) one[c] = two[c] = 0;
  for (size_t pixel = 0; pixel < pixels; pixel++)
    for (size_t c = 0; c < width; c++) {
      float x = LOAD(b[pixel * width + c]), y = x * scale[c] + shift[c];
      float g = ((y > low) & (y < high)) ? LOAD(a[pixel * width + c]) : 0;
      one[c] += g;
      two[c] += g * (x - centre[c]);
    }
}

GRAFT_CLONES static void NAMED(masked_sums_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t width = j.view.width, parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, block = run % j.view.blocks * width;
    size_t first = (run * j.view.pixels + item % parts * part_pixels) * width, count = part_length(j.view, item % parts);
    const NUMBER *a = (const NUMBER *)j.a + first, *b = (const NUMBER *)j.b + first;
    const float *centre = j.centre_b + block, *scale = j.scale + block, *shift = j.shift + block;
    float *one = j.scratch + item * width * 2, *two = one + width;
    float g[16], gx[16];
    if (width == 8 || width == 16) {
      if (width == 8) NAMED(part_masked_sums)(a, b, count, 8, centre, scale, shift, j.low, j.high, g, gx);
      else NAMED(part_masked_sums)(a, b, count, 16, centre, scale, shift, j.low, j.high, g, gx);
      memcpy(one, g, width * sizeof *one);
      memcpy(two, gx, width * sizeof *two);
    } else {
      NAMED(part_masked_sums)(a, b, count, width, centre, scale, shift, j.low, j.high, one, two);
    }
  }
}

GRAFT_CLONES static void NAMED(masked_combine_range)(const void *context, size_t begin, size_t end) {
  const struct channels j = *(const struct channels *)context;
  const size_t width = j.view.width, pixels = j.view.pixels, blocks = j.view.blocks;
  for (size_t row = begin; row < end; row++) {
    size_t block = row / pixels % blocks * width;
    const NUMBER *a = (const NUMBER *)j.a + row * width, *b = (const NUMBER *)j.b + row * width;
    const float *p = j.p + block, *q = j.q + block, *r = j.r + block, *scale = j.scale + block, *shift = j.shift + block;
    NUMBER *y = (NUMBER *)j.y + row * width;
    for (size_t c = 0; c < width; c++) {
      float x = LOAD(b[c]), v = x * scale[c] + shift[c];
      float g = ((v > j.low) & (v < j.high)) ? LOAD(a[c]) : 0;
      y[c] = STORE(p[c] * g + q[c] * x + r[c]);
    }
  }
}

GRAFT_CLONES static void NAMED(sums_range)(const void *context, size_t begin, size_t end) {
  const struct sums j = *(const struct sums *)context;
  const size_t width = j.view.width, parts = parts_of(j.view);
  for (size_t item = begin; item < end; item++) {
    size_t run = item / parts, part = item % parts, block = run % j.view.blocks * width;
    size_t first = part * part_pixels;
    size_t last = first + part_pixels < j.view.pixels ? first + part_pixels : j.view.pixels;
    float *restrict one = j.scratch + item * width * 2, *restrict two = one + width;
    for (size_t c = 0; c < width; c++) one[c] = two[c] = 0;
    for (size_t pixel = first; pixel < last; pixel++) {
      const NUMBER *a = (const NUMBER *)j.a + (run * j.view.pixels + pixel) * width;
      if (!j.b) {
        if (j.centre_a)
          for (size_t c = 0; c < width; c++) one[c] += LOAD(a[c]) - j.centre_a[block + c];
        else
          for (size_t c = 0; c < width; c++) one[c] += LOAD(a[c]);
        continue;
      }
      const NUMBER *b = (const NUMBER *)j.b + (run * j.view.pixels + pixel) * width;
      if (j.centre_a) {
        for (size_t c = 0; c < width; c++) {
          float v = LOAD(a[c]) - j.centre_a[block + c];
          one[c] += v;
          two[c] += v * (LOAD(b[c]) - j.centre_b[block + c]);
        }
      } else if (j.centre_b) {
        for (size_t c = 0; c < width; c++) {
          one[c] += LOAD(a[c]);
          two[c] += LOAD(a[c]) * (LOAD(b[c]) - j.centre_b[block + c]);
        }
      } else {
        for (size_t c = 0; c < width; c++) {
          one[c] += LOAD(a[c]);
          two[c] += LOAD(a[c]) * LOAD(b[c]);
        }
      }
    }
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
    const float *g = (const float *)j.a + row / pixels * width;
    NUMBER *dx = (NUMBER *)j.y + row * width;
    if (j.accumulate)
      for (size_t c = 0; c < width; c++) dx[c] = STORE(LOAD(dx[c]) + g[c] * j.low);
    else
      for (size_t c = 0; c < width; c++) dx[c] = STORE(g[c] * j.low);
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
      for (size_t c = 0; c < width; c++) y[c] = STORE(LOAD(y[c]) + LOAD(x[c]) * g[c]);
    else
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
