/*
 * Seals and opens the boxes of a session (XSalsa20-Poly1305, NaCl's crypto_secretbox) with the system's libsodium, if it has one. The
 * key that XSalsa20 derives from the first 16 bytes of a nonce is kept, since these stay the same in a session. src/tox/crypto/session-box.ts
 * is the only user. All arguments are checked, and no pointer to JavaScript's memory is kept after a call.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MAC_SIZE 16
#define PREFIX_SIZE 16
#define NONCE_SIZE 24
#define KEY_SIZE 32 /* also of the one-time key of Poly1305, which begins the key stream */

/* <uv.h>, the same in all versions of libuv 1. The C library's dlopen would need a newer one. */
struct library {
  void *handle;
  char *error;
};
int uv_dlopen(const char *, struct library *);
int uv_dlsym(struct library *, const char *, void **);

/* Memory of JavaScript: it begins with the key and zeros. */
struct cipher {
  uint8_t key[KEY_SIZE], derived[KEY_SIZE], prefix[PREFIX_SIZE], is_derived;
};

/* <sodium.h>, the same in all versions since 1.0.0. */
static struct {
  int (*init)(void);
  int (*hsalsa20)(uint8_t *, const uint8_t *, const uint8_t *, const uint8_t *);
  int (*salsa20)(uint8_t *, const uint8_t *, unsigned long long, const uint8_t *, uint64_t, const uint8_t *);
  int (*poly1305)(uint8_t *, const uint8_t *, unsigned long long, const uint8_t *);
  int (*verify)(const uint8_t *, const uint8_t *, unsigned long long, const uint8_t *);
  void (*wipe)(void *, size_t);
} sodium;

static uint8_t *bytes_of(napi_env env, napi_value value, size_t *length) {
  napi_typedarray_type type;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok) return NULL;
  return type == napi_uint8_array ? data : NULL;
}

/* The arguments are (packet, at, nonce, cipher): the box is the rest of the packet, which is changed in place. */
static bool crypt(napi_env env, napi_callback_info info, bool is_opening) {
  napi_value arguments[4];
  size_t count = 4, length, nonce_length, cipher_length;
  uint32_t at;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  uint8_t *packet = bytes_of(env, arguments[0], &length);
  const uint8_t *nonce = bytes_of(env, arguments[2], &nonce_length);
  struct cipher *cipher = (struct cipher *)bytes_of(env, arguments[3], &cipher_length);
  if (packet == NULL || nonce == NULL || cipher == NULL) return false;
  if (nonce_length != NONCE_SIZE || cipher_length != sizeof *cipher) return false;
  if (napi_get_value_uint32(env, arguments[1], &at) != napi_ok || length <= MAC_SIZE || at >= length - MAC_SIZE) return false;

  if (!cipher->is_derived || memcmp(cipher->prefix, nonce, PREFIX_SIZE) != 0) {
    sodium.hsalsa20(cipher->derived, nonce, cipher->key, NULL);
    memcpy(cipher->prefix, nonce, PREFIX_SIZE);
    cipher->is_derived = 1;
  }
  uint8_t *mac = packet + at, *text = mac + MAC_SIZE, block[2 * KEY_SIZE] = {0};
  const uint8_t *counter = nonce + PREFIX_SIZE;
  const size_t size = length - at - MAC_SIZE, first = size < KEY_SIZE ? size : KEY_SIZE;
  memcpy(block + KEY_SIZE, text, first);
  sodium.salsa20(block, block, KEY_SIZE + first, counter, 0, cipher->derived);
  const bool is_authentic = !is_opening || sodium.verify(mac, text, size, block) == 0;
  if (is_authentic) {
    memcpy(text, block + KEY_SIZE, first);
    if (size > first) sodium.salsa20(text + first, text + first, size - first, counter, 1, cipher->derived);
    if (!is_opening) sodium.poly1305(mac, text, size, block);
  }
  sodium.wipe(block, sizeof block);
  return is_authentic;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

/* sealBox(packet, at, nonce, cipher): returns false for invalid arguments. */
static napi_value seal_box(napi_env env, napi_callback_info info) { return boolean(env, crypt(env, info, false)); }

/* openBox(packet, at, nonce, cipher): returns false, with the packet unchanged, for another box or invalid arguments. */
static napi_value open_box(napi_env env, napi_callback_info info) { return boolean(env, crypt(env, info, true)); }

static bool has_sodium(void) {
  struct library library;
  if (uv_dlopen("libsodium.so.23", &library) != 0 && uv_dlopen("libsodium.so.26", &library) != 0) return false;
  return uv_dlsym(&library, "sodium_init", (void **)&sodium.init) == 0 &&
         uv_dlsym(&library, "crypto_core_hsalsa20", (void **)&sodium.hsalsa20) == 0 &&
         uv_dlsym(&library, "crypto_stream_salsa20_xor_ic", (void **)&sodium.salsa20) == 0 &&
         uv_dlsym(&library, "crypto_onetimeauth_poly1305", (void **)&sodium.poly1305) == 0 &&
         uv_dlsym(&library, "crypto_onetimeauth_poly1305_verify", (void **)&sodium.verify) == 0 &&
         uv_dlsym(&library, "sodium_memzero", (void **)&sodium.wipe) == 0 && sodium.init() >= 0;
}

/* Called by udp.c. */
void add_box(napi_env env, napi_value exports);
void add_box(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"sealBox", NULL, seal_box, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openBox", NULL, open_box, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (has_sodium()) napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
