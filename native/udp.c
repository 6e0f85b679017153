/*
 * Batches of datagrams for Linux: one call sends many (UDP_SEGMENT, sendmmsg), and one wake-up receives many (UDP_GRO, recvmmsg).
 * It uses Node-API 8 only, so one build serves every version of Node; src/tox/network/native-udp.ts is its only user. Node exports
 * the functions of libuv; uv_poll_t is an opaque pointer here, whose size libuv reports.
 * All arguments are checked, and no pointer to JavaScript's memory is kept after a call. Errors are errno values.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* <linux/udp.h>, which older C libraries lack. */
#define SEGMENT_OPTION 103
#define GRO_OPTION 104
#define UDP_LEVEL 17
/* <uv.h>, the same in all versions of libuv 1. */
#define POLL_TYPE 8
#define READABLE 1
#define WRITABLE 2
typedef struct uv_poll uv_poll;
typedef void (*poll_callback)(uv_poll *, int status, int events);
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_poll *, void *);
void *uv_handle_get_data(const uv_poll *);
int uv_poll_init(struct uv_loop_s *, uv_poll *, int fd);
int uv_poll_start(uv_poll *, int events, poll_callback);
void uv_close(uv_poll *, void (*closed)(uv_poll *));

#define BUFFER_SIZE (4 * 1024 * 1024) /* requested; the kernel grants at most net.core.rmem_max and wmem_max */
#define MESSAGES 64                   /* in one sendmmsg */
#define RECEIVED 8                    /* in one recvmmsg, each of MAX_MESSAGE bytes */
#define ROUNDS 4                      /* calls of recvmmsg, and bytes, in one tick of the event loop */
#define TURN_SIZE (128 * 1024)
#define MAX_MESSAGE 65536
#define MAX_SEGMENTS 64 /* UDP_MAX_SEGMENTS */
#define ADDRESS_SIZE ((uint32_t)sizeof(struct sockaddr_in6))

/* A run from JavaScript: datagrams of `segment` bytes to one address; the last one may be shorter. */
struct run {
  int32_t length, segment;
  int32_t is_whole; /* not 0: datagrams are lost rather than fragmented by this system */
  int32_t done;     /* bytes sent so far */
  int32_t error;    /* the first errno */
};

struct udp_socket {
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  uv_poll *poll;
  int fd, family;
  int owners; /* the JavaScript object, and libuv until it has closed the handle */
  bool has_segmentation, is_probing;
  uint8_t *incoming;
};

#define RUN_WORDS (sizeof(struct run) / sizeof(int32_t))

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static const napi_type_tag TAG = {0x74756e746f785544, 0x8d2c41f06b9a4e17};

static napi_value number(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static void disown(struct udp_socket *s) {
  if (--s->owners > 0) return;
  free(s->incoming);
  free(s);
}

static void on_closed(uv_poll *poll) {
  struct udp_socket *s = uv_handle_get_data(poll);
  if (s->cleanup != NULL) napi_remove_async_cleanup_hook(s->cleanup);
  free(poll);
  disown(s);
}

static void end(struct udp_socket *s) {
  if (s->fd < 0) return;
  uv_close(s->poll, on_closed);
  close(s->fd);
  s->fd = -1;
}

/* The environment ends while the socket is open. */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  end(data);
}

static void release(struct udp_socket *s) {
  if (s->fd < 0) return;
  end(s);
  napi_delete_reference(s->env, s->callback);
  napi_async_destroy(s->env, s->context);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  release(data);
  disown(data);
}

static struct udp_socket *socket_of(napi_env env, napi_value value) {
  bool is_ours = false;
  void *data = NULL;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return NULL;
  if (napi_check_object_type_tag(env, value, &TAG, &is_ours) != napi_ok || !is_ours) return NULL;
  return napi_unwrap(env, value, &data) == napi_ok ? data : NULL;
}

static void call(struct udp_socket *s, napi_value argument) {
  napi_value callback, global, error;
  if (s->fd < 0 || napi_get_reference_value(s->env, s->callback, &callback) != napi_ok) return;
  napi_get_global(s->env, &global);
  if (napi_make_callback(s->env, s->context, global, callback, 1, &argument, NULL) != napi_pending_exception) return;
  if (napi_get_and_clear_last_exception(s->env, &error) == napi_ok) napi_fatal_exception(s->env, error);
}

