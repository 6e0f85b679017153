// SPDX-License-Identifier: GPL-3.0-or-later
//
// A tuntox peer on top of libtoxcore, for the interoperability tests: the C world that our TypeScript has to talk to.
//
// It is our own program. It speaks protocol version 2 of gjedeer/tuntox, whose meaning is read from that project's source at
// commit 4c9fc50 (main.h, main.c, client.c), and it does not copy upstream's faults: it loses no bytes, it never blocks on a
// socket, and any number of connections may be open at once. Where upstream's behaviour is what a test needs, a flag asks for it.
//
// Modes, options and output lines: docs/interop.md, or run it with --help.
//
//     gcc -O2 -Wall -Wextra -o tuntox_peer tuntox_peer.c -ltoxcore

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <tox/tox.h>
#include <unistd.h>

// ---- the frame, upstream main.h: one frame is one custom lossless packet --------------------------------------------------

enum {
  FRAME_MAGIC = 0xA26B,                              // version 2; its first byte is also the Tox packet id (160..191 is lossless)
  FRAME_HEADER = 8,                                  // magic, type, connection id, data length: four 16 bit numbers, big endian
  FRAME_DATA_MAX = TOX_MAX_CUSTOM_PACKET_SIZE - FRAME_HEADER,
  TYPE_PONG = 0x0100,
  TYPE_PING = 0x0108,
  TYPE_TCP = 0x0600,
  TYPE_TCP_FIN = 0x0601,
  TYPE_REQUESTTUNNEL = 0x0602,                       // its connection id field is the remote port
  TYPE_ACKTUNNEL = 0x0610,                           // its connection id field is the tunnel id that the server chose
  BENCH_MAGIC = 0xA2FF,                              // ours alone: packets of the two bench modes
  FRAMES_PER_TURN = 32,                              // per tunnel and pass, so that one busy tunnel does not starve the others
  READ_AHEAD_LIMIT = 64,                             // tunnels of a friend are not read while this many frames wait for it
  EXIT_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_TIMEOUT = 3,
};

enum mode { MODE_SERVER, MODE_CLIENT, MODE_FRIEND, MODE_BENCH_SEND, MODE_BENCH_RECV, MODE_MAKE_SAVE };

struct node { char *host; uint16_t port; uint8_t key[TOX_PUBLIC_KEY_SIZE]; };
struct forward { uint16_t local_port; char *host; uint16_t port; int listener; };
struct packet { size_t length; uint8_t *data; };

static struct {
  enum mode mode;
  struct node *bootstrap; size_t bootstraps;
  struct node *relay; size_t relays;
  uint16_t udp_port, tcp_port;
  bool ipv6, lan, no_udp;
  const char *save, *secret, *target;                // target: the Tox ID to add as a friend
  bool save_friends, upstream_timing, trace, until_online, once, keep_asking, die_with_parent;
  uint8_t (*allow)[TOX_PUBLIC_KEY_SIZE]; size_t allows;
  struct forward *forwards; size_t forward_count;
  struct forward *pipe;                              // -W
  bool ping; unsigned ping_count;
  struct packet *raw; size_t raws; unsigned repeat;
  struct packet *message;                            // friend request message, instead of the one upstream would send
  unsigned timeout_s, linger_ms;
  unsigned bench_mib;
} opt = { .repeat = 1, .ping_count = 1, .bench_mib = 16, .keep_asking = true };

static Tox *tox;
static FILE *events;                                 // stdout, but stderr when stdout carries a tunnel's bytes
static volatile sig_atomic_t stop_requested;
static bool finished;
static int exit_code;
static Tox_Connection self_status;
static bool busy;                                    // something moved in this pass: go round again at once

// ---- small tools ----------------------------------------------------------------------------------------------------------

static void die(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("tuntox_peer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(code);
}

static void finish(int code) { finished = true; exit_code = code; }

__attribute__((format(printf, 1, 2))) static void event(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(events, format, arguments);
  fputc('\n', events);
  fflush(events);
  va_end(arguments);
}

static void *grow(void *array, size_t count, size_t size) {
  void *larger = realloc(array, count * size);
  if (!larger) die(EXIT_FAILED, "out of memory");
  return larger;
}

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void put16(uint8_t *at, unsigned value) { at[0] = (uint8_t)(value >> 8); at[1] = (uint8_t)value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16); put16(at + 2, value & 0xFFFF); }
static unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/** Reads exactly `bytes` bytes of hexadecimal; more text may follow (a Tox ID begins with its public key). */
static bool parse_hex(const char *text, uint8_t *out, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    int high = hex_digit(text[2 * i]);
    int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
    if (low < 0) return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

static struct packet parse_packet(const char *text) {
  struct packet packet = { strlen(text) / 2, NULL };
  packet.data = grow(NULL, packet.length + 1, 1);
  if (strlen(text) % 2 || !parse_hex(text, packet.data, packet.length)) die(EXIT_USAGE, "not hexadecimal: %s", text);
  return packet;
}

static void print_hex(const char *name, const uint8_t *bytes, size_t length) {
  char text[2 * TOX_ADDRESS_SIZE + 1];
  for (size_t i = 0; i < length; i++) sprintf(text + 2 * i, "%02X", bytes[i]);
  event("%s %s", name, text);
}

static uint16_t parse_port(const char *text, bool zero_allowed) {
  char *end;
  long port = strtol(text, &end, 10);
  if (*text == 0 || *end != 0 || port < (zero_allowed ? 0 : 1) || port > 65535) die(EXIT_USAGE, "not a port: %s", text);
  return (uint16_t)port;
}

static unsigned parse_number(const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == 0 || *end != 0 || value > UINT_MAX) die(EXIT_USAGE, "not a number: %s", text);
  return (unsigned)value;
}

static const char *status_name(Tox_Connection status) {
  return status == TOX_CONNECTION_UDP ? "udp" : status == TOX_CONNECTION_TCP ? "tcp" : "none";
}

// ---- frames to a friend -----------------------------------------------------------------------------------------------------
//
// Upstream sleeps for up to 2.7 s on a full send queue and then drops the frame, which is a hole in somebody's TCP stream
// (main.c, send_frame). Here a frame that libtoxcore refuses waits in a list per friend, every later frame for that friend waits
// behind it, and the TCP sockets of that friend are not read meanwhile: back-pressure reaches the program at the far end.

