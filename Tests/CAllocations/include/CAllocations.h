#ifndef C_ALLOCATIONS_H
#define C_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/// What a thread has asked the system for between two calls.
struct allocations {
  /// How often Graft or Swift asked for memory.
  size_t own;
  /// How often oneDNN or the C++ library under it did, for its own lists of arguments.
  size_t in_libraries;
  /// The most bytes that anybody asked for at once.
  size_t largest;
};

/// Whether this system lets a program count.
bool allocations_are_counted(void);

/// Begins to count what the calling thread asks for.
void allocations_begin(void);

/// Ends it, and tells.
struct allocations allocations_end(void);

#endif
