// How the tiered cache loads: memory, then Redis, then whoever asks.
#include <algorithm>
#include <utility>

#include "cache/redis/two_levels.h"

namespace mediagen::tiered {

// ---- loading ----------------------------------------------------------------------------------------------

void TwoLevels::Remember(uint64_t token, std::string_view key, const LoadOptions& options) {
  if (options.local) return;
  const int64_t now_ms = clock_->MonotonicMs(), load_ms = std::max<int64_t>(options.load_ms, 1);
  Load load{std::string(key), backplane_->known(), now_ms,
            load_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + load_ms};
  std::lock_guard lock(loads_mutex_);
  loads_.insert_or_assign(token, std::move(load));
}

std::optional<Load> TwoLevels::Take(uint64_t token) {
  std::lock_guard lock(loads_mutex_);
  auto node = loads_.extract(token);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

Cache::Lookup TwoLevels::Remembered(std::string_view key, const LoadOptions& options, Lookup found) {
  const bool loads = found.kind == Lookup::kLoad || (found.kind != Lookup::kWait && found.token != 0);
  if (loads) Remember(found.token, key, options);
  return found;
}

Cache::Waiter TwoLevels::Wrap(std::string_view key, const LoadOptions& options, const Waiter& waiter) {
  if (!waiter) return nullptr;
  return [this, key = std::string(key), options, waiter](Outcome outcome) {
    if (outcome.load_token != 0) Remember(outcome.load_token, key, options);
    waiter(std::move(outcome));
  };
}

Cache::Lookup TwoLevels::GetOrLoad(std::string_view key, const LoadOptions& options, Waiter waiter) {
  backplane_->Start();
  Lookup found = memory_->GetOrLoad(key, options, Wrap(key, options, waiter));
  if ((found.kind == Lookup::kHit || found.kind == Lookup::kNegative) && !MayServe(key)) {
    // Others may have invalidated it, and this process would not know.
    if (found.token != 0) (void)memory_->Abandon(found.token);
    memory_->Remove(key);
    found = memory_->GetOrLoad(key, options, Wrap(key, options, waiter));
  }
  const bool ask = found.kind == Lookup::kLoad && !options.local && key.size() <= kMostKeyBytes;
  if (!ask || !SecondLevel()) {
    if (ask) backplane_->Tick(clock_->MonotonicMs());
    return Remembered(key, options, std::move(found));
  }
  // The load is Redis's at first: this caller waits for it as those do who come later.
  const uint64_t token = found.token;
  ++asked_;
  found = memory_->GetOrLoad(key, options, Wrap(key, options, waiter));
  if (found.kind == Lookup::kWait)
    Ask(key, token);
  else
    GiveBack(token);  // something came between
  return Remembered(key, options, std::move(found));
}

void TwoLevels::Ask(std::string_view key, uint64_t token) {
  const uint64_t added = outbox_->added();
  const Backplane::Session session = backplane_->session();
  const std::string value = names_.Value(key);
  const std::string_view keys[] = {names_.g, value};
  const std::string_view arguments[] = {key};
  Begun();
  client_->Eval(
      AllScripts().read, keys, arguments,
      [this, key = std::string(key), token, number = session.number, added](StatusOr<RedisReply> reply) {
        OnAnswer(std::move(reply), key, token, number, added);
        Ended();
      });
}

// Memory promotes who waits for the load.
void TwoLevels::GiveBack(uint64_t token) {
  ++given_back_;
  (void)memory_->Abandon(token);
}

void TwoLevels::OnAnswer(StatusOr<RedisReply> reply, const std::string& key, uint64_t token, uint64_t session,
                         uint64_t added) {
  if (CodeOf(reply.status()) == Code::kCanceled) return;  // the end: memory ends the waits
  std::optional<Kept> kept = Believed(reply, key, session, added);
  if (!kept) {
    return GiveBack(token);
  }
  const bool versioned = kept->options.versioned;
  if (!versioned) versioned_.Set(key, false);
  (void)memory_->Fill(token, std::move(kept->value), kept->options);
  if (versioned) versioned_.Set(key, true);
}

// The value, when there is one and nothing came between that would make it doubtful: a lost connection, or an
// invalidation of ours that Redis had not heard of before it answered.
std::optional<Kept> TwoLevels::Believed(const StatusOr<RedisReply>& reply, const std::string& key,
                                        uint64_t session, uint64_t added) {
  if (!reply.ok() || reply->elements.size() < 2) {
    ++errors_;
    return std::nullopt;
  }
  const auto& parts = reply->elements;
  const bool ours =
      backplane_->Note(session, parts[0].text, static_cast<uint64_t>(std::max<int64_t>(0, parts[1].integer)));
  if (!ours || !outbox_->Arrived(added) || parts.size() != 4) {
    ++misses_;
    return std::nullopt;
  }
  read_ += parts[2].text.size();
  StatusOr<Kept> kept = DecodeFrame(key, parts[2].text, parts[3].integer, options_.max_value_bytes);
  ++(kept.ok() ? hits_ : errors_);
  if (kept.ok()) return std::move(*kept);
  Begun();
  client_->Command({"UNLINK", names_.Value(key)}, [this](const StatusOr<RedisReply>&) { Ended(); });
  return std::nullopt;
}

Status TwoLevels::Fail(uint64_t token, Status error) {
  if (!error.ok()) Take(token);
  return memory_->Fail(token, std::move(error));
}

Status TwoLevels::Abandon(uint64_t token) {
  Take(token);
  return memory_->Abandon(token);
}

}  // namespace mediagen::tiered