struct waiting { struct waiting *next; size_t length; uint8_t data[]; };
struct friend_queue { struct waiting *head, **tail; size_t count; };

static struct friend_queue *queues;
static uint32_t queue_count;

static struct friend_queue *queue_of(uint32_t friend_number) {
  if (friend_number >= queue_count) {
    struct friend_queue *moved = grow(NULL, friend_number + 1, sizeof *moved);
    memset(moved, 0, (friend_number + 1) * sizeof *moved);
    for (uint32_t i = 0; i < queue_count; i++) moved[i] = queues[i];
    for (uint32_t i = 0; i <= friend_number; i++) if (!moved[i].head) moved[i].tail = &moved[i].head;
    free(queues);
    queues = moved;
    queue_count = friend_number + 1;
  }
  return &queues[friend_number];
}

static void queue_clear(struct friend_queue *queue) {
  while (queue->head) {
    struct waiting *first = queue->head;
    queue->head = first->next;
    free(first);
  }
  queue->tail = &queue->head;
  queue->count = 0;
}

/** True when libtoxcore took the packet or never will; false when it has to be tried again. */
static bool hand_over(uint32_t friend_number, const uint8_t *data, size_t length) {
  Tox_Err_Friend_Custom_Packet error;
  if (length > 0 && data[0] >= 192) tox_friend_send_lossy_packet(tox, friend_number, data, length, &error);
  else tox_friend_send_lossless_packet(tox, friend_number, data, length, &error);
  if (error == TOX_ERR_FRIEND_CUSTOM_PACKET_SENDQ) return false;
  if (error != TOX_ERR_FRIEND_CUSTOM_PACKET_OK) event("UNSENT %u error %d", friend_number, (int)error);
  return true;
}

static void send_packet(uint32_t friend_number, const uint8_t *data, size_t length) {
  struct friend_queue *queue = queue_of(friend_number);
  busy = true;
  if (!queue->head && hand_over(friend_number, data, length)) return;
  struct waiting *entry = grow(NULL, 1, sizeof *entry + length);
  entry->next = NULL;
  entry->length = length;
  memcpy(entry->data, data, length);
  *queue->tail = entry;
  queue->tail = &entry->next;
  queue->count++;
}

static void send_frame(uint32_t friend_number, unsigned type, unsigned connection, const uint8_t *data, size_t length) {
  uint8_t packet[TOX_MAX_CUSTOM_PACKET_SIZE];
  put16(packet, FRAME_MAGIC);
  put16(packet + 2, type);
  put16(packet + 4, connection);
  put16(packet + 6, (unsigned)length);
  if (length > 0) memcpy(packet + FRAME_HEADER, data, length);
  send_packet(friend_number, packet, FRAME_HEADER + length);
}

static void retry_waiting_frames(void) {
  for (uint32_t i = 0; i < queue_count; i++) {
    struct friend_queue *queue = &queues[i];
    if (queue->head) busy = true;
    while (queue->head && hand_over(i, queue->head->data, queue->head->length)) {
      struct waiting *sent = queue->head;
      queue->head = sent->next;
      if (!queue->head) queue->tail = &queue->head;
      queue->count--;
      free(sent);
    }
  }
}

// ---- tunnels ----------------------------------------------------------------------------------------------------------------

enum tunnel_state {
  REQUESTED,                                         // client: REQUESTTUNNEL is out, no id yet
  CONNECTING,                                        // server: connect() to the target is under way
  OPEN,
  DRAINING,                                          // FIN was sent or received: write out what we have, then close
};

struct tunnel {
  enum tunnel_state state;
  uint32_t friend_number;
  uint32_t forward_id;
  uint16_t id;
  int in, out;                                       // the same socket, or 0 and 1 for -W
  char *name;                                        // host:port, for the event lines
  uint8_t *unwritten;                                // received from Tox and not yet taken by `out`
  size_t unwritten_from, unwritten_to, unwritten_size;
  uint64_t ended_at;                                 // our end of file, while --linger waits for the other direction
  uint64_t heard_at;
  int poll_in, poll_out;                             // places in the poll set of this pass, -1 for none
};

static struct tunnel **tunnels;
static size_t tunnel_count;
static size_t first_tunnel;                          // the turn rotates, so that a full queue does not always stop the same ones
static uint32_t next_forward_id;
static uint32_t server_friend = UINT32_MAX;          // client: the friend that is the server
static bool server_online;

static struct tunnel *tunnel_new(uint32_t friend_number, enum tunnel_state state, int in, int out, const char *host, unsigned port) {
  struct tunnel *t = calloc(1, sizeof *t);
  if (!t || asprintf(&t->name, "%s:%u", host, port) < 0) die(EXIT_FAILED, "out of memory");
  t->state = state;
  t->friend_number = friend_number;
  t->in = in;
  t->out = out;
  tunnels = grow(tunnels, tunnel_count + 1, sizeof *tunnels);
  tunnels[tunnel_count++] = t;
  return t;
}

/** Takes the tunnel out of the table; only remove_closed_tunnels frees, so that loops over the table stay valid. */
static void tunnel_close(struct tunnel *t) {
  if (t->in < 0) return;
  if (t->state == OPEN || t->state == DRAINING) event("TUNNEL closed %u", t->id);
  bool complete = t->state == DRAINING && t->unwritten_from == t->unwritten_to;
  close(t->in);
  if (t->out != t->in) close(t->out);
  t->in = t->out = -1;
  busy = true;
  if (opt.pipe) finish(complete ? 0 : EXIT_FAILED);
}

static void remove_closed_tunnels(void) {
  size_t kept = 0;
  for (size_t i = 0; i < tunnel_count; i++) {
    if (tunnels[i]->in >= 0) {
      tunnels[kept++] = tunnels[i];
      continue;
    }
    free(tunnels[i]->name);
    free(tunnels[i]->unwritten);
    free(tunnels[i]);
  }
  tunnel_count = kept;
}

static void close_tunnels_of(uint32_t friend_number) {
  for (size_t i = 0; i < tunnel_count; i++) if (tunnels[i]->friend_number == friend_number) tunnel_close(tunnels[i]);
}

