// The byte bound, audited from outside after every operation: what the cache keeps alive is counted by the
// values' owners.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/id.h"
#include "cache/memory/memory.h"

namespace mediagen {
namespace {

constexpr uint64_t kBudget = 2 << 20;
constexpr uint64_t kMostEntries = 150;

// Makes values that count the bytes still alive.
class Values {
 public:
  BufferRef Make(size_t size) {
    struct Bytes {
      Bytes(uint64_t* counter, size_t size) : alive(counter), bytes(size, 'v') { *alive += bytes.size(); }
      ~Bytes() { *alive -= bytes.size(); }
      uint64_t* alive;
      std::string bytes;
    };
    auto owner = std::make_shared<const Bytes>(&alive, size);
    std::string_view view = owner->bytes;
    return BufferRef::Alias(view, std::move(owner));
  }
  uint64_t alive = 0;
};

size_t MixedSize(Random& random) {
  switch (random.Below(10)) {
    case 0:
      return random.Below(400'000);  // some of them too large
    case 1:
    case 2:
      return random.Below(40'000);
    default:
      return random.Below(2'000);
  }
}

class Audit {
 public:
  Audit(uint64_t seed, CachePolicy policy)
      : random_(SeededRandom(seed)),
        cache_(NewMemoryCache(&clock_, {.budget_bytes = kBudget,
                                        .max_entries = kMostEntries,
                                        .policy = policy,
                                        .random = random_.get()})) {}

  void Step() {
    const std::string key = "key-" + std::to_string(random_->Below(600));
    const EntryOptions options = Options();
    switch (random_->Below(18)) {
      case 0:
        cache_->Remove(key);
        break;
      case 1:
        cache_->Invalidate("tag-" + std::to_string(random_->Below(40)));
        break;
      case 2:
        clock_.Advance(static_cast<int64_t>(random_->Below(300)));
        break;
      case 3:
        Hold(cache_->Get(key));
        break;
      case 4:
        if (!held_.empty()) held_.erase(held_.begin() + static_cast<ptrdiff_t>(random_->Below(held_.size())));
        break;
      case 5:
        Load(key, options);
        break;
      case 6:
        if (random_->Below(300) == 0) cache_->Clear();
        break;
      case 7:
        if (random_->Below(20) == 0) cache_->Sweep();
        break;
      case 8:
        if (random_->Below(20) == 0) cache_->InvalidatePrefix("key-" + std::to_string(random_->Below(60)));
        break;
      case 9:
      case 10:
        cache_->Get(key);
        break;
      default:
        cache_->Put(key, values_.Make(MixedSize(*random_)), options);
    }
  }
  void Check() {
    CacheStats stats = cache_->Stats();
    if (stats.bytes > kBudget || values_.alive > stats.bytes || stats.entries > kMostEntries ||
        stats.pinned_bytes + stats.reserved_bytes > stats.bytes) {
      FAIL("alive " << values_.alive << ", charged " << stats.bytes << ", pinned " << stats.pinned_bytes
                    << ", reserved " << stats.reserved_bytes << ", entries " << stats.entries);
    }
    most_ = std::max(most_, stats.bytes);
    most_entries_ = std::max(most_entries_, stats.entries);
  }
  void Finish() {
    CHECK(most_ > kBudget * 8 / 10);
    CHECK(most_entries_ == kMostEntries);
    CHECK(cache_->Stats().evictions_size > 1000);
    held_.clear();
    for (uint64_t token : loads_) (void)cache_->Abandon(token);
    cache_->Clear();
    CHECK(cache_->Stats().bytes == 0);
    CHECK(values_.alive == 0);
  }

 private:
  EntryOptions Options() {
    EntryOptions options;
    if (random_->Below(3) == 0) options.ttl_ms = 1 + static_cast<int64_t>(random_->Below(5'000));
    for (uint64_t n = random_->Below(4); n > 1; --n)
      options.tags.push_back("tag-" + std::to_string(random_->Below(40)));
    if (random_->Below(4) == 0) options.soft_ttl_ms = 1 + static_cast<int64_t>(random_->Below(1'000));
    if (random_->Below(20) == 0) options.negative = true;
    if (random_->Below(2) == 0) options.cost = static_cast<double>(1 + random_->Below(9));
    return options;
  }
  void Hold(BufferRef value) {
    if (value && held_.size() < 60) held_.push_back(std::move(value));
  }
  void Load(const std::string& key, const EntryOptions& options) {
    Cache::Lookup lookup = cache_->GetOrLoad(key, 1 + static_cast<int64_t>(random_->Below(500)), nullptr);
    if (lookup.kind == Cache::Lookup::kHit) Hold(lookup.value);
    if (lookup.kind == Cache::Lookup::kWait || lookup.token == 0) return;
    loads_.push_back(lookup.token);
    if (random_->Below(2) == 0) (void)cache_->Reserve(lookup.token, MixedSize(*random_));
    if (loads_.size() < 5) return;
    if (random_->Below(9) == 0) {
      (void)cache_->Abandon(loads_.front());
    } else if (random_->Below(5) == 0) {
      (void)cache_->Fail(loads_.front(), Error(Code::kUnavailable, "no luck"));
    } else {
      (void)cache_->Fill(loads_.front(), values_.Make(MixedSize(*random_)), options);
    }
    loads_.erase(loads_.begin());
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_;
  Values values_;
  std::unique_ptr<Cache> cache_;
  std::vector<BufferRef> held_;
  std::vector<uint64_t> loads_;
  uint64_t most_ = 0, most_entries_ = 0;
};

TEST_CASE(
    "the bytes that the cache keeps alive are all charged and never exceed the budget, nor entries their "
    "bound") {
  for (CachePolicy policy : {CachePolicy::kTinyLfu, CachePolicy::kLru, CachePolicy::kS3Fifo}) {
    for (uint64_t seed : {1, 2}) {
      CAPTURE(static_cast<int>(policy));
      CAPTURE(seed);
      Audit audit(seed, policy);
      for (int step = 0; step < 40'000; ++step) {
        audit.Step();
        audit.Check();
      }
      audit.Finish();
    }
  }
}

}  // namespace
}  // namespace mediagen