/* Returns an address as text, with the scope of a link-local one, as Node writes it. */
static napi_value text_of(napi_env env, const union address *from) {
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";
  napi_value result = NULL;
  if (from->any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &from->v4.sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &from->v6.sin6_addr, text, INET6_ADDRSTRLEN);
    char name[IF_NAMESIZE];
    if (IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr) && if_indextoname(from->v6.sin6_scope_id, name) != NULL) {
      size_t length = strlen(text);
      snprintf(text + length, sizeof text - length, "%%%s", name);
    }
  }
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

static bool is_same(const union address *a, const union address *b) {
  if (a->any.sa_family == AF_INET) {
    return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  }
  return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
         memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static int segment_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    int size;
    if (c->cmsg_level != UDP_LEVEL || c->cmsg_type != GRO_OPTION || c->cmsg_len < CMSG_LEN(sizeof size)) continue;
    memcpy(&size, CMSG_DATA(c), sizeof size);
    return size > 0 ? size : 0;
  }
  return 0;
}

/*
 * Passes four values for each message: its bytes, the length of a segment or 0, the source's address (null: as before) and port.
 * @returns bytes, or SIZE_MAX if there is no more
 */
static size_t receive(struct udp_socket *s) {
  struct mmsghdr messages[RECEIVED];
  struct iovec parts[RECEIVED];
  union address from[RECEIVED];
  union control controls[RECEIVED];
  memset(messages, 0, sizeof messages);
  memset(from, 0, sizeof from);
  for (int i = 0; i < RECEIVED; i++) {
    parts[i] = (struct iovec){s->incoming + i * MAX_MESSAGE, MAX_MESSAGE};
    messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &parts[i], 1, &controls[i], sizeof controls[i], 0};
  }
  int count = recvmmsg(s->fd, messages, RECEIVED, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) call(s, number(s->env, errno));
    return SIZE_MAX;
  }
  napi_value list, value;
  const union address *last = NULL;
  uint32_t at = 0;
  size_t size = 0;
  if (napi_create_array_with_length(s->env, (size_t)count * 4, &list) != napi_ok) return SIZE_MAX;
  for (int i = 0; i < count; i++) {
    struct msghdr *message = &messages[i].msg_hdr;
    size += messages[i].msg_len;
    if ((message->msg_flags & MSG_TRUNC) != 0 || from[i].any.sa_family != s->family) continue;
    if (napi_create_buffer_copy(s->env, messages[i].msg_len, parts[i].iov_base, NULL, &value) != napi_ok) break;
    napi_set_element(s->env, list, at, value);
    napi_set_element(s->env, list, at + 1, number(s->env, segment_of(message)));
    if (last != NULL && is_same(last, &from[i])) napi_get_null(s->env, &value);
    else value = text_of(s->env, &from[i]);
    last = &from[i];
    napi_set_element(s->env, list, at + 2, value);
    napi_set_element(s->env, list, at + 3, number(s->env, ntohs(from[i].v4.sin_port)));
    at += 4;
  }
  value = number(s->env, (int32_t)at);
  napi_set_named_property(s->env, list, "length", value);
  if (at > 0) call(s, list);
  return count == RECEIVED ? size : SIZE_MAX;
}

static void on_poll(uv_poll *poll, int status, int events) {
  struct udp_socket *s = uv_handle_get_data(poll);
  napi_handle_scope scope;
  napi_value nothing;
  if (napi_open_handle_scope(s->env, &scope) != napi_ok) return;
  if (status < 0) call(s, number(s->env, -status));
  if ((events & WRITABLE) != 0 && s->fd >= 0) {
    uv_poll_start(poll, READABLE, on_poll);
    napi_get_undefined(s->env, &nothing);
    call(s, nothing);
  }
  size_t size = (events & READABLE) != 0 ? 0 : SIZE_MAX;
  for (int round = 0; round < ROUNDS && size < TURN_SIZE && s->fd >= 0; round++) {
    const size_t more = receive(s);
    size = more == SIZE_MAX ? more : size + more;
  }
  napi_close_handle_scope(s->env, scope);
}

