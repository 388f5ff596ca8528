#include "simulator/wire.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "fmt/format.h"

namespace mediagen::simulator {
namespace {

bool IsDefinite(int status) {
  static const std::set<int> kDefinite = {400, 401, 402, 403, 404, 413, 415, 422, 429};
  return kDefinite.count(status) > 0;
}

}  // namespace

int64_t NowMs() { return SystemClock()->WallMs(); }

Reply Answer(int status, const Json& json) { return {.status = status, .body = Dump(json)}; }

bool StartsAndEnds(const std::string& text, std::string_view start, std::string_view end,
                   std::string* middle) {
  if (text.size() <= start.size() + end.size() || !text.starts_with(start) || !text.ends_with(end))
    return false;
  *middle = text.substr(start.size(), text.size() - start.size() - end.size());
  return true;
}

Reply Paid::Record(Reply reply, const std::string& answer, bool accepted) const {
  const bool definite = !accepted && reply.cut == Reply::kWhole && (unbilled || IsDefinite(reply.status));
  Json line = {
      {"at", NowMs()},
      {"provider", provider},
      {"id", accepted ? Json(id) : Json(nullptr)},
      {"path", request.path},
      {"input", input},
      {"answer", answer},
      {"accepted", accepted},
      {"definitelyRejected", definite},
      {"headers",
       {{"idempotency-key", request.Header("idempotency-key")}, {"prefer", request.Header("prefer")}}}};
  if (!journal.Append(line)) reply.cut = Reply::kDropped;
  return reply;
}

Reply Paid::Reject(Reply reply) const {
  const std::string answer = fmt::format("{}", reply.status);
  return Record(std::move(reply), answer, false);
}

Reply Paid::Answer(const Json& fault, const std::function<Reply(const Json& fault)>& error,
                   const std::function<Reply()>& accept) {
  const int64_t delay_ms = IntOf(fault, "delayMs", 0);
  if (TextOf(fault, "drop") == "before-accept") {
    return Record({.cut = Reply::kDropped, .delay_ms = delay_ms}, "drop", false);
  }
  const bool failing = fault.contains("status");
  if (failing && !IsTrue(fault, "accept")) {
    Reply reply = error(fault);
    reply.delay_ms = delay_ms;
    return Reject(std::move(reply));
  }
  Reply reply = accept();
  if (failing) reply = error(fault);
  reply.delay_ms = delay_ms;
  std::string answer = fmt::format("{}", reply.status);
  if (!TextOf(fault, "drop").empty()) {
    reply.cut = Reply::kDropped;
    answer = "drop";
  } else if (fault.contains("truncate") || fault.contains("truncateChunked")) {
    const char* name = fault.contains("truncate") ? "truncate" : "truncateChunked";
    reply.cut = fault.contains("truncate") ? Reply::kTruncated : Reply::kChunkedCut;
    reply.cut_at = static_cast<size_t>(IntOf(fault, name, static_cast<int64_t>(reply.body.size() / 2)));
    reply.cut_at = std::min(reply.cut_at, reply.body.size() - 1);
    answer = "truncated";
  }
  return Record(std::move(reply), answer, true);
}

}  // namespace mediagen::simulator
