// Loops over ranges on the threads that oneDNN's OpenMP runtime keeps for the calling thread.
#ifndef GRAFT_PARALLEL_H
#define GRAFT_PARALLEL_H

#include <stddef.h>

// One binary for every processor: the loader takes the widest variant that the machine runs.
#if defined(__x86_64__) && defined(__linux__)
#define GRAFT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GRAFT_CLONES
#endif

typedef void (*graft_range_body)(const void *context, size_t begin, size_t end);

// Calls body on consecutive ranges that cover 0…count, each of at least grain items, at most one a thread.
void graft_parallel(size_t count, size_t grain, graft_range_body body, const void *context);

#endif