/* Reads an address. Returns 0 or an errno. An empty text means all addresses; an IPv6 socket gets IPv4 mapped into IPv6. */
static int parse(const char *text, uint32_t port, int family, union address *to) {
  memset(to, 0, sizeof *to);
  if (port > 0xffff) return EINVAL;
  to->any.sa_family = (sa_family_t)family;
  if (family == AF_INET) {
    to->v4.sin_port = htons((uint16_t)port);
    return *text == 0 || inet_pton(AF_INET, text, &to->v4.sin_addr) == 1 ? 0 : EINVAL;
  }
  char bare[INET6_ADDRSTRLEN + 8] = "";
  const char *scope = strchr(text, '%');
  size_t length = scope == NULL ? strlen(text) : (size_t)(scope - text);
  bool is_mapped = memchr(text, ':', length) == NULL && length > 0;
  if (length + 8 > sizeof bare) return EINVAL;
  if (is_mapped) memcpy(bare, "::ffff:", 7);
  memcpy(bare + (is_mapped ? 7 : 0), text, length);
  to->v6.sin6_port = htons((uint16_t)port);
  if (scope != NULL && (to->v6.sin6_scope_id = if_nametoindex(scope + 1)) == 0) return ENODEV;
  return length == 0 || inet_pton(AF_INET6, bare, &to->v6.sin6_addr) == 1 ? 0 : EINVAL;
}

/* Reads the first three arguments: text, port, isIpv6. */
static int address_argument(napi_env env, const napi_value *arguments, union address *to) {
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
  size_t length;
  uint32_t port;
  bool is_ipv6;
  if (napi_get_value_string_utf8(env, arguments[0], NULL, 0, &length) != napi_ok || length >= sizeof text) return EINVAL;
  if (napi_get_value_string_utf8(env, arguments[0], text, sizeof text, &length) != napi_ok || length != strlen(text)) return EINVAL;
  if (napi_get_value_uint32(env, arguments[1], &port) != napi_ok) return EINVAL;
  if (napi_get_value_bool(env, arguments[2], &is_ipv6) != napi_ok) return EINVAL;
  return parse(text, port, is_ipv6 ? AF_INET6 : AF_INET, to);
}

/* encode(text, port, isIpv6): returns the address for `send`, or an errno. */
static napi_value encode(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  size_t count = 3;
  union address to;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  int error = address_argument(env, arguments, &to);
  if (error != 0) return number(env, error);
  napi_create_buffer_copy(env, ADDRESS_SIZE, &to, NULL, &result);
  return result;
}

/* Returns 0, or the errno of sendmmsg: a filter of system calls (seccomp) may refuse it, and datagrams would wait forever. */
static int try_batches(int fd) {
  struct mmsghdr message;
  memset(&message, 0, sizeof message);
  if (sendmmsg(fd, &message, 0, MSG_DONTWAIT) < 0) return errno;
  return recvmmsg(fd, &message, 0, MSG_DONTWAIT, NULL) < 0 && errno != EAGAIN ? errno : 0;
}

static int bind_socket(struct udp_socket *s, const union address *own) {
  const int on = 1, off = 0, size = BUFFER_SIZE;
  bool is_ipv6 = s->family == AF_INET6;
  s->fd = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s->fd < 0) return errno;
  if (is_ipv6 && setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) return errno;
  if (bind(s->fd, &own->any, is_ipv6 ? sizeof own->v6 : sizeof own->v4) < 0) return errno;
  /* An ICMP message, which any host can send, is no error of the socket. */
  setsockopt(s->fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off);
  if (is_ipv6) setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
  setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(s->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  setsockopt(s->fd, UDP_LEVEL, GRO_OPTION, &on, sizeof on);
  s->has_segmentation = setsockopt(s->fd, UDP_LEVEL, SEGMENT_OPTION, &off, sizeof off) == 0;
  return try_batches(s->fd);
}

static int start(struct udp_socket *s, napi_value callback) {
  struct uv_loop_s *loop;
  napi_value name;
  if (napi_get_uv_event_loop(s->env, &loop) != napi_ok) return ENOSYS;
  napi_create_string_latin1(s->env, "TUNTOX_UDP", NAPI_AUTO_LENGTH, &name);
  if (napi_async_init(s->env, NULL, name, &s->context) != napi_ok) return ENOMEM;
  s->poll = calloc(1, uv_handle_size(POLL_TYPE));
  s->incoming = malloc((size_t)RECEIVED * MAX_MESSAGE);
  if (s->poll == NULL || s->incoming == NULL || uv_poll_init(loop, s->poll, s->fd) != 0) {
    free(s->poll);
    napi_async_destroy(s->env, s->context);
    return ENOMEM;
  }
  uv_handle_set_data(s->poll, s);
  s->owners = 2;
  napi_create_reference(s->env, callback, 1, &s->callback);
  napi_add_async_cleanup_hook(s->env, on_cleanup, s, &s->cleanup);
  return -uv_poll_start(s->poll, READABLE, on_poll);
}

