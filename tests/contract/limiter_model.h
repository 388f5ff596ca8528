// A limiter in plain words, for comparison: nothing is shared with src/limit/formula.h, and nothing is
// clever. An exact window is the list of the moments at which each unit was taken. GCRA is the leaky bucket
// that ITU-T I.371 gives beside virtual scheduling: a level that falls by one µs each µs, and to which a unit
// adds the interval.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limit/limiter.h"

namespace mediagen {

class LimiterModel {
 public:
  struct Answer {
    bool allowed = true;
    std::string rule;
    int64_t limit = 0, remaining = 0, reset_after_ms = 0, retry_after_ms = 0;
  };
  struct Check {
    size_t rule;
    std::string key;
    int64_t cost;
  };
  // What a reservation took: the parts with the moment at which each counts no more.
  struct Lease {
    std::vector<std::pair<Check, int64_t>> parts;  // and in µs
    bool refunded = false;
  };

  explicit LimiterModel(std::vector<LimitRule> rules) : rules_(std::move(rules)) {}

  void Pass(int64_t ms) {
    now_ms_ += ms;
    for (auto& [name, bucket] : buckets_) bucket.level_us = std::max<int64_t>(0, bucket.level_us - ms * 1000);
    for (auto& [name, bucket] : buckets_) {
      const int64_t window_ms = rules_[name.first].window_ms;
      std::erase_if(bucket.taken_ms, [&](int64_t at) { return at + window_ms <= now_ms_; });
    }
  }

  // `lease`, when given, gets what was taken.
  Answer Decide(const std::vector<Check>& checks, Lease* lease = nullptr) {
    const std::vector<Check> sums = AddedUp(checks);
    bool allowed = true;
    for (const Check& check : sums) allowed = allowed && Retry(check) == 0;
    Answer tightest;
    for (size_t i = 0; i < sums.size(); ++i) {
      const int64_t retry_ms = Retry(sums[i]);
      // A rule that would allow tells what would be left, though another refuses.
      Bucket before = BucketOf(sums[i]);
      if (retry_ms == 0) Take(sums[i]);
      const Answer answer = Stand(sums[i], retry_ms);
      if (!allowed) BucketOf(sums[i]) = before;
      if (i == 0 || Tighter(answer, tightest)) tightest = answer;
      if (allowed && lease != nullptr && sums[i].cost > 0)
        lease->parts.emplace_back(sums[i], now_ms_ * 1000 + ResetUs(sums[i]));
    }
    return tightest;
  }

  void Refund(const std::vector<Check>& checks) {
    for (const Check& check : checks) {
      Bucket& bucket = BucketOf(check);
      if (Exact(check.rule)) {
        const auto count = std::min<size_t>(static_cast<size_t>(check.cost), bucket.taken_ms.size());
        bucket.taken_ms.erase(bucket.taken_ms.begin(),
                              bucket.taken_ms.begin() + static_cast<ptrdiff_t>(count));
      } else {
        bucket.level_us = std::max<int64_t>(0, bucket.level_us - Interval(check.rule) * check.cost);
      }
    }
  }

  bool RefundLease(Lease* lease) {
    const auto counts = [&](const auto& part) { return part.second > now_ms_ * 1000; };
    if (lease->refunded || std::none_of(lease->parts.begin(), lease->parts.end(), counts)) return false;
    lease->refunded = true;
    for (const auto& [check, until_us] : lease->parts) {
      if (until_us <= now_ms_ * 1000) continue;
      Bucket& bucket = BucketOf(check);
      if (Exact(check.rule)) {
        const int64_t moment_ms = until_us / 1000 - rules_[check.rule].window_ms;
        for (int64_t i = 0; i < check.cost; ++i) {
          const auto unit = std::find(bucket.taken_ms.begin(), bucket.taken_ms.end(), moment_ms);
          if (unit != bucket.taken_ms.end()) bucket.taken_ms.erase(unit);
        }
      } else {
        const int64_t left_us = std::min(until_us - now_ms_ * 1000, Interval(check.rule) * check.cost);
        bucket.level_us = std::max<int64_t>(0, bucket.level_us - left_us);
      }
    }
    return true;
  }