static struct tunnel *tunnel_by_id(uint32_t friend_number, unsigned id) {
  for (size_t i = 0; i < tunnel_count; i++) {
    struct tunnel *t = tunnels[i];
    if (t->in >= 0 && t->state != REQUESTED && t->id == id && t->friend_number == friend_number) return t;
  }
  return NULL;
}

/** Ids are unique over all friends, as in upstream's one table (main.c, get_random_tunnel_id); 0 is possible there and here. */
static uint16_t unused_tunnel_id(void) {
  for (;;) {
    uint16_t id;
    bool taken = false;
    if (getrandom(&id, sizeof id, 0) != sizeof id) die(EXIT_FAILED, "no random numbers");
    for (size_t i = 0; i < tunnel_count; i++) if (tunnels[i]->id == id && tunnels[i]->state != REQUESTED) taken = true;
    if (!taken) return id;
  }
}

static void tunnel_write(struct tunnel *t);

/** No more bytes will come: close as soon as the local side has taken what we hold. */
static void tunnel_drain(struct tunnel *t) {
  t->state = DRAINING;
  if (t->unwritten_from == t->unwritten_to || !opt.pipe) tunnel_write(t);
}

/** Our direction is over. Upstream knows no half-close: FIN ends the tunnel for both sides (client.c, do_client_loop). */
static void tunnel_send_fin(struct tunnel *t) {
  send_frame(t->friend_number, TYPE_TCP_FIN, t->id, NULL, 0);
  tunnel_drain(t);
}

static void tunnel_write(struct tunnel *t) {
  while (t->unwritten_from < t->unwritten_to) {
    size_t length = t->unwritten_to - t->unwritten_from;
    // After POLLOUT a blocking pipe takes PIPE_BUF bytes without blocking; the modes of 0 and 1 are not ours to change.
    if (opt.pipe && length > PIPE_BUF) length = PIPE_BUF;
    ssize_t written = write(t->out, t->unwritten + t->unwritten_from, length);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (written < 0) {
      if (t->state == OPEN) send_frame(t->friend_number, TYPE_TCP_FIN, t->id, NULL, 0);
      tunnel_close(t);
      return;
    }
    busy = true;
    t->unwritten_from += (size_t)written;
    if (opt.pipe) break;
  }
  if (t->unwritten_from == t->unwritten_to) {
    t->unwritten_from = t->unwritten_to = 0;
    if (t->state == DRAINING) tunnel_close(t);
  }
}

static void tunnel_receive(struct tunnel *t, const uint8_t *data, size_t length) {
  if (length == 0) return;
  if (t->unwritten_to + length > t->unwritten_size) {
    if (t->unwritten) memmove(t->unwritten, t->unwritten + t->unwritten_from, t->unwritten_to - t->unwritten_from);
    t->unwritten_to -= t->unwritten_from;
    t->unwritten_from = 0;
    if (t->unwritten_to + length > t->unwritten_size / 2) {
      t->unwritten_size = 2 * (t->unwritten_to + length) + 65536;
      t->unwritten = grow(t->unwritten, t->unwritten_size, 1);
    }
  }
  memcpy(t->unwritten + t->unwritten_to, data, length);
  t->unwritten_to += length;
  t->heard_at = now_us();
  if (!opt.pipe) tunnel_write(t);
}

static void tunnel_read(struct tunnel *t) {
  struct friend_queue *queue = queue_of(t->friend_number);
  uint8_t data[FRAME_DATA_MAX];
  for (int frames = 0; frames < FRAMES_PER_TURN && !queue->head; frames++) {
    ssize_t length = read(t->in, data, sizeof data);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
      t->ended_at = t->heard_at = now_us();
      if (length < 0 || opt.linger_ms == 0) tunnel_send_fin(t);
      return;
    }
    send_frame(t->friend_number, TYPE_TCP, t->id, data, (size_t)length);
    if (opt.pipe) return;
  }
}

// ---- server -----------------------------------------------------------------------------------------------------------------

/** The reason for a refusal, or NULL. The order and the meaning are those of upstream's accept_friend_request (main.c). */
static const char *refuse_request(const uint8_t *public_key, const uint8_t *message, size_t length) {
  if (opt.secret) {
    if (length == 0 || message[length - 1] != 0) return "not terminated";
    if (strncmp((const char *)message, opt.secret, TOX_MAX_FRIEND_REQUEST_LENGTH - 1) != 0) return "wrong secret";
  }
  if (opt.allows == 0) return NULL;
  for (size_t i = 0; i < opt.allows; i++) if (memcmp(opt.allow[i], public_key, TOX_PUBLIC_KEY_SIZE) == 0) return NULL;
  return "not whitelisted";
}

static void serve_request(uint32_t friend_number, const uint8_t *data, size_t length, unsigned port) {
  if (length < 4) {
    event("TUNNEL failed short request");
    return;
  }
  char host[FRAME_DATA_MAX + 1], service[8];
  memcpy(host, data + 4, length - 4);
  host[length - 4] = 0;
  snprintf(service, sizeof service, "%u", port);
  // AF_INET only, as upstream: a host name that has no IPv4 address cannot be reached through a C server (main.c, get_client_socket).
  struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
  int error = getaddrinfo(host, service, &hints, &found);
  if (error) {
    event("TUNNEL failed %s:%u %s", host, port, gai_strerror(error));
    return;
  }
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || (connect(fd, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS)) {
    event("TUNNEL failed %s:%u %s", host, port, strerror(errno));
    if (fd >= 0) close(fd);
  } else {
    struct tunnel *t = tunnel_new(friend_number, CONNECTING, fd, fd, host, port);
    t->id = unused_tunnel_id();
    t->forward_id = get32(data);
  }
  freeaddrinfo(found);
}

