#define _GNU_SOURCE
#include "Parallel.h"
#include "CKernels.h"
#include <dlfcn.h>
#include <pthread.h>

// oneDNN brings an OpenMP runtime into the process. Its entry points are looked up instead of being compiled against,
// because OpenMP needs a compiler flag that a package may not ask of those who depend on it. A second pool of threads
// beside that runtime's would fight it for the cores.
typedef void (*outlined)(void *);
static struct {
  void (*parallel)(outlined, void *, unsigned, unsigned);
  int (*thread)(void);
  int (*thread_count)(void);
  int (*most_threads)(void);
  void (*use_threads)(int);
} runtime;

static void find_runtime(void) {
  runtime.thread = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_thread_num");
  runtime.thread_count = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_num_threads");
  runtime.most_threads = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_max_threads");
  runtime.use_threads = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (runtime.thread && runtime.thread_count && runtime.most_threads)
    runtime.parallel = (void (*)(outlined, void *, unsigned, unsigned))dlsym(RTLD_DEFAULT, "GOMP_parallel");
}

static void ensure_runtime(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_runtime);
}

int graft_use_threads(int count) {
  ensure_runtime();
  if (count > 0 && runtime.use_threads) runtime.use_threads(count);
  return runtime.most_threads ? runtime.most_threads() : 1;
}

// The register that says how this thread rounds, and its bits for which results, and on x86 operands too, that have lost
// digits for being too small are zero.
#if defined(__x86_64__)
enum { FLUSH = 0x8040 };
static unsigned rounding(void) { return __builtin_ia32_stmxcsr(); }
static void round_by(unsigned bits) { __builtin_ia32_ldmxcsr(bits); }
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24 };
static unsigned rounding(void) {
  unsigned long bits;
  __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
  return (unsigned)bits;
}
static void round_by(unsigned bits) { __asm__ volatile("msr fpcr, %0" : : "r"((unsigned long)bits)); }
#else
enum { FLUSH = 0 };
static unsigned rounding(void) { return 0; }
static void round_by(unsigned bits) { (void)bits; }
#endif

unsigned graft_begin_flushing(void) {
  const unsigned before = rounding();
  if ((before & FLUSH) != FLUSH) round_by(before | FLUSH);
  return before;
}

void graft_end_flushing(unsigned before) {
  if ((before & FLUSH) != FLUSH) round_by(before);
}

// Whether this thread works for one lane, and shall not ask others for help.
static _Thread_local bool is_in_lane;

struct job {
  size_t count;
  graft_range_body body;
  const void *context;
};

static void run_part(void *pointer) {
  const struct job *job = pointer;
  graft_begin_flushing();  // for good: the thread is the runtime's
  size_t parts = (size_t)runtime.thread_count(), part = (size_t)runtime.thread();
  size_t begin = job->count * part / parts, end = job->count * (part + 1) / parts;
  if (begin < end) job->body(job->context, begin, end);
}

void graft_parallel(size_t count, size_t grain, graft_range_body body, const void *context) {
  if (count == 0) return;
  ensure_runtime();
  size_t threads = runtime.parallel && !is_in_lane ? (size_t)runtime.most_threads() : 1;
  size_t useful = grain ? (count + grain - 1) / grain : count;
  if (useful < threads) threads = useful;
  const unsigned before = graft_begin_flushing();
  struct job job = {count, body, context};
  if (threads > 1) runtime.parallel(run_part, &job, (unsigned)threads, 0);
  else body(context, 0, count);
  graft_end_flushing(before);
}

struct lanes {
  int count;
  void (*body)(const void *context, int lane);
  const void *context;
};

static void run_lane(void *pointer) {
  const struct lanes *lanes = pointer;
  graft_begin_flushing();  // for good: the thread is the runtime's
  is_in_lane = true;
  // Holds until the end of the lane only: the runtime keeps this number for each task.
  runtime.use_threads(1);
  // There may be fewer threads than were asked for.
  for (int lane = runtime.thread(), step = runtime.thread_count(); lane < lanes->count; lane += step)
    lanes->body(lanes->context, lane);
  is_in_lane = false;
}

void graft_run_lanes(int count, void (*body)(const void *context, int lane), const void *context) {
  ensure_runtime();
  const unsigned before = graft_begin_flushing();
  if (runtime.parallel && runtime.use_threads && count > 1 && !is_in_lane) {
    struct lanes lanes = {count, body, context};
    runtime.parallel(run_lane, &lanes, (unsigned)count, 0);
  } else {
    for (int lane = 0; lane < count; lane++) body(context, lane);
  }
  graft_end_flushing(before);
}

int graft_begin_alone(void) {
  int threads = graft_use_threads(0);
  graft_use_threads(1);
  is_in_lane = true;
  return threads;
}

void graft_end_alone(int threads) {
  is_in_lane = false;
  graft_use_threads(threads);
}

bool graft_is_in_lane(void) { return is_in_lane; }
