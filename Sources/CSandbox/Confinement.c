#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CSandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static bool limit(int resource, uint64_t value) {
  struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
  return setrlimit(resource, &limit) == 0;
}

/// Sets what every system has: so much memory and time, no other files, no other processes, no core dump.
static bool set_limits(struct csandbox_limits limits) {
  bool is_set = limit(RLIMIT_CPU, limits.seconds) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0);
  // No descriptor beyond those that are open can be had, whatever asks for it.
  is_set = is_set && limit(RLIMIT_NOFILE, csandbox_memory + 1);
#if defined(RLIMIT_AS)
  bool is_bounded = limit(RLIMIT_AS, limits.memory);
#if defined(__linux__)
  is_set = is_set && is_bounded;
#endif
#endif
  return is_set;
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

// The machines above are little-endian: the low half of a 64-bit argument comes first.
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT(index) \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define SKIP_UNLESS_EQUAL(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define SKIP_IF_ANY(bits, count) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (count), 0)

/// Allows a call whatever its arguments.
#define ALLOW(call) SKIP_UNLESS_EQUAL(__NR_##call, 1), RETURN(SECCOMP_RET_ALLOW)
/// Allows a call on one descriptor alone.
#define ALLOW_ON(call, descriptor)                                                             \
  SKIP_UNLESS_EQUAL(__NR_##call, 4), LOAD_ARGUMENT(0), SKIP_UNLESS_EQUAL((descriptor), 1), \
      RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS)
/// Allows a call on one of two descriptors.
#define ALLOW_ON_EITHER(call, first, second)                                               \
  SKIP_UNLESS_EQUAL(__NR_##call, 6), LOAD_ARGUMENT(0), SKIP_UNLESS_EQUAL((first), 1),  \
      RETURN(SECCOMP_RET_ALLOW), SKIP_UNLESS_EQUAL((second), 1), RETURN(SECCOMP_RET_ALLOW), \
      RETURN(SECCOMP_RET_KILL_PROCESS)

/// Puts the filter in place.
///
/// Whatever is not on the list ends the process. An error number would do for a library that asks in good faith, but
/// sound reading asks for nothing else, as the tests show; so whoever asks has been taken over, and gets no second try.
static bool set_filter(void) {
  struct sock_filter program[] = {
      LOAD(arch),
      SKIP_UNLESS_EQUAL(NATIVE_ARCHITECTURE, 1),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
      ALLOW_ON(pread64, csandbox_file),
      ALLOW_ON_EITHER(read, csandbox_file, csandbox_channel),
      ALLOW_ON(lseek, csandbox_file),
      ALLOW_ON(write, csandbox_channel),
      // Memory: of its own or the shared one, never to be run.
      SKIP_UNLESS_EQUAL(__NR_mmap, 8),
      LOAD_ARGUMENT(2),
      SKIP_IF_ANY(PROT_EXEC, 5),
      LOAD_ARGUMENT(3),
      SKIP_IF_ANY(MAP_ANONYMOUS, 2),
      LOAD_ARGUMENT(4),
      SKIP_UNLESS_EQUAL(csandbox_memory, 1),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      SKIP_UNLESS_EQUAL(__NR_mprotect, 4),
      LOAD_ARGUMENT(2),
      SKIP_IF_ANY(PROT_EXEC, 1),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      ALLOW(munmap),
      ALLOW(mremap),
      ALLOW(brk),
      ALLOW(madvise),
      // What the runtime of any program needs: locks, clocks, the seed of a hash, the way back from a signal.
      ALLOW(futex),
      ALLOW(clock_gettime),
      ALLOW(getrandom),
      ALLOW(sched_yield),
      ALLOW(rt_sigprocmask),
      ALLOW(rt_sigreturn),
      ALLOW(restart_syscall),
      ALLOW(exit),
      ALLOW(exit_group),
      RETURN(SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

enum csandbox_confinement csandbox_confine(struct csandbox_limits limits) {
  // Whatever else was inherited is not for the reader.
  for (int descriptor = csandbox_memory + 1; descriptor < 1024; ++descriptor) close(descriptor);
  // A reader whose asker is gone has nobody to read for, and nobody may look into it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  if (!set_limits(limits)) return csandbox_failed;
  return set_filter() ? csandbox_filtered : csandbox_failed;
}

#else

enum csandbox_confinement csandbox_confine(struct csandbox_limits limits) {
  return set_limits(limits) ? csandbox_limited : csandbox_failed;
}

#endif
