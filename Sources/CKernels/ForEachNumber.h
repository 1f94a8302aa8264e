// Compiles the loops in LOOPS for both types of number. In there NUMBER is the type in memory, LOAD(x) gives its value
// as float, STORE(v) turns a float into it, and NAMED(f) is the name of a loop for this type.
#include "Numbers.h"

#define NUMBER float
#define LOAD(x) (x)
#define STORE(v) (v)
#define NAMED(f) GRAFT_JOINED(f, _f32)
#include LOOPS
#undef NUMBER
#undef LOAD
#undef STORE
#undef NAMED

#define NUMBER uint16_t
#define LOAD(x) graft_load_bf16(x)
#define STORE(v) graft_store_bf16(v)
#define NAMED(f) GRAFT_JOINED(f, _bf16)
#include LOOPS
#undef NUMBER
#undef LOAD
#undef STORE
#undef NAMED

// The loop for a type that is known when it runs.
#define LOOP_FOR(type, f) ((type) == graft_bf16 ? f##_bf16 : f##_f32)
