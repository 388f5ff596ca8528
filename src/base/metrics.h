// Metrics: counters, gauges and histograms of one engine, exposed in the Prometheus text format
// (prometheus-cpp does the format). Names follow the Prometheus conventions: mediagen_<noun>_<unit>[_total].
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace mediagen {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  void Add(double by = 1);
  double value() const;

 private:
  friend class Metrics;
  prometheus::Counter* counter_ = nullptr;
};

class Gauge {
 public:
  void Set(double value);
  void Add(double by);
  double value() const;

 private:
  friend class Metrics;
  prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
 public:
  void Observe(double value);

 private:
  friend class Metrics;
  prometheus::Histogram* histogram_ = nullptr;
};

// One registry an engine. What it hands out is a small value that stays valid as long as the Metrics; asking
// again for the same name and labels gives the same series.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram AddHistogram(const std::string& name, const std::string& help, std::vector<double> buckets,
                         const Labels& labels = {});
  // Called before each exposition, to set gauges that are read rather than kept.
  void OnCollect(std::function<void()> collect);
  // Content-Type: text/plain; version=0.0.4
  std::string Text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mediagen
