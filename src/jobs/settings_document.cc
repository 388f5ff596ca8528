#include "jobs/settings_document.h"

#include <functional>

#include "fmt/format.h"
#include "jobs/backoff.h"

namespace mediagen {
namespace {

constexpr int64_t kMost = 100'000;

void Section(FieldReader& fields, std::string_view name, const std::function<void(FieldReader&)>& read) {
  Json object = Json::object();
  fields.Object(name, &object);
  if (!fields.ok()) return;
  FieldReader inner(object, fmt::format("\"{}\" of the queue", name));
  read(inner);
  Status status = inner.Finish();
  if (!status.ok()) fields.Fail(status);
}

void ReadInt(FieldReader& fields, std::string_view name, int* out, int64_t min, int64_t max) {
  int64_t value = *out;
  fields.Int(name, &value, min, max);
  *out = static_cast<int>(value);
}

void ReadAllowance(FieldReader& fields, std::string_view name, std::string_view amount, Allowance* out) {
  Section(fields, name, [&](FieldReader& inner) {
    inner.Int(amount, &out->amount, 0, 1'000'000'000);
    inner.Int("perMs", &out->per_ms, 100, int64_t{31} * 86'400'000);
  });
}

void ReadKeep(FieldReader& fields, std::string_view name, Keep* out) {
  Section(fields, name, [&](FieldReader& inner) {
    inner.Int("ageMs", &out->age_ms, 0, kLongestWaitMs);
    inner.Int("count", &out->count, 0, INT64_MAX);
  });
}

std::string AllowanceJson(std::string_view amount, const Allowance& allowance) {
  if (allowance.amount == 0) return "null";
  return fmt::format(R"({{"{}":{},"perMs":{}}})", amount, allowance.amount, allowance.per_ms);
}

std::string KeepJson(const Keep& keep) {
  return fmt::format(R"({{"ageMs":{},"count":{}}})", keep.age_ms, keep.count);
}

}  // namespace

void ReadQueueSettings(FieldReader& fields, QueueSettings* queue) {
  ReadInt(fields, "concurrency", &queue->concurrency, 1, kMost);
  fields.Int("timeoutMs", &queue->timeout_ms, 1000, int64_t{7} * 86'400'000);
  fields.Bool("paused", &queue->paused);
  fields.Bool("events", &queue->events);
  ReadAllowance(fields, "rate", "cost", &queue->rate);
  Section(fields, "perKey", [&](FieldReader& keys) {
    ReadInt(keys, "provider", &queue->per_provider, 0, kMost);
    ReadInt(keys, "model", &queue->per_model, 0, kMost);
    ReadInt(keys, "user", &queue->per_user, 0, kMost);
  });
  Section(fields, "retry", [&](FieldReader& retry) {
    ReadInt(retry, "tries", &queue->retry.tries, 1, 1000);
    retry.Int("baseMs", &queue->retry.base_ms, 1, 3'600'000);
    retry.Int("capMs", &queue->retry.cap_ms, 1, 86'400'000);
    ReadAllowance(retry, "budget", "retries", &queue->retry.budget);
  });
  Section(fields, "keep", [&](FieldReader& keep) {
    ReadKeep(keep, "done", &queue->done);
    ReadKeep(keep, "canceled", &queue->canceled);
    ReadKeep(keep, "dead", &queue->dead);
  });
}

std::string QueueSettingsJson(const QueueSettings& q) {
  return fmt::format(
      R"({{"concurrency":{},"perKey":{{"provider":{},"model":{},"user":{}}},"rate":{},"timeoutMs":{},)"
      R"("retry":{{"tries":{},"baseMs":{},"capMs":{},"budget":{}}},)"
      R"("keep":{{"done":{},"canceled":{},"dead":{}}},"events":{},"paused":{}}})",
      q.concurrency, q.per_provider, q.per_model, q.per_user, AllowanceJson("cost", q.rate), q.timeout_ms,
      q.retry.tries, q.retry.base_ms, q.retry.cap_ms, AllowanceJson("retries", q.retry.budget),
      KeepJson(q.done), KeepJson(q.canceled), KeepJson(q.dead), q.events, q.paused);
}

}  // namespace mediagen
