#include "base/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "base/text.h"

using namespace mediagen;

namespace {

bool Has(const std::string& text, std::string_view line) {
  return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("series appear in the text format, with help, type, labels and escapes") {
  Metrics metrics;
  metrics
      .AddCounter("mediagen_jobs_total", "Jobs finished.", {{"queue", "gen\"erate\\\n"}, {"state", "done"}})
      .Add(2);
  metrics.AddGauge("mediagen_cache_bytes", "Bytes held.").Set(1.5);
  Histogram seconds = metrics.AddHistogram("mediagen_call_seconds", "Time of a call.", {0.1, 1});
  seconds.Observe(0.05);
  seconds.Observe(0.1);
  seconds.Observe(5);
  seconds.Observe(std::nan(""));  // would poison the sum for ever
  std::string text = metrics.Text();
  CHECK(Has(text, "# HELP mediagen_jobs_total Jobs finished."));
  CHECK(Has(text, "# TYPE mediagen_jobs_total counter"));
  CHECK(Has(text, R"(mediagen_jobs_total{queue="gen\"erate\\\n",state="done"} 2)"));
  CHECK(Has(text, "# TYPE mediagen_cache_bytes gauge"));
  CHECK(Has(text, "mediagen_cache_bytes 1.5"));
  CHECK(Has(text, "# TYPE mediagen_call_seconds histogram"));
  CHECK(Has(text, R"(mediagen_call_seconds_bucket{le="0.1"} 2)"));
  CHECK(Has(text, R"(mediagen_call_seconds_bucket{le="+Inf"} 3)"));
  CHECK(Has(text, "mediagen_call_seconds_count 3"));
}

TEST_CASE("the same name and labels are the same series, others are not") {
  Metrics metrics;
  Counter a = metrics.AddCounter("mediagen_calls_total", "Calls.", {{"provider", "a"}});
  Counter again = metrics.AddCounter("mediagen_calls_total", "Calls.", {{"provider", "a"}});
  Counter b = metrics.AddCounter("mediagen_calls_total", "Calls.", {{"provider", "b"}});
  a.Add();
  again.Add(2);
  b.Add(10);
  CHECK(a.value() == 3);
  CHECK(b.value() == 10);
  a.Add(-1);  // a counter never goes back
  CHECK(a.value() == 3);
  Gauge gauge = metrics.AddGauge("mediagen_open_files", "Files.");
  gauge.Set(5);
  gauge.Add(-2);
  CHECK(metrics.AddGauge("mediagen_open_files", "Files.").value() == 3);
  std::string text = metrics.Text();
  CHECK(text.find("# TYPE mediagen_calls_total") == text.rfind("# TYPE mediagen_calls_total"));
}

TEST_CASE("two engines' metrics are strangers") {
  Metrics one, two;
  one.AddCounter("mediagen_x_total", "X.").Add();
  CHECK(two.AddCounter("mediagen_x_total", "X.").value() == 0);
}

TEST_CASE("gauges that are read are set before each text") {
  Metrics metrics;
  Gauge depth = metrics.AddGauge("mediagen_queue_depth", "Depth.");
  int asked = 0;
  metrics.OnCollect([&] { depth.Set(++asked); });
  CHECK(Has(metrics.Text(), "mediagen_queue_depth 1"));
  CHECK(Has(metrics.Text(), "mediagen_queue_depth 2"));
}

TEST_CASE("a name that cannot be exposed counts nothing and harms nothing") {
  Metrics metrics;
  metrics.AddCounter("mediagen_ok_total", "Fine.").Add();
  Counter bad_name = metrics.AddCounter("not a name", "Bad.");
  Counter bad_label = metrics.AddCounter("mediagen_label_total", "Bad.", {{"not a label", "x"}});
  Gauge other_kind = metrics.AddGauge("mediagen_ok_total", "A counter's name.");
  bad_name.Add();
  bad_label.Add();
  other_kind.Set(5);
  other_kind.Add(5);
  CHECK(bad_name.value() == 0);
  CHECK(bad_label.value() == 0);
  CHECK(other_kind.value() == 0);
  CHECK(Has(metrics.Text(), "mediagen_ok_total 1"));
  Counter none;
  none.Add();
  CHECK(none.value() == 0);
  Histogram().Observe(1);
}

TEST_CASE("a label's value may be any bytes; the text stays UTF-8") {
  Metrics metrics;
  metrics.AddCounter("mediagen_model_total", "Models.", {{"model", "a\xFF"}}).Add();
  std::string text = metrics.Text();
  CHECK(IsUtf8(text));
  CHECK(Has(text, "mediagen_model_total{model=\"a\uFFFD\"} 1"));
}

TEST_CASE("threads count into one series") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) metrics.AddCounter("mediagen_n_total", "N.", {{"t", "1"}}).Add();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(metrics.AddCounter("mediagen_n_total", "N.", {{"t", "1"}}).value() == 2000);
}