/** A failed connect is answered with nothing: no upstream release sends DENYTUNNEL (main.c, handle_request_tunnel_frame). */
static void connect_finished(struct tunnel *t) {
  int error = 0, yes = 1;
  socklen_t size = sizeof error;
  getsockopt(t->out, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    event("TUNNEL failed %s %s", t->name, strerror(error));
    tunnel_close(t);
    return;
  }
  setsockopt(t->out, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  uint8_t forward_id[4];
  put32(forward_id, t->forward_id);
  t->state = OPEN;
  event("TUNNEL open %u %s", t->id, t->name);
  send_frame(t->friend_number, TYPE_ACKTUNNEL, t->id, forward_id, sizeof forward_id);
}

// ---- client -----------------------------------------------------------------------------------------------------------------

static void request_tunnel(int in, int out, const struct forward *forward) {
  uint8_t data[FRAME_DATA_MAX];
  size_t host_length = strlen(forward->host);
  struct tunnel *t = tunnel_new(server_friend, REQUESTED, in, out, forward->host, forward->port);
  // A new forward id for each connection: upstream's client re-uses one id per -L and so can have one request pending.
  t->forward_id = next_forward_id++;
  put32(data, t->forward_id);
  memcpy(data + 4, forward->host, host_length);
  send_frame(server_friend, TYPE_REQUESTTUNNEL, forward->port, data, 4 + host_length);
}

static void open_listeners(void) {
  for (size_t i = 0; i < opt.forward_count; i++) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(opt.forwards[i].local_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
      die(EXIT_FAILED, "cannot listen on 127.0.0.1:%u: %s", opt.forwards[i].local_port, strerror(errno));
    }
    getsockname(fd, (struct sockaddr *)&address, &size);
    opt.forwards[i].listener = fd;
    event("LISTEN %u %s:%u", ntohs(address.sin_port), opt.forwards[i].host, opt.forwards[i].port);
  }
}

