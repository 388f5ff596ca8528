#include "simulator/fault.h"

namespace mediagen::simulator {

int64_t IntOf(const Json& object, const char* name, int64_t otherwise) {
  if (!object.is_object()) return otherwise;
  auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : otherwise;
}

std::string TextOf(const Json& object, const char* name, const std::string& otherwise) {
  if (!object.is_object()) return otherwise;
  auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

bool IsTrue(const Json& object, const char* name) {
  if (!object.is_object()) return false;
  auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

void Faults::Queue(const Json& fault, int64_t times) {
  std::lock_guard lock(mutex_);
  for (int64_t i = 0; i < times && queued_.size() < 100'000; ++i) queued_.push_back(fault);
}

Json Faults::Take(const Json& input) {
  std::lock_guard lock(mutex_);
  if (!queued_.empty()) {
    Json fault = std::move(queued_.front());
    queued_.pop_front();
    return fault;
  }
  auto inline_fault = input.is_object() ? input.find("simulate") : input.end();
  if (!input.is_object() || inline_fault == input.end() || !inline_fault->is_object()) return Json::object();
  Json fault = *inline_fault;
  const int64_t times = IntOf(fault, "times", -1);
  if (times >= 0 && ++seen_[Dump(input)] > times) {
    for (const char* once : {"status", "drop", "truncate", "truncateChunked", "delayMs"}) fault.erase(once);
  }
  return fault;
}

}  // namespace mediagen::simulator
