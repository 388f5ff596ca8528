#include <mediagen/mediagen.h>
#include <stdio.h>

int main(void) {
  mediagen_cache *cache = NULL;
  mediagen_str none = {NULL, 0};
  if (mediagen_cache_open(MEDIAGEN_ABI, none, &cache, NULL) != MEDIAGEN_OK) return 1;
  mediagen_cache_free(cache);
  return puts(mediagen_version()) < 0;
}