static void accept_connections(const struct forward *forward) {
  for (;;) {
    int yes = 1, fd = accept4(forward->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    request_tunnel(fd, fd, forward);
  }
}

static void handle_ack(uint32_t friend_number, unsigned id, const uint8_t *data, size_t length) {
  if (length < 4) return;
  for (size_t i = 0; i < tunnel_count; i++) {
    struct tunnel *t = tunnels[i];
    if (t->in < 0 || t->state != REQUESTED || t->friend_number != friend_number || t->forward_id != get32(data)) continue;
    t->id = (uint16_t)id;
    t->state = OPEN;
    event("TUNNEL open %u %s", id, t->name);
    return;
  }
  event("TUNNEL unasked %u", id);
}

static uint64_t ping_sent_at;
static unsigned pings_done;

static void send_ping(void) {
  ping_sent_at = now_us();
  send_frame(server_friend, TYPE_PING, 0, (const uint8_t *)"Hello", 5);
}

// The request is what upstream's client.c sends: the secret with its NUL, or 8 bytes of a greeting, because upstream takes the
// size of a pointer for the length of the text.
static void add_friend(void) {
  uint8_t address[TOX_ADDRESS_SIZE], message[TOX_MAX_FRIEND_REQUEST_LENGTH + 1] = "Hi, fell";
  size_t length = 8;
  if (opt.message) {
    length = opt.message->length;
    memcpy(message, opt.message->data, length);
  } else if (opt.secret) {
    length = strlen(opt.secret) + 1;
    memcpy(message, opt.secret, length);
  }
  parse_hex(opt.target, address, sizeof address);
  Tox_Err_Friend_Add error;
  server_friend = tox_friend_add(tox, address, message, length, &error);
  // A save file may hold the friend already; then there is nothing to ask.
  if (error == TOX_ERR_FRIEND_ADD_ALREADY_SENT) server_friend = tox_friend_by_public_key(tox, address, NULL);
  else if (error != TOX_ERR_FRIEND_ADD_OK) die(EXIT_FAILED, "cannot add the friend: error %d", (int)error);
  event("REQUEST sent %zu", length);
}

/** Upstream's client asks again every 45 s, and after a lost connection, by deleting the friend and adding it again (client.c). */
static void ask_again_when_due(void) {
  static uint64_t asked_at;
  static bool was_online;
  if (!opt.target || self_status == TOX_CONNECTION_NONE) return;
  bool lost = was_online && !server_online;
  was_online = server_online;
  if (server_friend == UINT32_MAX) {
    add_friend();
  } else if (opt.keep_asking && !server_online && (lost || now_us() - asked_at > 45000000)) {
    tox_friend_delete(tox, server_friend, NULL);
    add_friend();
  } else {
    return;
  }
  asked_at = now_us();
}

// ---- bench: what two libtoxcore peers reach ---------------------------------------------------------------------------------

static uint64_t bench_total, bench_sent, bench_received, bench_started_at;
static uint32_t bench_sequence;
static uint32_t bench_friend = UINT32_MAX;

static void bench_report(const char *what, uint64_t bytes) {
  double seconds = (double)(now_us() - bench_started_at) / 1e6;
  event("BENCH %s %llu bytes %.3f s %.2f MB/s", what, (unsigned long long)bytes, seconds, (double)bytes / 1e6 / seconds);
}

/** Fills libtoxcore's queue; the last packet is told by its first data byte. The receiver's answer ends the run. */
static void bench_send_more(void) {
  uint8_t packet[TOX_MAX_CUSTOM_PACKET_SIZE] = { 0 };
  if (bench_friend == UINT32_MAX || bench_sent >= bench_total) return;
  busy = true;
  while (bench_sent < bench_total) {
    Tox_Err_Friend_Custom_Packet error;
    put16(packet, BENCH_MAGIC);
    put32(packet + 2, bench_sequence);
    packet[6] = bench_sent + sizeof packet >= bench_total;
    tox_friend_send_lossless_packet(tox, bench_friend, packet, sizeof packet, &error);
    if (error == TOX_ERR_FRIEND_CUSTOM_PACKET_SENDQ) return;
    if (error != TOX_ERR_FRIEND_CUSTOM_PACKET_OK) die(EXIT_FAILED, "bench: send error %d", (int)error);
    if (bench_sent == 0) bench_started_at = now_us();
    bench_sequence++;
    bench_sent += sizeof packet;
  }
}

static void bench_receive(uint32_t friend_number, const uint8_t *data, size_t length) {
  if (opt.mode == MODE_BENCH_SEND) {                 // the receiver has everything
    bench_report("sent", bench_sent);
    finish(0);
    return;
  }
  if (length < 7 || get32(data + 2) != bench_sequence) die(EXIT_FAILED, "bench: packet out of order");
  if (bench_sequence++ == 0) bench_started_at = now_us();
  bench_received += length;
  // libtoxcore begins slowly and has no memory between connections, so the rate of a run depends on its length: say it on the way.
  static uint64_t part_at, part_from;
  if (bench_received == length) part_at = now_us(), part_from = 0;
  if (bench_received - part_from >= 16 << 20) {
    uint64_t now = now_us();
    event("BENCH part %llu bytes %.2f MB/s", (unsigned long long)bench_received, (double)(bench_received - part_from) / (double)(now - part_at));
    part_at = now;
    part_from = bench_received;
  }
  if (!data[6]) return;
  bench_report("received", bench_received);
  bench_sequence = 0;
  bench_received = 0;
  const uint8_t answer[] = { BENCH_MAGIC >> 8, BENCH_MAGIC & 0xFF };
  send_packet(friend_number, answer, sizeof answer);
  if (opt.once) finish(0);
}

// ---- what libtoxcore tells us -----------------------------------------------------------------------------------------------

static void handle_frame(uint32_t friend_number, unsigned type, unsigned connection, const uint8_t *data, size_t length) {
  bool client = opt.mode == MODE_CLIENT;
  struct tunnel *t;
  switch (type) {
    case TYPE_PING:
      event("PING %zu", length);
      send_frame(friend_number, TYPE_PONG, 0, data, length);
      break;
    case TYPE_PONG:
      if (!opt.ping) {
        event("PONG %zu", length);
        break;
      }
      event("PONG %.3f %zu", (double)(now_us() - ping_sent_at) / 1000, length);
      if (++pings_done >= opt.ping_count) finish(0);
      else send_ping();
      break;
    case TYPE_REQUESTTUNNEL:
      if (!client) serve_request(friend_number, data, length, connection);
      break;
    case TYPE_ACKTUNNEL:
      if (client) handle_ack(friend_number, connection, data, length);
      break;
    case TYPE_TCP:
      t = tunnel_by_id(friend_number, connection);
      if (t && t->state == OPEN) tunnel_receive(t, data, length);
      break;
    case TYPE_TCP_FIN:
      t = tunnel_by_id(friend_number, connection);
      if (!t) break;
      tunnel_drain(t);
      break;
    default:                                         // upstream ignores what it does not know (main.c, handle_frame)
      break;
  }
}

static void on_packet(Tox *core, uint32_t friend_number, const uint8_t *data, size_t length, void *user) {
  (void)core, (void)user;
  busy = true;
  if (length >= 2 && get16(data) == BENCH_MAGIC && (opt.mode == MODE_BENCH_SEND || opt.mode == MODE_BENCH_RECV)) {
    bench_receive(friend_number, data, length);
    return;
  }
  bool frame = length >= FRAME_HEADER && get16(data) == FRAME_MAGIC && get16(data + 6) + FRAME_HEADER <= length;
  if (opt.trace && frame) event("FRAME %04x %u %u", get16(data + 2), get16(data + 4), get16(data + 6));
  if (!frame) {
    event("PACKET %u %zu", length ? data[0] : 0, length);
    return;
  }
  if (opt.mode == MODE_SERVER || opt.mode == MODE_CLIENT) handle_frame(friend_number, get16(data + 2), get16(data + 4), data + FRAME_HEADER, get16(data + 6));
}

static void on_self_status(Tox *core, Tox_Connection status, void *user) {
  (void)core, (void)user;
  self_status = status;
  event("SELF %s", status_name(status));
}

static void on_friend_online(uint32_t friend_number) {
  for (unsigned round = 0; round < opt.repeat; round++) {
    for (size_t i = 0; i < opt.raws; i++) send_packet(friend_number, opt.raw[i].data, opt.raw[i].length);
  }
  if (opt.mode == MODE_BENCH_SEND) bench_friend = friend_number;
  if (opt.mode == MODE_CLIENT && opt.ping && pings_done == 0) send_ping();
  if (opt.mode == MODE_CLIENT && opt.pipe && tunnel_count == 0) request_tunnel(0, 1, opt.pipe);
  if (opt.until_online) finish(0);
}

static void on_friend_status(Tox *core, uint32_t friend_number, Tox_Connection status, void *user) {
  (void)core, (void)user;
  static uint8_t *known;                             // online or not, by friend number: udp to tcp is no new session
  static uint32_t known_count;
  if (friend_number >= known_count) {
    known = grow(known, friend_number + 1, 1);
    memset(known + known_count, 0, friend_number + 1 - known_count);
    known_count = friend_number + 1;
  }
  bool was_online = known[friend_number];
  known[friend_number] = status != TOX_CONNECTION_NONE;
  if (friend_number == server_friend) server_online = status != TOX_CONNECTION_NONE;
  event("FRIEND %u %s", friend_number, status_name(status));
  if (status == TOX_CONNECTION_NONE) {
    // Upstream's server leaves such tunnels and their sockets open for ever; its client closes them, as we do in both roles.
    queue_clear(queue_of(friend_number));
    close_tunnels_of(friend_number);
  } else if (!was_online) {
    on_friend_online(friend_number);
  }
}

static void write_save(void);

static void on_friend_request(Tox *core, const uint8_t *public_key, const uint8_t *message, size_t length, void *user) {
  (void)user;
  const char *reason = opt.mode == MODE_SERVER ? refuse_request(public_key, message, length) : NULL;
  if (reason) {
    event("REQUEST refused %s", reason);
    return;
  }
  Tox_Err_Friend_Add error;
  uint32_t friend_number = tox_friend_add_norequest(core, public_key, &error);
  if (error != TOX_ERR_FRIEND_ADD_OK) event("REQUEST refused error %d", (int)error);
  else event("REQUEST accepted %u", friend_number);
  if (opt.save_friends) write_save();
}

// ---- start, and the loop ----------------------------------------------------------------------------------------------------

/** Upstream writes its identity once, at start, so that it forgets its friends; --save-friends is for tests that need memory. */
static void write_save(void) {
  char *path;
  size_t size = tox_get_savedata_size(tox);
  uint8_t *data = grow(NULL, size, 1);
  tox_get_savedata(tox, data);
  if (asprintf(&path, "%s.tmp", opt.save) < 0) die(EXIT_FAILED, "out of memory");
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0 || rename(path, opt.save) != 0) {
    die(EXIT_FAILED, "cannot write %s: %s", opt.save, strerror(errno));
  }
  free(data);
  free(path);
}

