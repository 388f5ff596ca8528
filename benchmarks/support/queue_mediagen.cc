#include <mediagen/mediagen.h>
#include <poll.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "fmt/format.h"
#include "support/folder.h"
#include "support/queue_work.h"

namespace mediagen::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kChunk = 100;                                // jobs an enqueue, and a claim
constexpr int kEnqueues = 8;                               // under way at once
constexpr int kClaims = 4;                                 // the same
constexpr uint64_t kFinish = 0, kEnqueue = 1, kClaim = 2;  // tags

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

[[noreturn]] void Fail(const std::string& why, mediagen_error* error = nullptr) {
  std::string_view said;
  if (error != nullptr) {
    mediagen_str json = mediagen_error_json(error);
    said = {json.data, json.size};
  }
  std::fprintf(stderr, "bench queue: %s %.*s\n", why.c_str(), static_cast<int>(said.size()), said.data());
  std::exit(1);
}

std::string PayloadOf(int n) {
  std::string head = fmt::format(R"({{"n":{},"text":")", n);
  return head + std::string(200 - head.size() - 2, 'x') + "\"}";
}

class Host {
 public:
  Host(const std::string& folder, Durability durability, int jobs)
      : jobs_(jobs), seen_(static_cast<size_t>(jobs), false) {
    const std::string config = fmt::format(
        R"({{"dataDir": "{}", "durability": "{}", "queues": {{"bench": {{"concurrency": 1000}}}}}})", folder,
        durability == Durability::kFull ? "full" : "relaxed");
    mediagen_error* error = nullptr;
    if (mediagen_queue_open(MEDIAGEN_ABI, Str(config), &queue_, &error) != MEDIAGEN_OK)
      Fail("the queue did not open.", error);
    if (mediagen_inbox_new(&inbox_, &error) != MEDIAGEN_OK) Fail("no inbox.", error);
  }
  ~Host() {
    for (auto& [tag, call] : calls_) mediagen_call_free(call);
    mediagen_queue_free(queue_);
    mediagen_inbox_free(inbox_);
  }

  void EnqueueAll() {
    while (enqueued_ < jobs_) {
      while (sent_ < jobs_ && open_enqueues_ < kEnqueues) Enqueue();
      Take();
    }
  }
  void ProcessAll() {
    while (finished_ < jobs_) {
      while (open_claims_ < kClaims && delivered_ < jobs_) Claim();
      Take();
    }
  }

 private:
  uint64_t Tag(uint64_t kind) { return ++last_ * 4 + kind; }

  void Begun(int32_t code, mediagen_call* call, uint64_t tag, mediagen_error* error) {
    if (code < 0) Fail("a call was refused.", error);
    if (code == MEDIAGEN_PENDING) {
      calls_[tag] = call;
    } else {
      Ended(tag, call);
    }
  }

  void Enqueue() {
    std::string jobs = "[";
    for (int i = 0; i < kChunk && sent_ < jobs_; ++i, ++sent_) {
      if (i > 0) jobs += ',';
      jobs += fmt::format(R"({{"queue":"bench","kind":"work","payload":{}}})", PayloadOf(sent_));
    }
    jobs += ']';
    mediagen_call* call = nullptr;
    mediagen_error* error = nullptr;
    const uint64_t tag = Tag(kEnqueue);
    ++open_enqueues_;
    int32_t code = mediagen_queue_enqueue_begin(queue_, Str(jobs), inbox_, tag, &call, &error);
    Begun(code, call, tag, error);
  }

  void Claim() {
    mediagen_call* call = nullptr;
    mediagen_error* error = nullptr;
    const uint64_t tag = Tag(kClaim);
    ++open_claims_;
    int32_t code = mediagen_queue_claim_begin(queue_, Str("bench"), kChunk, inbox_, tag, &call, &error);
    Begun(code, call, tag, error);
  }

  void Finish(const std::string& id, uint64_t fence) {
    mediagen_call* call = nullptr;
    mediagen_error* error = nullptr;
    const uint64_t tag = Tag(kFinish);
    int32_t code = mediagen_queue_finish_begin(queue_, Str(id), fence, Str(R"({"outcome":"done"})"), inbox_,
                                               tag, &call, &error);
    Begun(code, call, tag, error);
  }

  // Waits for the pipe, then takes all notices.
  void Take() {
    pollfd fd{mediagen_inbox_fd(inbox_), POLLIN, 0};
    poll(&fd, 1, 10'000);
    while (true) {
      uint64_t tag = 0;
      int32_t kind = 0;
      mediagen_buffer* event = nullptr;
      mediagen_inbox_next(inbox_, &tag, &kind, &event);
      mediagen_buffer_free(event);
      if (kind == MEDIAGEN_KIND_EMPTY) return;
      auto found = calls_.find(tag);
      if (kind != MEDIAGEN_KIND_DONE || found == calls_.end()) continue;
      mediagen_call* call = found->second;
      calls_.erase(found);
      Ended(tag, call);
    }
  }

  void Ended(uint64_t tag, mediagen_call* call) {
    mediagen_buffer* result = nullptr;
    mediagen_error* error = nullptr;
    if (mediagen_call_result(call, &result, &error) < 0) Fail("a call failed.", error);
    const mediagen_str view = mediagen_buffer_view(result);
    const std::string_view text(view.data, view.size);
    switch (tag % 4) {
      case kEnqueue:
        --open_enqueues_;
        enqueued_ += kChunk;
        break;
      case kClaim:
        --open_claims_;
        Work(text);
        break;
      default:
        ++finished_;
    }
    mediagen_buffer_free(result);
    mediagen_call_free(call);
  }

  // Reads what it needs off the array of job documents, as a host with a fast reader would: a JSON tree of
  // each job would be half of what is measured.
  void Work(std::string_view text) {
    for (size_t at = 0; (at = text.find(R"("id":")", at)) != std::string_view::npos;) {
      const std::string id(text.substr(at + 6, 36));
      const uint64_t n = NumberAt(text, R"("n":)", at), fence = NumberAt(text, R"("fence":)", at);
      ++at;
      if (n >= seen_.size() || seen_[n]) Fail(fmt::format("job {} came twice.", n));
      seen_[n] = true;
      ++delivered_;
      Finish(id, fence);
    }
  }
  static uint64_t NumberAt(std::string_view text, std::string_view name, size_t from) {
    const size_t at = text.find(name, from);
    uint64_t value = UINT64_MAX;
    if (at != std::string_view::npos)
      std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
    return value;
  }

  const int jobs_;
  std::vector<bool> seen_;
  mediagen_queue* queue_ = nullptr;
  mediagen_inbox* inbox_ = nullptr;
  std::unordered_map<uint64_t, mediagen_call*> calls_;
  uint64_t last_ = 0;
  int sent_ = 0, enqueued_ = 0, delivered_ = 0, finished_ = 0, open_enqueues_ = 0, open_claims_ = 0;
};

double SecondsSince(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

}  // namespace

QueueRates RunMediagen(int jobs, Durability durability) {
  Folder folder;
  Host host(folder.path, durability, jobs);
  const auto start = Steady::now();
  host.EnqueueAll();
  const double enqueued = SecondsSince(start);
  host.ProcessAll();
  const double all = SecondsSince(start);
  return {jobs / enqueued, jobs / (all - enqueued), jobs / all, ""};
}

}  // namespace mediagen::bench
