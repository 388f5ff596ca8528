#include "cache/export.h"

#include <doctest/doctest.h>

#include "cache/memory/memory.h"
#include "contract/cache_contract.h"

using namespace mediagen;

TEST_CASE("a cache's statistics are exposed as they are at that moment, counters without being added twice") {
  FakeClock clock;
  auto cache = NewMemoryCache(&clock, {.budget_bytes = 1 << 20});
  Metrics metrics;
  ExportCacheStats(cache.get(), &metrics);
  PutText(*cache, "k", "v");
  cache->Get("k");
  cache->Get("k");
  cache->Get("absent");
  const Cache::Lookup load = cache->GetOrLoad("loaded", 1000, nullptr);
  clock.Advance(250);
  CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
  metrics.Text();
  const std::string text = metrics.Text();
  auto shows = [&](std::string_view line) {
    CAPTURE(std::string(line));
    CHECK(text.find(std::string(line) + "\n") != std::string::npos);
  };
  shows("mediagen_cache_requests_total{result=\"hit\"} 2");
  shows("mediagen_cache_requests_total{result=\"miss\"} 2");
  shows("mediagen_cache_loads_total{result=\"filled\"} 1");
  shows("mediagen_cache_load_seconds_total 0.25");
  shows("mediagen_cache_bytes{kind=\"budget\"} 1048576");
  shows("mediagen_cache_entries 2");
  shows("mediagen_cache_evictions_total{cause=\"size\"} 0");
  cache->Remove("k");
  CHECK(metrics.Text().find("mediagen_cache_evictions_total{cause=\"invalidated\"} 1\n") !=
        std::string::npos);
}