static uint8_t *read_save(size_t *size) {
  FILE *file = opt.save ? fopen(opt.save, "rb") : NULL;
  uint8_t *data = NULL;
  *size = 0;
  if (!file) return NULL;
  for (;;) {
    data = grow(data, *size + 65536, 1);
    size_t got = fread(data + *size, 1, 65536, file);
    if (got == 0) break;
    *size += got;
  }
  fclose(file);
  return data;
}

/** libtoxcore takes the first port of a range and reads 0 as 33445..33545; tests run side by side and want a free one. */
static uint16_t free_udp_port(void) {
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
    die(EXIT_FAILED, "no free UDP port: %s", strerror(errno));
  }
  close(fd);
  return ntohs(address.sin_port);
}

static void start_tox(void) {
  struct Tox_Options *options = tox_options_new(NULL);
  size_t size;
  uint8_t *saved = read_save(&size);
  uint16_t port = opt.udp_port ? opt.udp_port : free_udp_port();
  tox_options_set_ipv6_enabled(options, opt.ipv6);
  tox_options_set_udp_enabled(options, !opt.no_udp);
  tox_options_set_local_discovery_enabled(options, opt.lan);
  tox_options_set_start_port(options, port);
  tox_options_set_end_port(options, port);
  tox_options_set_tcp_port(options, opt.tcp_port);
  if (saved && size > 0) {
    tox_options_set_savedata_type(options, TOX_SAVEDATA_TYPE_TOX_SAVE);
    tox_options_set_savedata_data(options, saved, size);
    tox_options_set_savedata_length(options, size);
  }
  Tox_Err_New error;
  tox = tox_new(options, &error);
  if (!tox) die(EXIT_FAILED, "tox_new: error %d", (int)error);
  tox_options_free(options);
  free(saved);

  tox_callback_self_connection_status(tox, on_self_status);
  tox_callback_friend_request(tox, on_friend_request);
  tox_callback_friend_connection_status(tox, on_friend_status);
  tox_callback_friend_lossless_packet(tox, on_packet);
  tox_callback_friend_lossy_packet(tox, on_packet);
  // Without UDP, tox_bootstrap still teaches the onion where its paths may begin, so TCP-only peers need both options.
  for (size_t i = 0; i < opt.bootstraps; i++) tox_bootstrap(tox, opt.bootstrap[i].host, opt.bootstrap[i].port, opt.bootstrap[i].key, NULL);
  for (size_t i = 0; i < opt.relays; i++) tox_add_tcp_relay(tox, opt.relay[i].host, opt.relay[i].port, opt.relay[i].key, NULL);
  if (opt.save && opt.mode != MODE_MAKE_SAVE) write_save();

  uint8_t bytes[TOX_ADDRESS_SIZE];
  tox_self_get_address(tox, bytes);
  print_hex("ADDRESS", bytes, TOX_ADDRESS_SIZE);
  event("UDP %u", opt.no_udp ? 0 : tox_self_get_udp_port(tox, NULL));
  tox_self_get_dht_id(tox, bytes);
  print_hex("DHTKEY", bytes, TOX_PUBLIC_KEY_SIZE);
}

/** Waits until a socket of ours is ready or Tox wants its turn, and serves what is ready. */
static void serve_sockets(void) {
  static struct pollfd *set;
  static size_t set_size;
  size_t used = 0, listeners = 0;
  if (opt.forward_count + 2 * tunnel_count > set_size) {
    set_size = 2 * (opt.forward_count + 2 * tunnel_count);
    set = grow(set, set_size, sizeof *set);
  }
  if (server_online) {
    for (listeners = 0; listeners < opt.forward_count; listeners++) {
      set[used++] = (struct pollfd){ .fd = opt.forwards[listeners].listener, .events = POLLIN };
    }
  }
  uint64_t now = now_us();
  for (size_t i = 0; i < tunnel_count; i++) {
    struct tunnel *t = tunnels[i];
    t->poll_in = t->poll_out = -1;
    if (t->ended_at && t->state == OPEN && now - t->heard_at >= (uint64_t)opt.linger_ms * 1000) {
      tunnel_send_fin(t);
    }
    if (t->in < 0) continue;
    bool readable = t->state == OPEN && !t->ended_at && queue_of(t->friend_number)->count < READ_AHEAD_LIMIT && !queue_of(t->friend_number)->head;
    bool writable = t->state == CONNECTING || t->unwritten_from < t->unwritten_to || t->state == DRAINING;
    if (readable) {
      t->poll_in = (int)used;
      set[used++] = (struct pollfd){ .fd = t->in, .events = POLLIN };
    }
    if (writable) {
      t->poll_out = (int)used;
      set[used++] = (struct pollfd){ .fd = t->out, .events = POLLOUT };
    }
  }

  uint32_t interval = tox_iteration_interval(tox);
  int wait_ms = busy ? 0 : interval < 5 ? (int)interval : 5;
  if (opt.upstream_timing) {                         // what upstream does after each pass, whatever there is to do
    usleep(interval * 1000);
    wait_ms = 0;
  }
  busy = false;
  if (poll(set, used, wait_ms) <= 0) return;

  size_t count = tunnel_count;                       // tunnels that a callback below adds have no place in the set
  for (size_t i = 0; i < listeners; i++) if (set[i].revents) accept_connections(&opt.forwards[i]);
  for (size_t i = 0; i < count; i++) {
    struct tunnel *t = tunnels[(first_tunnel + i) % count];
    if (t->in >= 0 && t->poll_out >= 0 && set[t->poll_out].revents) {
      if (t->state == CONNECTING) connect_finished(t);
      else tunnel_write(t);
    }
    if (t->in >= 0 && t->state == OPEN && t->poll_in >= 0 && set[t->poll_in].revents) tunnel_read(t);
  }
  first_tunnel++;
}

