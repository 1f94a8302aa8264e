// Loops of depthwise convolutions over blocks of one width; included once for each, with BLOCK, BITS and NAMED.
//
// BLOCK is the channels of a block as the compiler's vector type, BITS the same as whole numbers: left to itself a compiler
// keeps such small arrays in memory.

// A row of gradients into its place, cut by the function behind the convolution.
INLINE void NAMED(take_row)(float *row, const float *dy, const float *y, const struct backward *j, float *db) {
  const graft_depthwise *s = &j->shape;
  const size_t width = sizeof(BLOCK) / sizeof(float), step = s->strides[1] * width;
  BLOCK sum = {0};
  for (size_t ow = 0; ow < s->output_columns; ow++, row += step, dy += width) {
    BLOCK g = *(const BLOCK *)dy;
    if (y) g = BETWEEN(g, *(const BLOCK *)(y + ow * width), j->y_mask);
    *(BLOCK *)row = g;
    sum += g;
  }
  *(BLOCK *)db += sum;
}

// What one row of the window gives to one row of the input, and that row to the window.
INLINE void NAMED(meet)(float *dx, float *dw, const float *x, const float *w, const float *g, const graft_depthwise *s,
                        const int size) {
  const size_t width = sizeof(BLOCK) / sizeof(float);
  const ptrdiff_t apart = (ptrdiff_t)(s->dilation[1] * width);
  BLOCK sum[7], factor[7];
#pragma clang loop unroll(full)
  for (int kw = 0; kw < size; kw++) {
    sum[kw] = (BLOCK){0};
    factor[kw] = *(const BLOCK *)(w + kw * width);
  }
  for (size_t iw = 0; iw < s->columns; iw++, dx += width, x += width, g += width) {
    const BLOCK value = *(const BLOCK *)x;
    BLOCK total = *(BLOCK *)dx;
#pragma clang loop unroll(full)
    for (int kw = 0; kw < size; kw++) {
      const BLOCK there = *(const BLOCK *)(g - kw * apart);
      total += factor[kw] * there;
      sum[kw] += value * there;
    }
    *(BLOCK *)dx = total;
  }
#pragma clang loop unroll(full)
  for (int kw = 0; kw < size; kw++) *(BLOCK *)(dw + kw * width) += sum[kw];
}

INLINE void NAMED(put_row)(float *dx, const float *sums, const float *x, const struct backward *j) {
  const size_t width = sizeof(BLOCK) / sizeof(float), count = j->shape.columns * width;
  for (size_t i = 0; i < count; i += width) {
    BLOCK total = *(const BLOCK *)(sums + i);
    if (j->x_mask.values) total = BETWEEN(total, *(const BLOCK *)(x + i), j->x_mask);
    *(BLOCK *)(dx + i) = total;
  }
}

INLINE void NAMED(block_backward)(const struct backward *j, size_t block, const int size) {
  const graft_depthwise *s = &j->shape;
  const struct rows r = rows_of(s);
  const size_t width = sizeof(BLOCK) / sizeof(float);
  const size_t row_length = s->columns * width, output_length = s->output_columns * width;
  const float *w = j->w + block * s->size[0] * size * width;
  float *dw = j->dw + block * s->size[0] * size * width, *db = j->db + block * width;
  float *kept = j->scratch + block * (r.count * r.length + row_length), *sums = kept + r.count * r.length;
  for (size_t i = 0; i < r.count * r.length; i++) kept[i] = 0;
  for (size_t i = 0; i < s->size[0] * size * width; i++) dw[i] = 0;
  for (size_t c = 0; c < width; c++) db[c] = 0;
  for (size_t n = 0; n < s->samples; n++) {
    const size_t input = (n * s->blocks + block) * s->rows * row_length;
    const size_t output = (n * s->blocks + block) * s->output_rows * output_length;
    size_t taken = 0;
    for (size_t ih = 0; ih <= s->rows; ih++) {
      // Behind the last row come those of the output that lie wholly in what is around the image.
      size_t reached = ih < s->rows ? (ih + s->before[0]) / s->strides[0] + 1 : s->output_rows;
      for (; taken < reached && taken < s->output_rows; taken++) {
        const size_t start = output + taken * output_length;
        NAMED(take_row)(kept + taken % r.count * r.length + r.left * width, j->dy + start,
                        j->y_mask.values ? j->y_mask.values + start : NULL, j, db);
      }
      if (ih == s->rows) break;
      const float *x = j->x + input + ih * row_length;
      for (size_t i = 0; i < row_length; i++) sums[i] = 0;
      for (size_t kh = 0; kh < s->size[0]; kh++) {
        size_t shift = kh * s->dilation[0], place = ih + s->before[0];
        if (place < shift || (place - shift) % s->strides[0] != 0) continue;
        size_t oh = (place - shift) / s->strides[0];
        if (oh >= s->output_rows) continue;
        const float *g = kept + oh % r.count * r.length + (r.left + s->before[1]) * width;
        NAMED(meet)(sums, dw + kh * size * width, x, w + kh * size * width, g, s, size);
      }
      if (j->dx) NAMED(put_row)(j->dx + input + ih * row_length, sums, x, j);
    }
  }
}

GRAFT_CLONES static void NAMED(backward_range)(const void *context, size_t begin, size_t end) {
  const struct backward *j = context;
  for (size_t block = begin; block < end; block++) switch (j->shape.size[1]) {
      case 3: NAMED(block_backward)(j, block, 3); break;
      case 5: NAMED(block_backward)(j, block, 5); break;
      case 7: NAMED(block_backward)(j, block, 7); break;
    }
}
