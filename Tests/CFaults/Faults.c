#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CFaults.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRAFT_IS_SANITIZED 1
#endif
#endif

struct cfaults_fault *cfaults_share(void) {
  void *memory = mmap(NULL, sizeof(struct cfaults_fault), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

pid_t cfaults_fork(void) { return fork(); }

static struct cfaults_fault *fault;
static const char *watched;

static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/// Whether this is code that only does what its caller asked for: to copy, to inflate, to give up.
static bool is_servant(const char *object) {
  static const char *const servants[] = {"libc.", "libc-", "libm.", "libz.", "libgcc_s", "libpthread", "ld-linux",
                                         "linux-vdso", "libsz.", "libaec.", "libsystem_", "libdyld"};
  for (size_t index = 0; index < sizeof servants / sizeof *servants; ++index) {
    if (strncmp(object, servants[index], strlen(servants[index])) == 0) return true;
  }
  return false;
}

static void copy(char *target, const char *source) {
  size_t index = 0;
  for (; source && source[index] && index < 63; ++index) target[index] = source[index];
  target[index] = 0;
}

/// Walks out of the place of the fault until somebody is to blame.
__attribute__((noinline)) static void note(int number) {
  // Should the walk itself fall or wait for a lock, the default of the signal ends the process.
  const int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF, SIGALRM};
  for (size_t index = 0; index < sizeof all / sizeof *all; ++index) signal(all[index], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  alarm(5);
  fault->signal = number;
  void *frames[96];
  int count = backtrace(frames, 96);
  // This function and the system's way into it stand first.
  for (int index = 2; index < count; ++index) {
    Dl_info info;
    if (!dladdr((char *)frames[index] - (index > 2), &info) || !info.dli_fname) continue;
    const char *object = file_name(info.dli_fname);
    if (is_servant(object)) continue;
    copy(fault->object, object);
    copy(fault->function, info.dli_sname);
    fault->is_inside = strncmp(object, watched, strlen(watched)) == 0;
    break;
  }
  _exit(70);
}

bool cfaults_watch(
    struct cfaults_fault *shared, const char *library, int processor_seconds, int seconds, size_t memory) {
  fault = shared;
  watched = library;
  // The first walk loads what the others need.
  void *frame;
  backtrace(&frame, 1);
  // A stack that has overflowed takes no handler.
  const size_t stack_size = 1 << 16;
  stack_t stack = {.ss_size = stack_size};
  stack.ss_sp = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0) return false;
  const int watched_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF, SIGALRM};
  for (size_t index = 0; index < sizeof watched_signals / sizeof *watched_signals; ++index) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_ONSTACK};
    if (sigaction(watched_signals[index], &action, NULL) != 0) return false;
  }
  struct rlimit none = {0, 0}, space = {memory, memory};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return false;
  // The address sanitizer takes terabytes of addresses for itself.
#if defined(__linux__) && !GRAFT_IS_SANITIZED
  if (memory > 0 && setrlimit(RLIMIT_AS, &space) != 0) return false;
#else
  (void)space;
#endif
  struct itimerval limit = {.it_value = {.tv_sec = processor_seconds}};
  alarm((unsigned)seconds);
  return setitimer(ITIMER_PROF, &limit, NULL) == 0;
}
