// HttpCall: one HTTP-shaped exchange. It collects the request's body, hands the request to the engine, and
// holds the answer until the host has pulled it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "api/http.h"
#include "base/call.h"
#include "engine/engine.h"
#include "mediagen/http.h"

namespace mediagen::capi {

// The request bodies that one engine handle holds at once. Past the budget the answer is a refusal, never
// growth.
class BodyBudget {
 public:
  static constexpr uint64_t kBytes = 256 << 20;  // five uploads of the largest default size
  bool Take(uint64_t bytes) {
    if (held_.fetch_add(bytes) + bytes <= kBytes) return true;
    held_.fetch_sub(bytes);
    return false;
  }
  void Give(uint64_t bytes) { held_.fetch_sub(bytes); }

 private:
  std::atomic<uint64_t> held_{0};
};

struct RequestLine {
  std::string method, target, headers, principal, mount;
  bool has_body() const { return method != "GET" && method != "HEAD"; }
};

// Thread-safe.
class HttpCall final : public Call {
 public:
  HttpCall(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive, const std::shared_ptr<Engine>& engine,
           std::shared_ptr<BodyBudget> bodies, RequestLine line);
  ~HttpCall() override;

  // GET and HEAD go to the engine at once; the others wait for End.
  void Start();
  // Takes all of `chunk`. One byte past what the engine takes, the request goes to it as it is, for the
  // refusal is the engine's; the rest is swallowed until the answer is there (kClosed). kOverloaded, which
  // ends the call: too many bodies at once.
  Status Write(std::string_view chunk);
  Status End();

  // MEDIAGEN_OK once there is a head; MEDIAGEN_PENDING before. The view lives as long as the call.
  StatusOr<int32_t> Head(int32_t* status, std::string_view* headers);
  // The whole body once, or the next piece of a stream; MEDIAGEN_EMPTY: none yet.
  StatusOr<int32_t> Body(mediagen_body* out);

 private:
  enum class Stage { kCollecting, kSent, kAnswered };

  std::shared_ptr<HttpCall> self() { return std::static_pointer_cast<HttpCall>(shared_from_this()); }
  void Send(BufferRef body);
  void Answer(Response response);
  StatusOr<int32_t> Pull(BodyStream& stream, mediagen_body* out);
  void GiveBack();  // locked

  const std::weak_ptr<Engine> engine_;
  const std::shared_ptr<BodyBudget> bodies_;
  const RequestLine line_;
  const uint64_t max_body_bytes_;
  std::atomic<bool> starved_{false};  // a pull said EMPTY and no READABLE has followed

  std::mutex mutex_;
  Stage stage_ = Stage::kCollecting;
  bool ended_ = false;  // End was called
  std::string body_;
  uint64_t charged_ = 0;  // of the budget
  int status_ = 0;
  std::string headers_;
  decltype(Response::body) answer_;
};

}  // namespace mediagen::capi
