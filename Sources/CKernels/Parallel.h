// Loops over ranges on the threads that oneDNN's OpenMP runtime keeps for the calling thread.
#ifndef GRAFT_PARALLEL_H
#define GRAFT_PARALLEL_H

#include <stddef.h>

// One binary for every processor: the loader takes the widest variant that the machine runs.
#if defined(__x86_64__) && defined(__linux__)
#define GRAFT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define GRAFT_HAS_CLONES 1
#else
#define GRAFT_CLONES
#endif

// Before a loop over numbers that depend on nothing but the ones at the same place: a result may lie where its operand
// lies, which compilers take for a reason to go one by one.
#define GRAFT_EACH _Pragma("clang loop vectorize(assume_safety) unroll(disable)")

typedef void (*graft_range_body)(const void *context, size_t begin, size_t end);

// Calls body on consecutive ranges that cover 0…count, each of at least grain items, at most one a thread.
void graft_parallel(size_t count, size_t grain, graft_range_body body, const void *context);

#endif
