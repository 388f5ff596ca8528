// The Lua script by which Redis decides, and how a batch of steps is written for it.
//
// One EVALSHA decides a batch: several steps of one process that came while the last batch was under way, in
// their order, each by itself. All keys are read by one MGET, decided in the script's memory, and those that
// changed are written once, so a batch on one hot key costs Redis one read and one write. Time is the
// server's (TIME), read once a batch; the arithmetic is that of formula.h, all numbers integers below 2^53,
// which Lua's doubles hold exactly.
//
// What a key holds:
//   GCRA          its TAT in µs, as decimal text
//   exact window  a moment, a double, and for each unit how long after that it was charged, 32 bits each,
//                 newest last: what is over is cut off, what is new appended, and nothing decoded to decide
//   log           a sorted set, a member a unit, its score the moment in ms
// All expire (PX) when the limit is whole again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "redis/client.h"

namespace mediagen::limit {

enum class Form : uint8_t { kGcra = 0, kExact = 1, kLog = 2 };

enum class Verb : uint8_t {
  kCheck = 1,     // answers remaining, reset, retry (ms) of each charge; charges when no retry is above 0
  kReserve = 2,   // the same, and until when the charge counts (µs)
  kRefund = 3,    // answers 0
  kGiveBack = 4,  // of a lease: answers 1 when it was given back, 0 when there was nothing to give
};

// One charge as the script reads it.
struct ScriptCharge {
  std::string_view key;  // the whole of it
  Form form = Form::kGcra;
  int64_t limit = 0;
  int64_t interval = 0;  // of GCRA: µs of one unit; else the window in ms
  int64_t cost = 0;
  int64_t until_us = 0;  // of kGiveBack
};

// How many numbers the script answers to a step of `charges`.
size_t AnswerCount(Verb verb, size_t charges);

// Without the functions of logs it is shorter; a script makes all its functions anew each time it runs.
RedisScript LimiterScript(bool with_logs);

// KEYS and ARGV of one EVALSHA.
class ScriptBatch {
 public:
  // The script takes this for the time; -1: the server's.
  explicit ScriptBatch(int64_t now_ms) { Number(now_ms); }

  // A step; `settled_key` is of kGiveBack: the key by which a lease is given back once.
  void Add(Verb verb, std::span<const ScriptCharge> charges, std::string_view settled_key = {});

  std::vector<std::string_view> keys() const { return {keys_.begin(), keys_.end()}; }
  // The numbers as one MessagePack array, which Redis's cmsgpack reads faster than Lua would read their
  // texts.
  std::string Packed() const;

 private:
  void Number(int64_t number);
  void Key(std::string_view key);

  std::vector<std::string> keys_;
  absl::flat_hash_map<std::string, size_t> places_;
  std::string numbers_;
  uint32_t count_ = 0;
};

}  // namespace mediagen::limit
