/* A Node-API addon in plain C: everything that a Node server needs of mediagen's C ABI, through one inbox and
 * no thread. The library is opened with RTLD_DEEPBIND, because Node exports an OpenSSL and a zlib of its own
 * that its dependencies must not bind to. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <mediagen/mediagen.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
#define FUNCTIONS(F) \
  F(mediagen_open) F(mediagen_inbox_new) F(mediagen_inbox_fd) F(mediagen_inbox_next) F(mediagen_handle_begin) \
  F(mediagen_call_write) F(mediagen_call_end) F(mediagen_call_free) F(mediagen_response_head) \
  F(mediagen_response_body) F(mediagen_buffer_view) F(mediagen_buffer_free) F(mediagen_error_json) \
  F(mediagen_error_free)
/* clang-format on */
#define DECLARE(name) static __typeof__(&name) p_##name;
FUNCTIONS(DECLARE)

static mediagen_engine *engine;
static mediagen_inbox *inbox;

/* A string argument; the caller frees data. */
static mediagen_str text(napi_env env, napi_value value) {
  size_t size = 0;
  napi_get_value_string_utf8(env, value, NULL, 0, &size);
  char *data = malloc(size + 1);
  napi_get_value_string_utf8(env, value, data, size + 1, &size);
  mediagen_str str = {data, size};
  return str;
}

static napi_value fail(napi_env env, mediagen_error *error, const char *what) {
  mediagen_str json = error ? p_mediagen_error_json(error) : (mediagen_str){what, strlen(what)};
  char *copy = strndup(json.data, json.size);
  napi_throw_error(env, NULL, copy);
  free(copy);
  p_mediagen_error_free(error);
  return NULL;
}

static napi_value pair(napi_env env, double first, napi_value second) {
  napi_value out, number;
  napi_create_array_with_length(env, 2, &out);
  napi_create_double(env, first, &number);
  napi_set_element(env, out, 0, number);
  if (second) napi_set_element(env, out, 1, second);
  return out;
}

static napi_value bytes_of(napi_env env, const char *data, size_t size) {
  napi_value out;
  napi_create_buffer_copy(env, size, data, NULL, &out);
  return out;
}

static void release(napi_env env, void *call, void *hint) {
  (void)env, (void)hint;
  if (call) p_mediagen_call_free(call);
}

/* open(libraryPath, configJson) → the inbox's descriptor, duplicated: the caller's to watch and close. */
static napi_value open_engine(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  mediagen_str path = text(env, args[0]), config = text(env, args[1]);
  void *library = dlopen(path.data, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  free((void *)path.data);
  if (!library) return napi_throw_error(env, NULL, dlerror()), NULL;
#define LOAD(name) p_##name = (__typeof__(p_##name))dlsym(library, #name);
  FUNCTIONS(LOAD)
  mediagen_error *error = NULL;
  int32_t code = p_mediagen_open(MEDIAGEN_ABI, config, &engine, &error);
  free((void *)config.data);
  if (code == MEDIAGEN_OK) code = p_mediagen_inbox_new(&inbox, &error);
  if (code != MEDIAGEN_OK) return fail(env, error, "the engine did not open");
  napi_value fd;
  napi_create_int32(env, fcntl(p_mediagen_inbox_fd(inbox), F_DUPFD_CLOEXEC, 3), &fd);
  return fd;
}

/* handle(tag, method, target, headers, body) → [1 when the answer is there already, the call]. Otherwise the
 * inbox tells the tag. */
static napi_value handle(napi_env env, napi_callback_info info) {
  size_t count = 5, size = 0, taken = 0;
  napi_value args[5], external;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  int64_t tag = 0;
  void *body = NULL;
  napi_get_value_int64(env, args[0], &tag);
  napi_get_buffer_info(env, args[4], &body, &size);
  mediagen_str method = text(env, args[1]), target = text(env, args[2]), headers = text(env, args[3]),
               none = {"", 0}, chunk = {body, size};
  mediagen_call *call = NULL;
  mediagen_error *error = NULL;
  int32_t code = p_mediagen_handle_begin(engine, method, target, headers, none, none, inbox, (uint64_t)tag,
                                         &call, &error);
  free((void *)method.data), free((void *)target.data), free((void *)headers.data);
  if (code < 0) return fail(env, error, "handle");
  if (size > 0) p_mediagen_call_write(call, chunk, &taken); /* what is too large is answered, as an error */
  p_mediagen_call_end(call);
  napi_create_external(env, call, release, NULL, &external);
  return pair(env, code == MEDIAGEN_OK, external);
}

static mediagen_call *call_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  void *call = NULL;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_external(env, arg, &call);
  return call;
}

/* next() → [tag, kind]; kind 0 is EMPTY. */
static napi_value next(napi_env env, napi_callback_info info) {
  (void)info;
  uint64_t tag = 0;
  int32_t kind = 0;
  mediagen_buffer *event = NULL;
  p_mediagen_inbox_next(inbox, &tag, &kind, &event);
  p_mediagen_buffer_free(event);
  napi_value out;
  napi_create_int32(env, kind, &out);
  return pair(env, (double)tag, out);
}

/* head(call) → [status, "name: value\r\n…"]. */
static napi_value head(napi_env env, napi_callback_info info) {
  int32_t status = 0;
  mediagen_str headers = {"", 0};
  p_mediagen_response_head(call_of(env, info), &status, &headers);
  napi_value block;
  napi_create_string_utf8(env, headers.data, headers.size, &block);
  return pair(env, status, block);
}

/* body(call) → [kind, Buffer | undefined]; kind -1: nothing yet, READABLE follows. */
static napi_value body(napi_env env, napi_callback_info info) {
  mediagen_body piece = {.struct_size = sizeof piece};
  if (p_mediagen_response_body(call_of(env, info), &piece) == MEDIAGEN_EMPTY) return pair(env, -1, NULL);
  napi_value bytes = NULL;
  if (piece.kind == MEDIAGEN_BODY_FILE) {
    char *read = malloc(piece.length + 1);
    ssize_t got = pread(piece.fd, read, piece.length, (off_t)piece.offset);
    bytes = bytes_of(env, read, got < 0 ? 0 : (size_t)got);
    free(read);
    close(piece.fd);
  } else if (piece.buffer) {
    bytes = bytes_of(env, p_mediagen_buffer_view(piece.buffer).data + piece.offset, piece.length);
  }
  p_mediagen_buffer_free(piece.buffer);
  return pair(env, piece.kind, bytes);
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback function;
  } all[] = {{"open", open_engine}, {"handle", handle}, {"next", next}, {"head", head}, {"body", body}};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    napi_value function;
    napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].function, NULL, &function);
    napi_set_named_property(env, exports, all[i].name, function);
  }
  return exports;
}