 private:
  struct Bucket {
    std::vector<int64_t> taken_ms;  // of an exact window, oldest first
    int64_t level_us = 0;           // of GCRA
  };

  bool Exact(size_t rule) const { return rules_[rule].limit <= 32; }
  int64_t Interval(size_t rule) const {
    const LimitRule& of = rules_[rule];
    return of.window_ms * 1000 / of.limit + (of.window_ms * 1000 % of.limit != 0);
  }
  int64_t Depth(size_t rule) const { return Interval(rule) * rules_[rule].limit; }
  static int64_t CeilMs(int64_t us) { return us / 1000 + (us % 1000 != 0); }
  Bucket& BucketOf(const Check& check) { return buckets_[{check.rule, check.key}]; }

  static std::vector<Check> AddedUp(const std::vector<Check>& checks) {
    std::vector<Check> sums;
    for (const Check& check : checks) {
      auto same = std::find_if(sums.begin(), sums.end(), [&](const Check& other) {
        return other.rule == check.rule && other.key == check.key;
      });
      if (same == sums.end()) {
        sums.push_back(check);
      } else {
        same->cost += check.cost;
      }
    }
    return sums;
  }

  // In how many ms `check` would be allowed: 0 when it is.
  int64_t Retry(const Check& check) {
    const LimitRule& rule = rules_[check.rule];
    const Bucket& bucket = BucketOf(check);
    if (!Exact(check.rule))
      return std::max<int64_t>(
          0, CeilMs(bucket.level_us + Interval(check.rule) * check.cost - Depth(check.rule)));
    const int64_t above = static_cast<int64_t>(bucket.taken_ms.size()) + check.cost - rule.limit;
    if (above <= 0) return 0;
    return bucket.taken_ms[static_cast<size_t>(above) - 1] + rule.window_ms - now_ms_;
  }
  void Take(const Check& check) {
    Bucket& bucket = BucketOf(check);
    if (Exact(check.rule)) {
      bucket.taken_ms.insert(bucket.taken_ms.end(), static_cast<size_t>(check.cost), now_ms_);
    } else {
      bucket.level_us += Interval(check.rule) * check.cost;
    }
  }
  int64_t ResetUs(const Check& check) {
    const Bucket& bucket = BucketOf(check);
    if (!Exact(check.rule)) return bucket.level_us;
    if (bucket.taken_ms.empty()) return 0;
    return (bucket.taken_ms.back() + rules_[check.rule].window_ms - now_ms_) * 1000;
  }
  Answer Stand(const Check& check, int64_t retry_ms) {
    const LimitRule& rule = rules_[check.rule];
    const Bucket& bucket = BucketOf(check);
    const int64_t remaining = Exact(check.rule)
                                  ? rule.limit - static_cast<int64_t>(bucket.taken_ms.size())
                                  : (Depth(check.rule) - bucket.level_us) / Interval(check.rule);
    return {retry_ms == 0, rule.name, rule.limit, remaining, CeilMs(ResetUs(check)), retry_ms};
  }
  static bool Tighter(const Answer& a, const Answer& b) {
    if (a.allowed != b.allowed) return !a.allowed;
    if (a.retry_after_ms != b.retry_after_ms) return a.retry_after_ms > b.retry_after_ms;
    if (a.remaining != b.remaining) return a.remaining < b.remaining;
    return a.reset_after_ms > b.reset_after_ms;
  }

  const std::vector<LimitRule> rules_;
  std::map<std::pair<size_t, std::string>, Bucket> buckets_;
  int64_t now_ms_ = 0;
};

}  // namespace mediagen
