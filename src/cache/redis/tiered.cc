#include "cache/redis/tiered.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cache/redis/two_levels.h"

namespace mediagen {
namespace tiered {
namespace {

constexpr int64_t kNegativeTtlMs = 5'000;  // of negative entries that name none, as in memory
constexpr int64_t kPurgeMs = 1'000;

}  // namespace

Status TwoLevels::Connect(const RedisUrl& url) {
  RedisClientOptions client;
  client.timeout_ms = options_.timeout_ms;
  client.connect_timeout_ms = std::max<int64_t>(options_.timeout_ms, 1'000);
  client.log = options_.log;
  client.random = random_;
  client.max_reply_bytes = options_.max_value_bytes + (1 << 20);
  client.on_state = [this](bool up) {
    if (!up) backplane_->Lost();
  };
  ASSIGN_OR_RETURN(client_, NewRedisClient(clock_, url, std::move(client)));
  backplane_ = std::make_unique<Backplane>(Backplane::Setup{.clock = clock_,
                                                            .random = random_,
                                                            .client = client_.get(),
                                                            .listener = this,
                                                            .names = &names_,
                                                            .life_ms = 2 * options_.ttl_ms + 60'000,
                                                            .lease_ms = options_.lease_ms});
  outbox_ = std::make_unique<Outbox>(clock_, client_.get(), backplane_.get(), &names_);
  return OkStatus();
}

TwoLevels::~TwoLevels() {
  Stop();
  memory_.reset();  // its waits end now, and find the rest of this as it was
}

void TwoLevels::Stop() {
  if (client_ == nullptr || stopped_.exchange(true)) return;
  if (outbox_->added() > 0 && backplane_->usable()) Settle(options_.timeout_ms);
  backplane_->Stop();
  client_->Stop();
}

// ---- invalidation -----------------------------------------------------------------------------------------
// Redis is told first: whoever then finds nothing in memory asks Redis behind that, or is not believed.

bool TwoLevels::Remove(std::string_view key) {
  outbox_->Add({.kind = Kind::kKey, .name = std::string(key)});
  return memory_->Remove(key);
}

void TwoLevels::Invalidate(std::string_view tag) {
  outbox_->Add({.kind = Kind::kTag, .name = std::string(tag)});
  memory_->Invalidate(tag);
}

void TwoLevels::InvalidatePrefix(std::string_view prefix) {
  outbox_->Add({.kind = Kind::kPrefix, .name = std::string(prefix)});
  memory_->InvalidatePrefix(prefix);
}

void TwoLevels::Clear() {
  outbox_->Add({.kind = Kind::kAll});
  memory_->Clear();
}

void TwoLevels::Apply(Kind kind, std::string_view name) {
  switch (kind) {
    case Kind::kKey:
      memory_->Remove(name);
      return;
    case Kind::kTag:
      return memory_->Invalidate(name);
    case Kind::kPrefix:
      return memory_->InvalidatePrefix(name);
    case Kind::kAll:
      break;
  }
  memory_->Clear();
}

// ---- storing ----------------------------------------------------------------------------------------------

EntryOptions TwoLevels::Limited(EntryOptions options) const {
  if (options.local || options.ttl_ms < 0) return options;
  if (options.ttl_ms == 0) options.ttl_ms = options.negative ? kNegativeTtlMs : options_.ttl_ms;
  options.ttl_ms = std::min(options.ttl_ms, options_.ttl_ms);
  return options;
}

// Nothing for what stays in memory alone.
std::optional<std::string> TwoLevels::Frame(std::string_view key, const BufferRef& value,
                                            const EntryOptions& options) {
  const bool storable = value || options.negative;
  if (!storable || options.local || options.ttl_ms < 0) return std::nullopt;
  if (value.size() > options_.max_value_bytes || key.size() > kMostKeyBytes) return std::nullopt;
  return EncodeFrame(key, {value, options});
}

Admission TwoLevels::Put(std::string_view key, BufferRef value, const EntryOptions& options) {
  const EntryOptions limited = Limited(options);
  const Backplane::Moment known = backplane_->known();
  std::optional<std::string> frame = Frame(key, value, limited);
  backplane_->Start();
  if (limited.versioned && frame) {
    // There is no other value under this key that anybody could have.
    Store({std::string(key), known, 0, 0}, std::move(*frame), limited.ttl_ms);
  } else if (!limited.local) {
    outbox_->Add({Kind::kKey, std::string(key), std::move(frame).value_or(""), known, limited.ttl_ms});
  }
  if (!limited.versioned) versioned_.Set(key, false);
  const Admission admission = memory_->Put(key, std::move(value), limited);
  if (limited.versioned) versioned_.Set(key, true);
  return admission;
}

Status TwoLevels::Fill(uint64_t token, BufferRef value, const EntryOptions& options) {
  if (!value && !options.negative) return memory_->Fill(token, nullptr, options);
  const std::optional<Load> load = Take(token);
  const EntryOptions limited = Limited(options);
  std::optional<std::string> frame;
  if (load) frame = Frame(load->key, value, limited);
  if (load && !limited.versioned) versioned_.Set(load->key, false);
  Status filled = memory_->Fill(token, std::move(value), limited);
  if (load && limited.versioned) versioned_.Set(load->key, true);
  // What was invalidated may be forgotten by the time that a load ends which took longer than this.
  if (filled.ok() && frame && clock_->MonotonicMs() - load->begun_ms < options_.ttl_ms)
    Store(*load, std::move(*frame), limited.ttl_ms);
  return filled;
}

void TwoLevels::Store(const Load& load, std::string frame, int64_t ttl_ms) {
  const Backplane::Session session = backplane_->session();
  if (session.run.empty() || !load.known.holds(session.run) || !SecondLevel()) return;
  const std::string value = names_.Value(load.key);
  const std::string known = std::to_string(load.known.seq), ttl = std::to_string(ttl_ms);
  const std::string_view keys[] = {names_.g, value};
  const std::string_view arguments[] = {session.run, known, load.key, ttl, frame};
  written_ += frame.size();
  Begun();
  client_->Eval(AllScripts().store, keys, arguments,
                [this, number = session.number](StatusOr<RedisReply> reply) {
                  if (reply.ok() && reply->elements.size() == 3)
                    backplane_->Note(number, reply->elements[0].text,
                                     static_cast<uint64_t>(std::max<int64_t>(0, reply->elements[1].integer)));
                  else
                    ++errors_;
                  Ended();
                });
}

// ---- upkeep -----------------------------------------------------------------------------------------------

int64_t TwoLevels::Sweep() {
  const int64_t next_ms = memory_->Sweep(), now_ms = clock_->MonotonicMs();
  backplane_->Tick(now_ms);
  outbox_->Send();
  std::lock_guard lock(loads_mutex_);
  std::erase_if(loads_, [&](const auto& load) { return load.second.until_ms <= now_ms; });
  return loads_.empty() ? next_ms : std::min(next_ms, now_ms + kPurgeMs);
}

CacheStats TwoLevels::Stats() const {
  CacheStats stats = memory_->Stats();
  // Each question to Redis was a load to memory, and its caller looked twice.
  stats.loads -= std::min<uint64_t>(stats.loads, asked_);
  stats.misses -= std::min<uint64_t>(stats.misses, asked_);
  stats.load_failures -= std::min<uint64_t>(stats.load_failures, given_back_);
  stats.second_hits = hits_;
  stats.second_misses = misses_;
  stats.second_errors = errors_ + outbox_->errors;
  stats.second_bytes_read = read_;
  stats.second_bytes_written = written_ + outbox_->bytes_written;
  return stats;
}

void TwoLevels::Ended() {
  std::lock_guard lock(settle_mutex_);
  --asking_;
  settled_.notify_all();
}

bool TwoLevels::Settle(int64_t timeout_ms) {
  const auto quiet = [this] { return asking_ == 0 && outbox_->Arrived(outbox_->added()); };
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  std::unique_lock lock(settle_mutex_);
  while (!quiet()) {
    // The outbox does not say when something has arrived: it is looked at now and then.
    if (std::chrono::steady_clock::now() >= until) return false;
    settled_.wait_for(lock, std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tiered

StatusOr<std::unique_ptr<TieredCache>> NewTieredCache(Clock* clock, std::unique_ptr<Cache> memory,
                                                      const RedisUrl& url,
                                                      const TieredCacheOptions& options) {
  auto cache = std::make_unique<tiered::TwoLevels>(clock, std::move(memory), options);
  RETURN_IF_ERROR(cache->Connect(url));
  return std::unique_ptr<TieredCache>(std::move(cache));
}

}  // namespace mediagen