static void run(void) {
  uint64_t started_at = now_us(), connected_at = 0;
  while (!stop_requested && !finished) {
    tox_iterate(tox, NULL);
    ask_again_when_due();
    retry_waiting_frames();
    if (opt.mode == MODE_BENCH_SEND) bench_send_more();
    remove_closed_tunnels();
    serve_sockets();
    remove_closed_tunnels();
    if (opt.timeout_s && now_us() - started_at > (uint64_t)opt.timeout_s * 1000000) {
      event("TIMEOUT");
      finish(EXIT_TIMEOUT);
    }
    if (opt.mode == MODE_MAKE_SAVE && self_status != TOX_CONNECTION_NONE) {
      if (!connected_at) connected_at = now_us();
      if (now_us() - connected_at > 1000000) {       // by then the nodes that answered are among those that a save file holds
        write_save();
        event("SAVED %s", opt.save);
        finish(0);
      }
    }
  }
  // One more second at most for what libtoxcore has not put on the wire: the FIN behind the last byte, the answer of a bench.
  uint64_t until = now_us() + (stop_requested ? 0 : 1000000);
  bool waiting = true;
  while (waiting && now_us() < until) {
    tox_iterate(tox, NULL);
    retry_waiting_frames();
    waiting = false;
    for (uint32_t i = 0; i < queue_count; i++) if (queues[i].head) waiting = true;
    usleep(1000);
  }
  for (int i = 0; i < 20 && finished && !stop_requested && exit_code == 0; i++) {
    tox_iterate(tox, NULL);
    usleep(10000);
  }
  if (opt.save_friends) write_save();
  tox_kill(tox);
}

// ---- the command line -------------------------------------------------------------------------------------------------------

static const char help[] =
  "tuntox_peer MODE [options]      a tuntox version 2 peer on libtoxcore, for tests\n"
  "MODE  server | client | friend | bench-send | bench-recv | make-save\n"
  "  network   --bootstrap HOST:PORT:KEY...  --relay HOST:PORT:KEY...  --port UDP (0: a free one)  --tcp-port N  --no-udp\n"
  "            --ipv6 | --no-ipv6 (default)  --lan | --no-lan (default)\n"
  "  identity  --save FILE  --save-friends\n"
  "  server    --secret S  --allow HEXID...\n"
  "  client    --id TOXID  --secret S  -L LPORT:HOST:PORT...  -W HOST:PORT  -p  --count N\n"
  "            --message HEX (friend request, instead of the secret)  --ask-once (no second friend request)\n"
  "  friend    --add TOXID\n"
  "  bench     --id TOXID  --mib N  --once\n"
  "  any       --raw HEX...  --repeat N  --trace  --linger MS  --upstream-timing  --timeout S  --until-online  --die-with-parent\n";

static struct node parse_node(const char *text) {
  struct node node;
  char *copy = strdup(text);
  char *key = copy ? strrchr(copy, ':') : NULL;
  if (key) *key++ = 0;
  char *port = key ? strrchr(copy, ':') : NULL;
  if (!port || strlen(key) != 2 * TOX_PUBLIC_KEY_SIZE || !parse_hex(key, node.key, sizeof node.key)) die(EXIT_USAGE, "not HOST:PORT:KEY: %s", text);
  *port++ = 0;
  node.host = copy;
  node.port = parse_port(port, false);
  return node;
}

static struct forward parse_forward(const char *text, bool with_local_port) {
  struct forward forward = { .listener = -1 };
  char *copy = strdup(text), *rest = copy;
  if (!copy) die(EXIT_FAILED, "out of memory");
  for (char *c = copy; *c; c++) if (*c == '@') *c = ':';   // upstream allows it where ':' is a problem (util.c)
  if (with_local_port) {
    char *local = strsep(&rest, ":");
    forward.local_port = parse_port(local, true);
  }
  char *port = rest ? strrchr(rest, ':') : NULL;
  if (!port) die(EXIT_USAGE, "not a forward: %s", text);
  *port++ = 0;
  forward.host = rest;
  forward.port = parse_port(port, false);
  if (strlen(forward.host) > FRAME_DATA_MAX - 4) die(EXIT_USAGE, "the host name is too long");
  return forward;
}

enum {
  O_BOOTSTRAP = 256, O_RELAY, O_PORT, O_TCP_PORT, O_NO_UDP, O_IPV6, O_NO_IPV6, O_LAN, O_NO_LAN, O_SAVE, O_SAVE_FRIENDS, O_SECRET,
  O_ALLOW, O_ID, O_COUNT, O_MESSAGE, O_ASK_ONCE, O_MIB, O_ONCE, O_RAW, O_REPEAT, O_TRACE, O_LINGER, O_UPSTREAM_TIMING, O_TIMEOUT,
  O_UNTIL_ONLINE, O_DIE_WITH_PARENT, O_HELP,
};

static const struct option long_options[] = {
  { "bootstrap", required_argument, NULL, O_BOOTSTRAP }, { "relay", required_argument, NULL, O_RELAY },
  { "port", required_argument, NULL, O_PORT }, { "tcp-port", required_argument, NULL, O_TCP_PORT },
  { "no-udp", no_argument, NULL, O_NO_UDP }, { "ipv6", no_argument, NULL, O_IPV6 }, { "no-ipv6", no_argument, NULL, O_NO_IPV6 },
  { "lan", no_argument, NULL, O_LAN }, { "no-lan", no_argument, NULL, O_NO_LAN },
  { "save", required_argument, NULL, O_SAVE }, { "save-friends", no_argument, NULL, O_SAVE_FRIENDS },
  { "secret", required_argument, NULL, O_SECRET }, { "allow", required_argument, NULL, O_ALLOW },
  { "id", required_argument, NULL, O_ID }, { "add", required_argument, NULL, O_ID }, { "count", required_argument, NULL, O_COUNT },
  { "message", required_argument, NULL, O_MESSAGE }, { "ask-once", no_argument, NULL, O_ASK_ONCE },
  { "mib", required_argument, NULL, O_MIB }, { "once", no_argument, NULL, O_ONCE },
  { "raw", required_argument, NULL, O_RAW }, { "repeat", required_argument, NULL, O_REPEAT }, { "trace", no_argument, NULL, O_TRACE },
  { "linger", required_argument, NULL, O_LINGER }, { "upstream-timing", no_argument, NULL, O_UPSTREAM_TIMING },
  { "timeout", required_argument, NULL, O_TIMEOUT }, { "until-online", no_argument, NULL, O_UNTIL_ONLINE },
  { "die-with-parent", no_argument, NULL, O_DIE_WITH_PARENT }, { "help", no_argument, NULL, O_HELP }, { NULL, 0, NULL, 0 },
};

