/*
 * Sets the slices of the threads of this process. A thread that wakes up runs at once if its slice is shorter than that of the running
 * thread (sched(7), from Linux 6.12 on). So the one that carries data does not wait for threads with the default slice, and no program
 * waits for V8's threads, which compile and collect. Each keeps its share of the processors. An older kernel ignores slices, and a
 * sandbox may refuse the call.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* <linux/sched/types.h>, in its first version. */
struct scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t slice, deadline, period;
};
#define SHORTEST_SLICE 100000ull /* ns; these are the limits of Linux */
#define LONGEST_SLICE 100000000ull

static void set_slice(pid_t thread, uint64_t slice) {
  struct scheduling own = {.size = sizeof own};
  if (syscall(SYS_sched_getattr, thread, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER) return;
  own.slice = slice;
  syscall(SYS_sched_setattr, thread, &own, 0);
}

/* Called by udp.c in the thread that carries data, when the addon is loaded. */
void set_slices(void) {
  DIR *threads = opendir("/proc/self/task");
  if (threads == NULL) return;
  const pid_t self = (pid_t)syscall(SYS_gettid);
  for (const struct dirent *entry; (entry = readdir(threads)) != NULL;) {
    const pid_t thread = (pid_t)atoi(entry->d_name);
    if (thread > 0) set_slice(thread, thread == self ? SHORTEST_SLICE : LONGEST_SLICE);
  }
  closedir(threads);
}
