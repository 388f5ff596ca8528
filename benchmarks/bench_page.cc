// page: one keyset page of 20 generations of one million, through mediagen_list_begin, JSON included: at the
// top, in the middle and near the end.
#include <mediagen/mediagen.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr int kRows = 1'000'000, kPages = 400;

mediagen_str Str(const std::string& text) { return {text.data(), text.size()}; }

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "bench_page: %s\n", what);
  std::exit(1);
}

mediagen_engine* Open(const std::string& dir) {
  const std::string config =
      R"({"dataDir": ")" + dir + R"(", "queues": {"generate": {"paused": true}, "media": {"paused": true}}})";
  mediagen_engine* engine = nullptr;
  mediagen_error* error = nullptr;
  if (mediagen_open(MEDIAGEN_ABI, Str(config), &engine, &error) != MEDIAGEN_OK) {
    mediagen_str json = mediagen_error_json(error);
    std::fprintf(stderr, "%.*s\n", static_cast<int>(json.size), json.data);
    Die("the engine did not open");
  }
  return engine;
}

std::string Page(mediagen_engine* engine, const std::string& query) {
  mediagen_call* call = nullptr;
  mediagen_buffer* buffer = nullptr;
  if (mediagen_list_begin(engine, Str(R"({"user":"u1"})"), Str("generations"), Str(query), nullptr, 0, &call,
                          nullptr) < 0)
    Die("the list was refused");
  if (mediagen_call_wait(call, -1, nullptr) != MEDIAGEN_OK ||
      mediagen_call_result(call, &buffer, nullptr) != MEDIAGEN_OK)
    Die("the list failed");
  mediagen_str view = mediagen_buffer_view(buffer);
  std::string page(view.data, view.size);
  mediagen_buffer_free(buffer);
  mediagen_call_free(call);
  return page;
}

std::string NextCursor(const std::string& page) {
  constexpr char kKey[] = "\"nextCursor\":\"";
  size_t at = page.rfind(kKey);
  if (at == std::string::npos) return "";
  at += sizeof kKey - 1;
  return page.substr(at, page.find('"', at) - at);
}

std::string QueryAt(const std::string& cursor, int limit) {
  return R"({"limit": )" + std::to_string(limit) +
         (cursor.empty() ? "}" : R"(, "cursor": ")" + cursor + "\"}");
}

// Ids are 16 bytes that grow with the row, like UUIDv7s.
constexpr char kFill[] = R"sql(
PRAGMA synchronous = OFF;
BEGIN;
CREATE TEMP TABLE row_number AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n;
CREATE TEMP TABLE model_row AS SELECT * FROM generation LIMIT 1;
UPDATE model_row SET status = 'completed', stage = '', completed_ms = created_ms;
INSERT INTO generation (id, user, external_id, created_ms, project, session, status, stage, provider, model, kind, prompt, n, seed, request, progress, error,
    cost_micros, cost_source, attempts, visibility, metadata, likes, shares, started_ms, completed_ms, deadline_ms, cancel_requested, job, version)
  SELECT CAST(printf('%016d', i) AS BLOB), user, '', created_ms - 1000001 + i, project, session, status, stage, provider, model, kind, prompt, n, seed, request,
    progress, error, cost_micros, cost_source, 1, visibility, metadata, likes, shares, started_ms, completed_ms, deadline_ms, 0, NULL, 2
  FROM row_number, model_row ORDER BY i;
INSERT INTO output (id, generation, user, number, part, try, source, kind, media_type, width, height, bytes, sha256, blob_key, thumb_hash, safety, c2pa,
    embedded_prompt, visibility, likes, created_ms)
  SELECT CAST(printf('o%015d', i) AS BLOB), CAST(printf('%016d', i) AS BLOB), 'u1', 0, 0, 1, 'generated', 'image', 'image/png', 1024, 1024, 1471234,
    printf('%064d', i), printf('generated-images/u1/%d/0.1.0.png', i), '1QcSHQRnh493V4dIh4eXh1h4kJUI', 'ok', 0, '', 'private', 0, 1700000000000 + i
  FROM row_number ORDER BY i;
COMMIT;
ANALYZE;
)sql";

// One million completed generations with an output each, made from one that went the real way, by SQL: the
// rows are what is measured here, not their making.
void Fill(const std::string& dir) {
  mediagen_engine* engine = Open(dir);
  const std::string request =
      R"({"user": "u1", "provider": "sketch", "prompt": "a red fox in snow, oil on canvas, late light", "size": "16x16"})";
  mediagen_call* call = nullptr;
  if (mediagen_submit_begin(engine, Str(request), nullptr, 0, &call, nullptr) < 0 ||
      mediagen_call_wait(call, -1, nullptr) != MEDIAGEN_OK)
    Die("the submit failed");
  mediagen_call_free(call);
  mediagen_engine_free(engine);
  sqlite3* db = nullptr;
  if (sqlite3_open((dir + "/mediagen.db").c_str(), &db) != SQLITE_OK) Die("the database did not open");
  char* error = nullptr;
  if (sqlite3_exec(db, kFill, nullptr, nullptr, &error) != SQLITE_OK) Die(error);
  sqlite3_close(db);
}

// The median time of a page at `cursor`, µs.
double PageUs(mediagen_engine* engine, const std::string& cursor) {
  const std::string query = QueryAt(cursor, 20);
  std::vector<double> times;
  for (int i = 0; i < kPages; ++i) {
    const auto begin = Steady::now();
    Page(engine, query);
    times.push_back(std::chrono::duration<double, std::micro>(Steady::now() - begin).count());
  }
  return Median(times);
}

}  // namespace

int main() {
  std::string dir = (fs::read_symlink("/proc/self/exe").parent_path() / "bench-page-XXXXXX").string();
  if (mkdtemp(dir.data()) == nullptr) Die("no folder could be made");
  std::printf("filling one million rows …\n");
  std::fflush(stdout);
  Fill(dir);
  mediagen_engine* engine = Open(dir);
  std::string cursor, middle, deep;
  for (int row = 0; row + 100 < kRows; row += 50) {
    cursor = NextCursor(Page(engine, QueryAt(cursor, 50)));
    if (cursor.empty()) Die("the list ended early");
    if (row == kRows / 2) middle = cursor;
    deep = cursor;
  }
  auto samples = RunInterleaved({{"first page", [&] { return PageUs(engine, ""); }},
                                 {"page in the middle", [&] { return PageUs(engine, middle); }},
                                 {"page near the end", [&] { return PageUs(engine, deep); }}});
  Report report("page");
  for (const Samples& sample : samples) {
    report.Add({"keyset page of 20 of 1 M rows: " + sample.name, "p50 µs", "bound", "",
                CompareWithBound(sample, 150, Better::kLess), 1.0, 2.5});
  }
  report.Add({"the same, near the end against the first", "p50 µs", "first page", "",
              Compare(samples[2], samples[0], Better::kLess), 1 / 1.3, std::nullopt});
  mediagen_engine_free(engine);
  fs::remove_all(dir);
  return report.Finish();
}
