#include <cstdio>
#include <mediagen/mediagen.hpp>

int main() {
  auto cache = mediagen::cache::open();
  if (!cache || !cache->put("key", "value")) return 1;
  if (cache->get("key")->view() != "value") return 1;
  return std::puts(mediagen_version()) < 0;
}
