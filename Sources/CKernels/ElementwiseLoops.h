// The loops of Elementwise.c for one type of number.

GRAFT_CLONES static void NAMED(accumulate_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) y[i] = STORE(LOAD(y[i]) + LOAD(a[i]));
}

GRAFT_CLONES static void NAMED(add_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  const NUMBER *b = o.b;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) y[i] = STORE(LOAD(a[i]) + LOAD(b[i]));
}

GRAFT_CLONES static void NAMED(multiply_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  const NUMBER *b = o.b;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) y[i] = STORE(LOAD(a[i]) * LOAD(b[i]));
}

GRAFT_CLONES static void NAMED(relu_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float x = LOAD(a[i]), low = o.p * (x - o.q), high = x < o.r ? x : o.r;
    y[i] = STORE(x >= o.q ? high : low);
  }
}

GRAFT_CLONES static void NAMED(relu_gradient_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  const NUMBER *b = o.b;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float x = LOAD(b[i]), factor = x > o.q ? (x < o.r ? 1.0f : 0.0f) : o.p;
    y[i] = STORE(LOAD(a[i]) * factor);
  }
}

GRAFT_CLONES static void NAMED(hard_sigmoid_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float v = o.p * LOAD(a[i]) + o.q;
    v = v > 0 ? v : 0;
    y[i] = STORE(v < 1 ? v : 1);
  }
}

GRAFT_CLONES static void NAMED(hard_sigmoid_gradient_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  const NUMBER *b = o.b;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float v = LOAD(b[i]);
    y[i] = STORE(v > 0 && v < 1 ? LOAD(a[i]) * o.p : 0);
  }
}

GRAFT_CLONES static void NAMED(hard_silu_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float x = LOAD(a[i]), v = x + 3;
    v = v > 0 ? v : 0;
    v = v < 6 ? v : 6;
    y[i] = STORE(x * v * (1.0f / 6));
  }
}

GRAFT_CLONES static void NAMED(hard_silu_gradient_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  const NUMBER *b = o.b;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    float x = LOAD(b[i]), inner = (2 * x + 3) * (1.0f / 6);
    float factor = x < -3 ? 0 : (x > 3 ? 1 : inner);
    y[i] = STORE(LOAD(a[i]) * factor);
  }
}

GRAFT_CLONES static void NAMED(dropout_range)(const void *context, size_t begin, size_t end) {
  const struct operands o = *(const struct operands *)context;
  NUMBER *y = o.y;
  const NUMBER *a = o.a;
  GRAFT_EACH
  for (size_t i = begin; i < end; i++) {
    uint64_t z = o.seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    float u = (float)((z ^ (z >> 31)) >> 40) * 0x1p-24f;
    y[i] = STORE(u >= o.p ? LOAD(a[i]) * o.q : 0);
  }
}
