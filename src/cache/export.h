// The statistics of a cache as metrics.
#pragma once

#include "base/metrics.h"
#include "cache/cache.h"

namespace mediagen {

// Reads the cache whenever `metrics` are exposed:
// mediagen_cache_requests_total{result="hit|stale|negative|miss"},
// mediagen_cache_loads_total{result="filled|failed"}, mediagen_cache_load_seconds_total,
// mediagen_cache_refusals_total, mediagen_cache_evictions_total{cause="size|expired|invalidated"},
// mediagen_cache_bytes{kind="all|pinned|reserved|budget"}, mediagen_cache_entries, and of a second level
// mediagen_cache_second_requests_total{result="hit|miss|error"},
// mediagen_cache_second_bytes_total{direction}. `cache` must outlive the last exposition.
void ExportCacheStats(const Cache* cache, Metrics* metrics);

}  // namespace mediagen
