#include "support/queue_host.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "fmt/format.h"

namespace mediagen::bench {
namespace {

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

void Check(int32_t code, mediagen_error* error) {
  if (code >= 0) return;
  mediagen_str json = mediagen_error_json(error);
  std::fprintf(stderr, "bench queue: %.*s\n", static_cast<int>(json.size), json.data);
  std::exit(1);
}

std::string ResultOf(mediagen_call* call) {
  mediagen_error* error = nullptr;
  Check(mediagen_call_wait(call, -1, &error), error);
  mediagen_buffer* buffer = nullptr;
  Check(mediagen_call_result(call, &buffer, &error), error);
  const mediagen_str view = mediagen_buffer_view(buffer);
  std::string text(view.data, view.size);
  mediagen_buffer_free(buffer);
  mediagen_call_free(call);
  return text;
}

}  // namespace

QueueHost::QueueHost(const std::string& data_dir, std::string_view settings) {
  const std::string config =
      fmt::format(R"({{"dataDir": "{}", "queues": {{"bench": {}}}}})", data_dir, settings);
  mediagen_error* error = nullptr;
  Check(mediagen_queue_open(MEDIAGEN_ABI, Str(config), &queue_, &error), error);
}

QueueHost::~QueueHost() { mediagen_queue_free(queue_); }

void QueueHost::Enqueue(std::string_view jobs) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_queue_enqueue_begin(queue_, Str(jobs), nullptr, 0, &call, &error), error);
  ResultOf(call);
}

mediagen_call* QueueHost::BeginClaim() {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_queue_claim_begin(queue_, Str("bench"), 1, nullptr, 0, &call, &error), error);
  return call;
}

std::string QueueHost::Taken(mediagen_call* claim) {
  return nlohmann::json::parse(ResultOf(claim)).at(0).dump();
}

void QueueHost::Finish(const std::string& text) {
  const nlohmann::json job = nlohmann::json::parse(text);
  const std::string id = job.at("id");
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_queue_finish_begin(queue_, Str(id), job.at("fence"), Str(R"({"outcome": "done"})"), nullptr,
                                    0, &call, &error),
        error);
  ResultOf(call);
}

}  // namespace mediagen::bench