static void tell(struct udp_socket *s, napi_value object) {
  union address own;
  socklen_t length = sizeof own;
  int size = 0;
  if (getsockname(s->fd, &own.any, &length) == 0) {
    napi_set_named_property(s->env, object, "port", number(s->env, ntohs(own.v4.sin_port)));
  }
  length = sizeof size;
  getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, &length);
  napi_set_named_property(s->env, object, "receiveBuffer", number(s->env, size));
}

/*
 * open(text, port, isIpv6, callback): returns an object with `port` and `receiveBuffer`, or an errno. The callback gets received
 * messages (see receive), an errno, or undefined if the rest of a `send` can be sent.
 */
static napi_value open_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[4], object;
  size_t count = 4;
  union address own;
  napi_valuetype type;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  int error = address_argument(env, arguments, &own);
  if (napi_typeof(env, arguments[3], &type) != napi_ok || type != napi_function) error = EINVAL;
  if (error != 0) return number(env, error);
  struct udp_socket *s = calloc(1, sizeof *s);
  if (s == NULL) return number(env, ENOMEM);
  *s = (struct udp_socket){.env = env, .family = own.any.sa_family, .fd = -1, .owners = 1};
  error = bind_socket(s, &own);
  if (error == 0) error = start(s, arguments[3]);
  if (error == 0 && napi_create_object(env, &object) == napi_ok && napi_type_tag_object(env, object, &TAG) == napi_ok &&
      napi_wrap(env, object, s, on_collected, NULL, NULL) == napi_ok) {
    tell(s, object);
    return object;
  }
  if (s->owners == 2) release(s);
  else if (s->fd >= 0) close(s->fd);
  disown(s);
  return number(env, error == 0 ? ENOMEM : error);
}

/* With IP_PMTUDISC_PROBE the sender finds the path MTU, and ICMP has no effect. Otherwise Linux's default applies. */
static void forbid_fragments(struct udp_socket *s, bool is_probing) {
  if (s->is_probing == is_probing) return;
  s->is_probing = is_probing;
  int value = is_probing ? IP_PMTUDISC_PROBE : IP_PMTUDISC_WANT;
  setsockopt(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value);
  value = is_probing ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT;
  if (s->family == AF_INET6) setsockopt(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof value);
}

struct batch {
  struct mmsghdr messages[MESSAGES];
  struct iovec parts[MESSAGES];
  union control controls[MESSAGES];
};

/* Calls sendmmsg once. @returns false if the socket takes no more now. @param split a run that must not be segmented */
static bool send_some(struct udp_socket *s, uint8_t *bytes, struct run *runs, uint8_t *addresses, uint32_t *next,
                      uint32_t count, size_t *at, uint32_t *split) {
  struct batch b;
  unsigned filled = 0;
  size_t offset = *at;
  int32_t done = runs[*next].done;
  const bool is_whole = runs[*next].is_whole != 0;
  memset(b.messages, 0, sizeof b.messages);
  for (uint32_t i = *next; i < count && filled < MESSAGES && (runs[i].is_whole != 0) == is_whole;) {
    struct msghdr *message = &b.messages[filled].msg_hdr;
    const bool is_segmented = s->has_segmentation && done == 0 && i != *split && runs[i].length > runs[i].segment;
    const int32_t rest = runs[i].length - done;
    const int32_t size = is_segmented || rest < runs[i].segment ? rest : runs[i].segment;
    b.parts[filled] = (struct iovec){bytes + offset + done, (size_t)size};
    message->msg_iov = &b.parts[filled];
    message->msg_iovlen = 1;
    message->msg_name = addresses + (size_t)i * ADDRESS_SIZE;
    message->msg_namelen = s->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (is_segmented) {
      const uint16_t segment = (uint16_t)runs[i].segment;
      message->msg_control = &b.controls[filled];
      message->msg_controllen = CMSG_SPACE(sizeof segment);
      memset(&b.controls[filled], 0, sizeof b.controls[filled]);
      b.controls[filled].header = (struct cmsghdr){CMSG_LEN(sizeof segment), UDP_LEVEL, SEGMENT_OPTION};
      memcpy(CMSG_DATA(&b.controls[filled].header), &segment, sizeof segment);
    }
    filled += 1;
    done += size;
    if (done < runs[i].length) continue;
    offset += (size_t)runs[i].length;
    i += 1;
    done = i < count ? runs[i].done : 0;
  }
  forbid_fragments(s, is_whole);
  int sent = sendmmsg(s->fd, b.messages, filled, MSG_DONTWAIT);
  if (sent <= 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == ENOBUFS) return false;
    if (b.messages[0].msg_hdr.msg_control != NULL) { /* Retry its datagrams singly; EIO: the device never segments. */
      if (errno == EIO) s->has_segmentation = false;
      *split = *next;
      return true;
    }
    if (runs[*next].error == 0) runs[*next].error = errno;
    sent = 1;
  }
  for (int i = 0; i < sent; i++) {
    runs[*next].done += (int32_t)b.parts[i].iov_len;
    if (runs[*next].done < runs[*next].length) continue;
    *at += (size_t)runs[*next].length;
    *next += 1;
  }
  return true;
}

