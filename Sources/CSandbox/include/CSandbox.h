// The process that reads files of strangers: how it is started, how it gives its rights away, and the memory that it
// shares with whoever asked.

#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The descriptors that a reader process finds open; it has no others.
enum {
  /// The file that it reads.
  csandbox_file = 3,
  /// A stream to and from the process that asked.
  csandbox_channel = 4,
  /// The memory that both share.
  csandbox_memory = 5,
};

// MARK: - The process that asks

/// Starts a program as a reader with these descriptors, its standard streams closed to the world.
///
/// - Parameter arguments: The program's arguments, its name first, a null pointer last.
/// - Returns: 0, or a number of `errno`.
int csandbox_spawn(
    const char *program, char *const arguments[], int file, int channel, int memory, pid_t *process);

/// A pair of connected streams that no other program inherits.
int csandbox_make_channel(int ends[2]);

/// Sends bytes into a stream; an end that has gone is an error and no signal. Returns the count, or -1.
ssize_t csandbox_send(int channel, const void *bytes, size_t count);

/// Waits until a stream has bytes or has ended: 1, 0 after so many milliseconds, -1 on failure.
int csandbox_wait_readable(int channel, int milliseconds);

/// Makes empty memory that can be shared; a descriptor, or -1.
int csandbox_make_memory(void);

/// Gives such memory its size, for good where the system knows how: nobody can shrink it under a reader of it.
int csandbox_size_memory(int memory, uint64_t byte_count);

/// Maps shared memory; null on failure.
void *csandbox_map(int memory, size_t byte_count);

/// Ends a mapping.
void csandbox_unmap(void *start, size_t byte_count);

/// Gives the pages of a range of a mapping back to the system; their contents are lost.
void csandbox_discard(void *start, size_t byte_count);

/// Ends a process and waits for it; its wait status, or -1 where the system has none.
int csandbox_end(pid_t process);

/// Waits for a process; its wait status, or -1 where the system has none.
int csandbox_wait(pid_t process);

/// The signal that ended a process with this status; 0 if it ended itself.
int csandbox_signal(int status);

/// The status that a process ended itself with.
int csandbox_exit_status(int status);

/// Says that this program serves as a reader when it is asked to.
void csandbox_declare_server(void);

/// Whether this program has said so.
bool csandbox_is_server(void);

// MARK: - The reader

/// What a reader may use.
struct csandbox_limits {
  /// Bytes of address space.
  uint64_t memory;
  /// Seconds of processor time.
  uint64_t seconds;
};

/// What keeps a reader in.
enum csandbox_confinement {
  /// Nothing could be set.
  csandbox_failed,
  /// Limits of memory and time, but no filter of system calls: this system has none.
  csandbox_limited,
  /// Limits, and a filter that allows only reading, memory and the end.
  csandbox_filtered,
};

/// Gives away every right but reading the file, talking over the channel and using memory. There is no way back.
enum csandbox_confinement csandbox_confine(struct csandbox_limits limits);

/// Has SIGPROF sent to this process after so many seconds of processor time, counted anew with each call.
void csandbox_limit_processor_time(int seconds);

/// Ends this process at once, with nothing flushed and no handler run.
_Noreturn void csandbox_exit(int status);

#endif
