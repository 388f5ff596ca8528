/* ask: what a C host is told. Opens an engine, or submits one request and waits for the record to rest, and
 * prints the error (exit code 1) or the last record (0) as JSON.
 *
 *   ask CONFIG-FILE [REQUEST-FILE]
 */
#include <mediagen/mediagen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mediagen_str ReadFile(const char *path) {
  static char text[1 << 22];
  mediagen_str result = {NULL, 0};
  FILE *file = fopen(path, "rb");
  char *copy = NULL;
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  result.size = fread(text, 1, sizeof text, file);
  fclose(file);
  copy = malloc(result.size + 1);
  if (copy == NULL) exit(2);
  memcpy(copy, text, result.size);
  result.data = copy;
  return result;
}

static int Fail(mediagen_error *error) {
  mediagen_str json = mediagen_error_json(error);
  printf("%.*s\n", (int)json.size, json.data);
  mediagen_error_free(error);
  return 1;
}

/* The document that the call ends with; NULL after the error was printed. */
static mediagen_buffer *ResultOf(mediagen_call *call) {
  mediagen_buffer *document = NULL;
  mediagen_error *error = NULL;
  int32_t code = mediagen_call_wait(call, -1, &error);
  if (code == MEDIAGEN_OK) code = mediagen_call_result(call, &document, &error);
  mediagen_call_free(call);
  if (code == MEDIAGEN_OK) return document;
  Fail(error);
  return NULL;
}

static int Submit(mediagen_engine *engine, mediagen_str request) {
  mediagen_call *call = NULL;
  mediagen_error *error = NULL;
  mediagen_buffer *record = NULL;
  mediagen_str json = {NULL, 0}, id = {NULL, 36}, everything = {"", 0};
  if (mediagen_submit_begin(engine, request, NULL, 0, &call, &error) < 0) return Fail(error);
  record = ResultOf(call);
  if (record == NULL) return 1;
  json = mediagen_buffer_view(record);
  id.data = json.data + strlen("{\"id\":\"");
  if (mediagen_await_begin(engine, everything, id, NULL, 0, &call, &error) < 0) return Fail(error);
  mediagen_buffer_free(record);
  record = ResultOf(call);
  if (record == NULL) return 1;
  json = mediagen_buffer_view(record);
  printf("%.*s\n", (int)json.size, json.data);
  mediagen_buffer_free(record);
  return 0;
}

int main(int argc, char **argv) {
  mediagen_engine *engine = NULL;
  mediagen_error *error = NULL;
  int code = 0;
  if (argc < 2) return 2;
  if (mediagen_open(MEDIAGEN_ABI, ReadFile(argv[1]), &engine, &error) != MEDIAGEN_OK) return Fail(error);
  if (argc > 2) code = Submit(engine, ReadFile(argv[2]));
  mediagen_engine_free(engine);
  return code;
}