/* Returns NULL for another type, or for memory that another thread may change meanwhile. */
static void *bytes_of(napi_env env, napi_value value, napi_typedarray_type wanted, size_t *length) {
  napi_typedarray_type type;
  napi_value memory;
  void *data = NULL;
  bool is_typed = false, is_own = false;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed) return NULL;
  if (napi_get_typedarray_info(env, value, &type, length, &data, &memory, NULL) != napi_ok || type != wanted) return NULL;
  return napi_is_arraybuffer(env, memory, &is_own) == napi_ok && is_own ? data : NULL;
}

static bool is_sound(const struct run *runs, uint32_t count, size_t length, const uint8_t *addresses, int family) {
  size_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct run *run = &runs[i];
    if (run->length < 0 || run->length >= MAX_MESSAGE || run->segment < 1 || run->segment >= MAX_MESSAGE) return false;
    if ((run->length + run->segment - 1) / run->segment > MAX_SEGMENTS) return false;
    if (run->done < 0 || run->done % run->segment != 0 || (run->done >= run->length && run->done > 0)) return false;
    sum += (size_t)run->length;
    if (sum > length) return false;
    sa_family_t of;
    memcpy(&of, addresses + (size_t)i * ADDRESS_SIZE, sizeof of);
    if (of != family) return false;
  }
  return true;
}

/*
 * send(socket, bytes, runs, addresses, count): returns the number of finished runs, each with its error. The next one may be sent
 * in part; the callback reports when to continue. Returns -1 for invalid arguments, or a closed socket.
 */
static napi_value send_runs(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  size_t given = 5, length, run_words, address_bytes, at = 0;
  uint32_t count, next = 0, split = UINT32_MAX;
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  struct udp_socket *s = socket_of(env, arguments[0]);
  uint8_t *bytes = bytes_of(env, arguments[1], napi_uint8_array, &length);
  struct run *runs = bytes_of(env, arguments[2], napi_int32_array, &run_words);
  uint8_t *addresses = bytes_of(env, arguments[3], napi_uint8_array, &address_bytes);
  if (s == NULL || s->fd < 0 || bytes == NULL || runs == NULL || addresses == NULL) return number(env, -1);
  if (napi_get_value_uint32(env, arguments[4], &count) != napi_ok || count > run_words / RUN_WORDS) return number(env, -1);
  if (count > address_bytes / ADDRESS_SIZE) return number(env, -1);
  if (!is_sound(runs, count, length, addresses, s->family)) return number(env, -1);
  while (next < count) {
    if (send_some(s, bytes, runs, addresses, &next, count, &at, &split)) continue;
    if (uv_poll_start(s->poll, READABLE | WRITABLE, on_poll) != 0) return number(env, -1);
    break;
  }
  return number(env, (int32_t)next);
}

/* close(socket): may be called repeatedly. */
static napi_value close_socket(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  struct udp_socket *s = socket_of(env, argument);
  if (s != NULL) release(s);
  return NULL;
}

/* box.c */
void add_box(napi_env env, napi_value exports);

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"encode", NULL, encode, NULL, NULL, NULL, napi_enumerable, NULL},
      {"open", NULL, open_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, send_runs, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_socket, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  add_box(env, exports);
  return exports;
}
