// The contract of EventLog. See store_support.h for how a backend includes it.
#pragma once

#include "contract/store_support.h"

namespace mediagen {

namespace event_contract {

inline int64_t Append(Store& store, int64_t at_ms, std::string type = "generation.completed") {
  int64_t sequence = 0;
  Must(Write(store, [&](Transaction& t) -> Status {
    ASSIGN_OR_RETURN(sequence, t.events().Append({.topic = "generations",
                                                  .type = type,
                                                  .object = "o",
                                                  .user = "ada",
                                                  .visibility = "public",
                                                  .data_json = R"({"a":1})",
                                                  .at_ms = at_ms}));
    return OkStatus();
  }));
  return sequence;
}

}  // namespace event_contract

TEST_CASE("events are numbered in commit order and read back from any number") {
  ContractBackend backend;
  std::vector<int64_t> sequences;
  for (int i = 0; i < 5; ++i) sequences.push_back(event_contract::Append(backend.store(), 100 + i));
  for (size_t i = 1; i < sequences.size(); ++i) CHECK(sequences[i] > sequences[i - 1]);
  backend.Reopen();
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Event> all = Must(s.events().After(0, 100));
    REQUIRE(all.size() == 5);
    CHECK(all[0].sequence == sequences[0]);
    CHECK(all[0].topic == "generations");
    CHECK(all[0].type == "generation.completed");
    CHECK(all[0].object == "o");
    CHECK(all[0].user == "ada");
    CHECK(all[0].visibility == "public");
    CHECK(all[0].data_json == R"({"a":1})");
    CHECK(all[0].at_ms == 100);
    std::vector<Event> some = Must(s.events().After(sequences[1], 2));
    REQUIRE(some.size() == 2);
    CHECK(some[0].sequence == sequences[2]);
    CHECK(Must(s.events().After(sequences[4], 2)).empty());
    CHECK(Must(s.AsOf()) == sequences[4]);
  });
}

TEST_CASE("an event of a failed operation was never there, and leaves no gap that a tail would wait for") {
  ContractBackend backend;
  int64_t first = event_contract::Append(backend.store(), 1);
  Status failed = Write(backend.store(), [&](Transaction& t) {
    Must(t.events().Append({.topic = "x"}));
    return Error(Code::kInvalid, "no.");
  });
  CHECK(CodeOf(failed) == Code::kInvalid);
  int64_t second = event_contract::Append(backend.store(), 2);
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Event> after = Must(s.events().After(first, 10));
    REQUIRE(after.size() == 1);
    CHECK(after[0].sequence == second);
  });
}

TEST_CASE("pruning cuts the oldest; newest and oldest tell what is left, and no number is given twice") {
  ContractBackend backend;
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.events().Newest()) == 0);
    CHECK(Must(s.events().Oldest()) == 1);
  });
  std::vector<int64_t> sequences;
  for (int64_t at_ms : {10, 11, 50, 12, 13})
    sequences.push_back(event_contract::Append(backend.store(), at_ms));
  auto prune = [&](int64_t before_ms, int limit) {
    int pruned = -1;
    Must(Write(backend.store(), [&](Transaction& t) -> Status {
      ASSIGN_OR_RETURN(pruned, t.events().Prune(before_ms, limit));
      return OkStatus();
    }));
    return pruned;
  };
  CHECK(prune(10, 100) == 0);
  CHECK(prune(20, 1) == 1);
  CHECK(prune(20, 100) ==
        1);  // the wall clock jumped: nothing behind the younger event goes, so no hole opens
  Look(backend.store(), [&](const Snapshot& s) { CHECK(Must(s.events().Oldest()) == sequences[2]); });
  CHECK(prune(100, 100) == 3);
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.events().Newest()) == sequences[4]);
    CHECK(Must(s.events().Oldest()) == sequences[4] + 1);
  });
  backend.Reopen();
  CHECK(event_contract::Append(backend.store(), 1) > sequences[4]);
}

}  // namespace mediagen