static void parse_option(int option) {
  switch (option) {
    case O_BOOTSTRAP:
      opt.bootstrap = grow(opt.bootstrap, opt.bootstraps + 1, sizeof *opt.bootstrap);
      opt.bootstrap[opt.bootstraps++] = parse_node(optarg);
      break;
    case O_RELAY:
      opt.relay = grow(opt.relay, opt.relays + 1, sizeof *opt.relay);
      opt.relay[opt.relays++] = parse_node(optarg);
      break;
    case O_PORT: opt.udp_port = parse_port(optarg, true); break;
    case O_TCP_PORT: opt.tcp_port = parse_port(optarg, true); break;
    case O_NO_UDP: opt.no_udp = true; break;
    case O_IPV6: opt.ipv6 = true; break;
    case O_NO_IPV6: opt.ipv6 = false; break;
    case O_LAN: opt.lan = true; break;
    case O_NO_LAN: opt.lan = false; break;
    case O_SAVE: opt.save = optarg; break;
    case O_SAVE_FRIENDS: opt.save_friends = true; break;
    case O_SECRET:
      opt.secret = optarg;
      if (strlen(optarg) >= TOX_MAX_FRIEND_REQUEST_LENGTH) die(EXIT_USAGE, "the secret is too long");
      break;
    case O_ALLOW:
      opt.allow = grow(opt.allow, opt.allows + 1, sizeof *opt.allow);
      if (!parse_hex(optarg, opt.allow[opt.allows++], TOX_PUBLIC_KEY_SIZE)) die(EXIT_USAGE, "not a Tox ID: %s", optarg);
      break;
    case O_ID: {
      uint8_t address[TOX_ADDRESS_SIZE];
      if (strlen(optarg) != 2 * TOX_ADDRESS_SIZE || !parse_hex(optarg, address, sizeof address)) die(EXIT_USAGE, "not a Tox ID: %s", optarg);
      opt.target = optarg;
      break;
    }
    case 'L':
      opt.forwards = grow(opt.forwards, opt.forward_count + 1, sizeof *opt.forwards);
      opt.forwards[opt.forward_count++] = parse_forward(optarg, true);
      break;
    case 'W':
      opt.pipe = grow(NULL, 1, sizeof *opt.pipe);
      *opt.pipe = parse_forward(optarg, false);
      break;
    case 'p': opt.ping = true; break;
    case O_COUNT: opt.ping_count = parse_number(optarg); break;
    case O_MESSAGE:
      opt.message = grow(NULL, 1, sizeof *opt.message);
      *opt.message = parse_packet(optarg);
      if (opt.message->length > TOX_MAX_FRIEND_REQUEST_LENGTH) die(EXIT_USAGE, "the message is too long");
      break;
    case O_ASK_ONCE: opt.keep_asking = false; break;
    case O_MIB: opt.bench_mib = parse_number(optarg); break;
    case O_ONCE: opt.once = true; break;
    case O_RAW:
      opt.raw = grow(opt.raw, opt.raws + 1, sizeof *opt.raw);
      opt.raw[opt.raws++] = parse_packet(optarg);
      break;
    case O_REPEAT: opt.repeat = parse_number(optarg); break;
    case O_TRACE: opt.trace = true; break;
    case O_LINGER: opt.linger_ms = parse_number(optarg); break;
    case O_UPSTREAM_TIMING: opt.upstream_timing = true; break;
    case O_TIMEOUT: opt.timeout_s = parse_number(optarg); break;
    case O_UNTIL_ONLINE: opt.until_online = true; break;
    case O_DIE_WITH_PARENT: opt.die_with_parent = true; break;
    case O_HELP: fputs(help, stdout); exit(0);
    default: exit(EXIT_USAGE);                       // getopt has said why
  }
}

static void on_signal(int number) { (void)number; stop_requested = 1; }

int main(int argc, char **argv) {
  static const char *const modes[] = { "server", "client", "friend", "bench-send", "bench-recv", "make-save" };
  size_t mode = 0, mode_count = sizeof modes / sizeof *modes;
  if (argc > 1 && strcmp(argv[1], "--help") == 0) return fputs(help, stdout), 0;
  while (argc > 1 && mode < mode_count && strcmp(argv[1], modes[mode]) != 0) mode++;
  if (argc < 2 || mode == mode_count) return fputs(help, stderr), EXIT_USAGE;
  opt.mode = (enum mode)mode;
  int option;
  optind = 2;
  while ((option = getopt_long(argc, argv, "L:W:p", long_options, NULL)) != -1) parse_option(option);
  if (optind < argc) die(EXIT_USAGE, "what is %s?", argv[optind]);
  if ((opt.mode == MODE_CLIENT || opt.mode == MODE_BENCH_SEND) && !opt.target) die(EXIT_USAGE, "--id is needed");
  if (opt.mode == MODE_SERVER && opt.target) die(EXIT_USAGE, "a server adds nobody; --allow is the whitelist");
  if ((opt.mode == MODE_MAKE_SAVE || opt.save_friends) && !opt.save) die(EXIT_USAGE, "--save is needed");
  if (opt.pipe && opt.forward_count) die(EXIT_USAGE, "-W and -L exclude each other");
  events = opt.pipe ? stderr : stdout;
  bench_total = (uint64_t)opt.bench_mib << 20;

  struct sigaction stopping = { .sa_handler = on_signal };
  sigaction(SIGTERM, &stopping, NULL);
  sigaction(SIGINT, &stopping, NULL);
  signal(SIGPIPE, SIG_IGN);
  if (opt.die_with_parent) prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getrandom(&next_forward_id, sizeof next_forward_id, 0) != sizeof next_forward_id) die(EXIT_FAILED, "no random numbers");

  open_listeners();
  start_tox();
  run();
  return exit_code;
}
