/* Opens an engine, so that a static program needs all of the library and not one function of it. */
#include <mediagen/mediagen.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  mediagen_str config = {argv[argc - 1], strlen(argv[argc - 1])};
  mediagen_engine *engine = NULL;
  mediagen_error *error = NULL;
  if (mediagen_open(MEDIAGEN_ABI, config, &engine, &error) != MEDIAGEN_OK) {
    mediagen_str json = mediagen_error_json(error);
    printf("%.*s\n", (int)json.size, json.data);
    mediagen_error_free(error);
    return 1;
  }
  mediagen_engine_free(engine);
  puts(mediagen_version());
  return 0;
}
