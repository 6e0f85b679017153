/*
 * Injects errors of the kernel into tests of udp.c (make fuzz-native, test/tox/network/native-addon). Loaded with LD_PRELOAD;
 * environment variables hold errno values or bytes:
 *   FAULT_SENDMMSG, FAULT_RECVMMSG   the call always fails with this
 *   FAULT_SEGMENTED                  so does a message with UDP_SEGMENT, as on devices that cannot segment; reported on stderr
 *   FAULT_LONGER                     longer messages fail with EMSGSIZE
 *   FAULT_OPTION                     this option of UDP is unknown
 *   FAULT_SEED                       any call may fail, at random, and received messages may be truncated
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDP_LEVEL 17
#define COUNT_OF(list) (sizeof(list) / sizeof *(list))

static int setting(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : atoi(text);
}

static uint32_t below(uint32_t limit) {
  static uint32_t state;
  if (state == 0) state = (uint32_t)setting("FAULT_SEED");
  state = state * 1664525 + 1013904223;
  return (uint32_t)(((uint64_t)state * limit) >> 32);
}

static bool is_chance(uint32_t of) { return setting("FAULT_SEED") != 0 && below(of) == 0; }

static int fail(int error) {
  errno = error;
  return -1;
}

/* 0, or with what the kernel refuses this message. */
static int refusal_of(const struct msghdr *message) {
  size_t size = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++) size += message->msg_iov[i].iov_len;
  const int segmented = setting("FAULT_SEGMENTED"), longest = setting("FAULT_LONGER");
  if (segmented != 0 && message->msg_controllen > 0) {
    dprintf(STDERR_FILENO, "refused to cut\n");
    return segmented;
  }
  if (longest != 0 && message->msg_controllen == 0 && size > (size_t)longest) return EMSGSIZE;
  static const int ERRORS[] = {EAGAIN, ENOBUFS, EMSGSIZE, EPERM, EIO, EINVAL, ECONNREFUSED, ENETUNREACH, EINTR, ENOMEM};
  return is_chance(16) ? ERRORS[below(COUNT_OF(ERRORS))] : 0;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  int (*real)(int, struct mmsghdr *, unsigned, int) = (int (*)(int, struct mmsghdr *, unsigned, int))dlsym(RTLD_NEXT, "sendmmsg");
  if (setting("FAULT_SENDMMSG") != 0) return fail(setting("FAULT_SENDMMSG"));
  for (unsigned i = 0; i < count; i++) {
    const int error = refusal_of(&messages[i].msg_hdr);
    if (error != 0 && i == 0) return fail(error);
    if (error != 0) count = i;
  }
  return real(fd, messages, count, flags);
}

static void spoil(struct mmsghdr *message) {
  struct msghdr *header = &message->msg_hdr;
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  switch (below(6)) {
    case 0: header->msg_flags |= MSG_TRUNC; break;
    case 1: header->msg_controllen = below(sizeof(struct cmsghdr) + 8); header->msg_flags |= MSG_CTRUNC; break;
    case 2: if (control != NULL) control->cmsg_len = below(64); break;
    case 3: if (control != NULL) memset(CMSG_DATA(control), (int)below(256), sizeof(int)); break;
    case 4: ((struct sockaddr *)header->msg_name)->sa_family = (sa_family_t)below(12); break;
    default: message->msg_len = below(message->msg_len + 1);
  }
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *) =
      (int (*)(int, struct mmsghdr *, unsigned, int, struct timespec *))dlsym(RTLD_NEXT, "recvmmsg");
  if (setting("FAULT_RECVMMSG") != 0) return fail(setting("FAULT_RECVMMSG"));
  static const int ERRORS[] = {EAGAIN, EINTR, ECONNREFUSED, ENOMEM, EHOSTUNREACH};
  if (is_chance(8)) return fail(ERRORS[below(COUNT_OF(ERRORS))]);
  const int received = real(fd, messages, count, flags, timeout);
  for (int i = 0; i < received; i++) if (is_chance(8)) spoil(&messages[i]);
  return received;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  int (*real)(int, int, int, const void *, socklen_t) = (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
  if (level == UDP_LEVEL && (option == setting("FAULT_OPTION") || is_chance(4))) return fail(ENOPROTOOPT);
  return real(fd, level, option, value, length);
}
