#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/// A copy of the environment in which a crash is not explained at length on standard error.
static char **quiet_environment(void) {
  size_t count = 0;
  while (environ[count]) ++count;
  char **copy = calloc(count + 2, sizeof *copy);
  if (copy == NULL) return NULL;
  size_t kept = 0;
  for (size_t index = 0; index < count; ++index) {
    if (strncmp(environ[index], "SWIFT_BACKTRACE=", 16) != 0) copy[kept++] = environ[index];
  }
  copy[kept] = "SWIFT_BACKTRACE=enable=no";
  return copy;
}

int csandbox_spawn(
    const char *program, char *const arguments[], int file, int channel, int memory, pid_t *process) {
  // High numbers first, so that none of the three is overwritten before it has moved to its place.
  int high[3] = {-1, -1, -1};
  const int given[3] = {file, channel, memory};
  const int places[3] = {csandbox_file, csandbox_channel, csandbox_memory};
  int failure = 0;
  for (int index = 0; index < 3 && failure == 0; ++index) {
    high[index] = fcntl(given[index], F_DUPFD_CLOEXEC, 16);
    if (high[index] < 0) failure = errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  char **environment = quiet_environment();
  if (environment == NULL && failure == 0) failure = ENOMEM;
  if (failure == 0) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int stream = 0; stream < 3 && failure == 0; ++stream) {
      failure = posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", stream == 0 ? O_RDONLY : O_WRONLY, 0);
    }
    for (int index = 0; index < 3 && failure == 0; ++index) {
      failure = posix_spawn_file_actions_adddup2(&actions, high[index], places[index]);
    }
    // What the program that asks has blocked or ignores would otherwise reach the reader.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, flags);
    if (failure == 0) failure = posix_spawn(process, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  free(environment);
  for (int index = 0; index < 3; ++index) {
    if (high[index] >= 0) close(high[index]);
  }
  return failure;
}

int csandbox_make_channel(int ends[2]) {
#if defined(SOCK_CLOEXEC)
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
#else
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  const int yes = 1;
  for (int index = 0; index < 2; ++index) {
    fcntl(ends[index], F_SETFD, FD_CLOEXEC);
    setsockopt(ends[index], SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
  }
  return 0;
#endif
}

ssize_t csandbox_send(int channel, const void *bytes, size_t count) {
#if defined(MSG_NOSIGNAL)
  return send(channel, bytes, count, MSG_NOSIGNAL);
#else
  return send(channel, bytes, count, 0);
#endif
}

int csandbox_wait_readable(int channel, int milliseconds) {
  struct pollfd watched = {.fd = channel, .events = POLLIN};
  int count = poll(&watched, 1, milliseconds);
  if (count < 0 && errno == EINTR) return 0;
  return count;
}

int csandbox_wait(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

int csandbox_end(pid_t process) {
  kill(process, SIGKILL);
  return csandbox_wait(process);
}

int csandbox_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

int csandbox_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 0; }

static atomic_bool is_server;

void csandbox_declare_server(void) { atomic_store(&is_server, true); }

bool csandbox_is_server(void) { return atomic_load(&is_server); }

void csandbox_limit_processor_time(int seconds) {
  struct itimerval limit = {.it_value = {.tv_sec = seconds}};
  setitimer(ITIMER_PROF, &limit, NULL);
}

void csandbox_exit(int status) { _exit(status); }
