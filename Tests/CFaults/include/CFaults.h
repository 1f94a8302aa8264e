// What ends a process: where it fell, or where it was when its time was over.

#ifndef CFAULTS_H
#define CFAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// How a child ended, written by itself into memory that its parent sees.
struct cfaults_fault {
  /// The signal; 0 where there was none.
  int signal;
  /// Whether the innermost code that is not of the C library belongs to the watched library.
  bool is_inside;
  /// The file that this code comes from, and its function as far as it is exported.
  char object[64];
  char function[64];
};

/// Memory for one fault, shared with every child to come; null on failure.
struct cfaults_fault *cfaults_share(void);

/// Starts a copy of this process, which must have one thread alone; 0 in the copy.
pid_t cfaults_fork(void);

/// Has this process write down what signal ends it and where, be it a crash or a limit, and then end.
///
/// - Parameters:
///   - library: How the file name of the watched library begins.
///   - processor_seconds: The processor time that it may take.
///   - seconds: The time that it may take.
///   - memory: The bytes of address space that it may have; 0 for any.
bool cfaults_watch(
    struct cfaults_fault *fault, const char *library, int processor_seconds, int seconds, size_t memory);

#endif
