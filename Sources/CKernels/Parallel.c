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

// Whether this thread works for one lane, and shall not ask others for help.
static _Thread_local bool is_in_lane;

struct job {
  size_t count;
  graft_range_body body;
  const void *context;
};

static void run_part(void *pointer) {
  const struct job *job = pointer;
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
  if (threads <= 1) {
    body(context, 0, count);
    return;
  }
  struct job job = {count, body, context};
  runtime.parallel(run_part, &job, (unsigned)threads, 0);
}

struct lanes {
  int count;
  void (*body)(const void *context, int lane);
  const void *context;
};

static void run_lane(void *pointer) {
  const struct lanes *lanes = pointer;
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
  if (runtime.parallel && runtime.use_threads && count > 1 && !is_in_lane) {
    struct lanes lanes = {count, body, context};
    runtime.parallel(run_lane, &lanes, (unsigned)count, 0);
  } else {
    for (int lane = 0; lane < count; lane++) body(context, lane);
  }
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
