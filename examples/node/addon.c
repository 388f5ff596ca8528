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
  F(mediagen_open) F(mediagen_engine_free) F(mediagen_inbox_new) \
  F(mediagen_inbox_fd) F(mediagen_inbox_next) F(mediagen_handle_begin) \
  F(mediagen_submit_begin) F(mediagen_call_result) F(mediagen_call_free) \
  F(mediagen_call_write) F(mediagen_call_end) F(mediagen_response_head) \
  F(mediagen_response_body) F(mediagen_buffer_view) F(mediagen_buffer_free) \
  F(mediagen_error_json) F(mediagen_error_free)
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

static napi_value number(napi_env env, double value) {
  napi_value out;
  napi_create_double(env, value, &out);
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
  return number(env, fcntl(p_mediagen_inbox_fd(inbox), F_DUPFD_CLOEXEC, 3));
}

/* submit(tag, requestJson) and handle(tag, method, target, headers, body) → a call. PENDING or not, what
 * follows is told by the inbox or by done = true. */
static napi_value wrap(napi_env env, mediagen_call *call, int32_t code) {
  napi_value out, handle, done;
  napi_create_object(env, &out);
  napi_create_external(env, call, release, NULL, &handle);
  napi_get_boolean(env, code == MEDIAGEN_OK, &done);
  napi_set_named_property(env, out, "handle", handle);
  napi_set_named_property(env, out, "done", done);
  return out;
}

static napi_value submit(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  int64_t tag = 0;
  napi_get_value_int64(env, args[0], &tag);
  mediagen_str request = text(env, args[1]);
  mediagen_call *call = NULL;
  mediagen_error *error = NULL;
  int32_t code = p_mediagen_submit_begin(engine, request, inbox, (uint64_t)tag, &call, &error);
  free((void *)request.data);
  return code < 0 ? fail(env, error, "submit") : wrap(env, call, code);
}

static napi_value handle(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value args[4];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  int64_t tag = 0;
  napi_get_value_int64(env, args[0], &tag);
  mediagen_str method = text(env, args[1]), target = text(env, args[2]), headers = text(env, args[3]),
               none = {"", 0};
  mediagen_call *call = NULL;
  mediagen_error *error = NULL;
  int32_t code = p_mediagen_handle_begin(engine, method, target, headers, none, none, inbox, (uint64_t)tag,
                                         &call, &error);
  free((void *)method.data), free((void *)target.data), free((void *)headers.data);
  return code < 0 ? fail(env, error, "handle") : wrap(env, call, code);
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
  napi_create_array_with_length(env, 2, &out);
  napi_set_element(env, out, 0, number(env, (double)tag));
  napi_set_element(env, out, 1, number(env, kind));
  return out;
}

static napi_value buffer_value(napi_env env, const char *data, size_t size) {
  napi_value out;
  napi_create_buffer_copy(env, size, data, NULL, &out);
  return out;
}

/* result(call) → a Buffer of the document; throws the call's error. */
static napi_value result(napi_env env, napi_callback_info info) {
  mediagen_buffer *buffer = NULL;
  mediagen_error *error = NULL;
  if (p_mediagen_call_result(call_of(env, info), &buffer, &error) < 0) return fail(env, error, "call");
  mediagen_str view = buffer ? p_mediagen_buffer_view(buffer) : (mediagen_str){"", 0};
  napi_value out = buffer_value(env, view.data, view.size);
  p_mediagen_buffer_free(buffer);
  return out;
}

/* head(call) → [status, "name: value\r\n…"]. */
static napi_value head(napi_env env, napi_callback_info info) {
  int32_t status = 0;
  mediagen_str headers = {"", 0};
  p_mediagen_response_head(call_of(env, info), &status, &headers);
  napi_value out, block;
  napi_create_array_with_length(env, 2, &out);
  napi_create_string_utf8(env, headers.data, headers.size, &block);
  napi_set_element(env, out, 0, number(env, status));
  napi_set_element(env, out, 1, block);
  return out;
}

/* body(call) → [kind, Buffer | undefined]; kind -1: nothing yet, READABLE follows. */
static napi_value body(napi_env env, napi_callback_info info) {
  mediagen_body piece = {.struct_size = sizeof piece};
  int32_t code = p_mediagen_response_body(call_of(env, info), &piece);
  napi_value out;
  napi_create_array_with_length(env, 2, &out);
  napi_set_element(env, out, 0, number(env, code == MEDIAGEN_EMPTY ? -1 : piece.kind));
  if (code == MEDIAGEN_OK && piece.kind == MEDIAGEN_BODY_FILE) {
    char *bytes = malloc(piece.length + 1);
    ssize_t got = pread(piece.fd, bytes, piece.length, (off_t)piece.offset);
    napi_set_element(env, out, 1, buffer_value(env, bytes, got < 0 ? 0 : (size_t)got));
    free(bytes);
    close(piece.fd);
  } else if (code == MEDIAGEN_OK && piece.buffer) {
    mediagen_str view = p_mediagen_buffer_view(piece.buffer);
    napi_set_element(env, out, 1, buffer_value(env, view.data + piece.offset, piece.length));
  }
  p_mediagen_buffer_free(piece.buffer);
  return out;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback function;
  } all[] = {{"open", open_engine}, {"submit", submit}, {"handle", handle}, {"next", next},
             {"result", result},    {"head", head},     {"body", body}};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    napi_value function;
    napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].function, NULL, &function);
    napi_set_named_property(env, exports, all[i].name, function);
  }
  return exports;
}
