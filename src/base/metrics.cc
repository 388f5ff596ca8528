#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <exception>
#include <mutex>

#include "base/text.h"

namespace mediagen {

void Counter::Add(double by) {
  if (counter_ != nullptr && by >= 0) counter_->Increment(by);
}
double Counter::value() const { return counter_ == nullptr ? 0 : counter_->Value(); }

void Gauge::Set(double value) {
  if (gauge_ != nullptr) gauge_->Set(value);
}
void Gauge::Add(double by) {
  if (gauge_ != nullptr) gauge_->Increment(by);
}
double Gauge::value() const { return gauge_ == nullptr ? 0 : gauge_->Value(); }

void Histogram::Observe(double value) {
  if (histogram_ != nullptr && !std::isnan(value)) histogram_->Observe(value);
}

struct Metrics::State {
  prometheus::Registry registry;
  std::mutex mutex;
  StringMap<prometheus::Family<prometheus::Counter>*> counters;
  StringMap<prometheus::Family<prometheus::Gauge>*> gauges;
  StringMap<prometheus::Family<prometheus::Histogram>*> histograms;
  std::vector<std::function<void()>> collects;
};

namespace {

// Label values come from outside (queue names, models); the text format is UTF-8.
Labels Clean(const Labels& labels) {
  Labels clean = labels;
  for (auto& [name, value] : clean) {
    if (!IsUtf8(value)) value = ReplaceBadUtf8(value);
  }
  return clean;
}

// The series, or null when prometheus-cpp refuses a name of ours: a wrong metric must not stop the work that
// it would count.
template <typename Series, typename Families, typename Builder, typename... Args>
Series* Add(std::mutex& mutex, prometheus::Registry& registry, Families& families, Builder builder,
            const std::string& name, const std::string& help, const Labels& labels, Args&&... args) {
  std::lock_guard lock(mutex);
  try {
    auto it = families.find(name);
    if (it == families.end())
      it = families.emplace(name, &builder.Name(name).Help(help).Register(registry)).first;
    return &it->second->Add(Clean(labels), std::forward<Args>(args)...);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::AddCounter(const std::string& name, const std::string& help, const Labels& labels) {
  Counter counter;
  counter.counter_ = Add<prometheus::Counter>(state_->mutex, state_->registry, state_->counters,
                                              prometheus::BuildCounter(), name, help, labels);
  return counter;
}

Gauge Metrics::AddGauge(const std::string& name, const std::string& help, const Labels& labels) {
  Gauge gauge;
  gauge.gauge_ = Add<prometheus::Gauge>(state_->mutex, state_->registry, state_->gauges,
                                        prometheus::BuildGauge(), name, help, labels);
  return gauge;
}

Histogram Metrics::AddHistogram(const std::string& name, const std::string& help, std::vector<double> buckets,
                                const Labels& labels) {
  Histogram histogram;
  histogram.histogram_ =
      Add<prometheus::Histogram>(state_->mutex, state_->registry, state_->histograms,
                                 prometheus::BuildHistogram(), name, help, labels, buckets);
  return histogram;
}

void Metrics::OnCollect(std::function<void()> collect) {
  std::lock_guard lock(state_->mutex);
  state_->collects.push_back(std::move(collect));
}

std::string Metrics::Text() {
  std::vector<std::function<void()>> collects;
  {
    std::lock_guard lock(state_->mutex);
    collects = state_->collects;
  }
  for (const auto& collect : collects) collect();
  try {
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace mediagen
