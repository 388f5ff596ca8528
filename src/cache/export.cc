#include "cache/export.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace mediagen {
namespace {

double Of(uint64_t count) { return static_cast<double>(count); }

// One series and the statistic that it shows.
template <typename Series>
struct Shown {
  Series series;
  double (*read)(const CacheStats&);
};

struct Exported {
  std::mutex mutex;  // two expositions at once must not both add what is new
  std::vector<Shown<Counter>> counters;
  std::vector<Shown<Gauge>> gauges;
};

void AddCounters(Metrics* metrics, Exported* out) {
  auto add = [&](const char* name, const char* help, const Labels& labels,
                 double (*read)(const CacheStats&)) {
    out->counters.push_back({metrics->AddCounter(name, help, labels), read});
  };
  using S = const CacheStats&;
  const char* requests = "mediagen_cache_requests_total";
  const char* asked = "Lookups in the cache, by what they found.";
  add(requests, asked, {{"result", "hit"}}, [](S s) { return Of(s.hits - s.stale_hits - s.negative_hits); });
  add(requests, asked, {{"result", "stale"}}, [](S s) { return Of(s.stale_hits); });
  add(requests, asked, {{"result", "negative"}}, [](S s) { return Of(s.negative_hits); });
  add(requests, asked, {{"result", "miss"}}, [](S s) { return Of(s.misses); });
  const char* loads = "mediagen_cache_loads_total";
  const char* began = "Loads that the cache gave out, by how they ended or will.";
  add(loads, began, {{"result", "filled"}}, [](S s) { return Of(s.loads - s.load_failures); });
  add(loads, began, {{"result", "failed"}}, [](S s) { return Of(s.load_failures); });
  add("mediagen_cache_load_seconds_total", "Time that filled loads took.", {},
      [](S s) { return Of(s.load_ms) / 1000; });
  add("mediagen_cache_refusals_total", "Values that were not kept.", {}, [](S s) { return Of(s.refusals); });
  const char* evictions = "mediagen_cache_evictions_total";
  const char* dropped = "Entries dropped, by cause.";
  add(evictions, dropped, {{"cause", "size"}}, [](S s) { return Of(s.evictions_size); });
  add(evictions, dropped, {{"cause", "expired"}}, [](S s) { return Of(s.evictions_expired); });
  add(evictions, dropped, {{"cause", "invalidated"}}, [](S s) { return Of(s.evictions_invalidated); });
  const char* second = "mediagen_cache_second_requests_total";
  const char* asked_second = "Lookups in the cache's second level, by what they found.";
  add(second, asked_second, {{"result", "hit"}}, [](S s) { return Of(s.second_hits); });
  add(second, asked_second, {{"result", "miss"}}, [](S s) { return Of(s.second_misses); });
  add(second, asked_second, {{"result", "error"}}, [](S s) { return Of(s.second_errors); });
  const char* moved = "mediagen_cache_second_bytes_total";
  const char* bytes = "Bytes exchanged with the cache's second level.";
  add(moved, bytes, {{"direction", "read"}}, [](S s) { return Of(s.second_bytes_read); });
  add(moved, bytes, {{"direction", "written"}}, [](S s) { return Of(s.second_bytes_written); });
}

void AddGauges(Metrics* metrics, Exported* out) {
  using S = const CacheStats&;
  auto add = [&](const char* name, const char* help, const Labels& labels, double (*read)(S)) {
    out->gauges.push_back({metrics->AddGauge(name, help, labels), read});
  };
  const char* bytes = "mediagen_cache_bytes";
  const char* charged = "Bytes charged to the cache's budget, and the budget.";
  add(bytes, charged, {{"kind", "all"}}, [](S s) { return Of(s.bytes); });
  add(bytes, charged, {{"kind", "pinned"}}, [](S s) { return Of(s.pinned_bytes); });
  add(bytes, charged, {{"kind", "reserved"}}, [](S s) { return Of(s.reserved_bytes); });
  add(bytes, charged, {{"kind", "budget"}}, [](S s) { return Of(s.budget_bytes); });
  add("mediagen_cache_entries", "Entries in the cache.", {}, [](S s) { return Of(s.entries); });
}

}  // namespace

void ExportCacheStats(const Cache* cache, Metrics* metrics) {
  auto exported = std::make_shared<Exported>();
  AddCounters(metrics, exported.get());
  AddGauges(metrics, exported.get());
  metrics->OnCollect([cache, exported] {
    const CacheStats stats = cache->Stats();
    std::lock_guard lock(exported->mutex);
    for (auto& [counter, read] : exported->counters) {
      const double more = read(stats) - counter.value();
      if (more > 0) counter.Add(more);
    }
    for (auto& [gauge, read] : exported->gauges) gauge.Set(read(stats));
  });
}

}  // namespace mediagen
