// The contract of Records. See store_support.h for how a backend includes it.
#pragma once

#include <algorithm>

#include "contract/records_support.h"

namespace mediagen {

TEST_CASE("a generation comes back as it was written, after a restart, too") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1234);
  g.status = GenerationStatus::kFailed;
  g.stage = "";
  g.n = 4;
  g.seed = "18446744073709551615";
  g.progress_json = R"({"fraction":null})";
  g.error_json = R"({"code":"safety"})";
  g.cost_micros = 40'000;
  g.cost_source = "reported";
  g.attempts = 3;
  g.visibility = "group";
  g.project = backend.NewId();
  g.session = backend.NewId();
  g.external_id = "order-7";
  g.metadata_json = R"({"k":"\u0000"})";
  g.prompt = std::string("nul \0 and ünïcode", 19);
  g.likes = 7;
  g.shares = 8;
  g.started_ms = 9;
  g.completed_ms = 10;
  g.deadline_ms = 11;
  g.cancel_requested = true;
  g.job = backend.NewId();
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().InsertGeneration(g); }));
  backend.Reopen();
  Look(backend.store(), [&](const Snapshot& s) {
    std::optional<Generation> found = Must(s.records().FindGeneration(g.id));
    REQUIRE(found);
    CHECK(found->user == "ada");
    CHECK(found->status == GenerationStatus::kFailed);
    CHECK(found->stage == "");
    CHECK(found->provider == "sketch");
    CHECK(found->model == "sketch-1");
    CHECK(found->kind == "image");
    CHECK(found->prompt == g.prompt);
    CHECK(found->n == 4);
    CHECK(found->seed == g.seed);
    CHECK(found->request_json == g.request_json);
    CHECK(found->progress_json == g.progress_json);
    CHECK(found->error_json == g.error_json);
    CHECK(found->cost_micros == 40'000);
    CHECK(found->cost_source == "reported");
    CHECK(found->attempts == 3);
    CHECK(found->visibility == "group");
    CHECK(found->project == g.project);
    CHECK(found->session == g.session);
    CHECK(found->external_id == "order-7");
    CHECK(found->metadata_json == g.metadata_json);
    CHECK(found->likes == 7);
    CHECK(found->shares == 8);
    CHECK(found->created_ms == 1234);
    CHECK(found->started_ms == 9);
    CHECK(found->completed_ms == 10);
    CHECK(found->deadline_ms == 11);
    CHECK(found->cancel_requested);
    CHECK(found->job == g.job);
    CHECK(found->version == 1);
    CHECK_FALSE(Must(s.records().FindGeneration(backend.NewId())));
  });
}

TEST_CASE("an update writes every mutable column, counts the version, and leaves the identity alone") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1);
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().InsertGeneration(g); }));
  Generation changed = g;
  changed.user = "eve";
  changed.created_ms = 99;
  changed.status = GenerationStatus::kCompleted;
  changed.stage = "";
  changed.likes = 3;
  changed.completed_ms = 77;
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().UpdateGeneration(changed); }));
  Look(backend.store(), [&](const Snapshot& s) {
    Generation found = *Must(s.records().FindGeneration(g.id));
    CHECK(found.user == "ada");
    CHECK(found.created_ms == 1);
    CHECK(found.status == GenerationStatus::kCompleted);
    CHECK(found.stage == "");
    CHECK(found.likes == 3);
    CHECK(found.completed_ms == 77);
    CHECK(found.version == 2);
  });
  changed.id = backend.NewId();
  Status gone = Write(backend.store(), [&](Transaction& t) { return t.records().UpdateGeneration(changed); });
  CHECK(CodeOf(gone) == Code::kNotFound);
  CHECK(InfoOf(gone).object == changed.id.text());
}

TEST_CASE("an externalId is unique per user, and the conflict names the holder") {
  using namespace records_contract;
  ContractBackend backend;
  Generation first = NewGeneration(backend, "ada", 1), second = NewGeneration(backend, "ada", 2);
  Generation other = NewGeneration(backend, "bob", 3), none = NewGeneration(backend, "ada", 4);
  first.external_id = second.external_id = other.external_id = "order-7";
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().InsertGeneration(first); }));
  Status taken = Write(backend.store(), [&](Transaction& t) { return t.records().InsertGeneration(second); });
  CHECK(CodeOf(taken) == Code::kConflict);
  CHECK(InfoOf(taken).object == first.id.text());
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(other));
    RETURN_IF_ERROR(t.records().InsertGeneration(none));
    none.id = backend.NewId();
    return t.records().InsertGeneration(none);  // "" is no externalId and clashes with nothing
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.records().FindGenerationByExternalId("ada", "order-7"))->id == first.id);
    CHECK(Must(s.records().FindGenerationByExternalId("bob", "order-7"))->id == other.id);
    CHECK_FALSE(Must(s.records().FindGenerationByExternalId("ada", "order-8")));
    CHECK_FALSE(Must(s.records().FindGenerationByExternalId("ada", "")));
  });
  Status twice = Write(backend.store(), [&](Transaction& t) { return t.records().InsertGeneration(other); });
  CHECK(CodeOf(twice) == Code::kConflict);
}

TEST_CASE("pages are complete and in order under equal timestamps, for every filter") {
  using namespace records_contract;
  ContractBackend backend;
  const Id session = backend.NewId(), project = backend.NewId();
  std::vector<Generation> rows;
  for (int i = 0; i < 60; ++i) {
    Generation g = NewGeneration(backend, i % 3 == 0 ? "ada" : "bob", 1000 + i / 20);  // 20 rows to each ms
    g.status = static_cast<GenerationStatus>(i % 6);
    if (i % 2 == 0) g.session = session;
    if (i % 5 == 0) g.project = project;
    rows.push_back(g);
  }
  Must(Write(backend.store(), [&](Transaction& t) {
    for (const Generation& g : rows) RETURN_IF_ERROR(t.records().InsertGeneration(g));
    return OkStatus();
  }));
  std::vector<GenerationFilter> filters(1);
  filters.push_back({.user = "ada"});
  filters.push_back({.session = session});
  filters.push_back({.project = project});
  filters.push_back({.user = "bob", .session = session, .project = project});
  for (std::vector<GenerationStatus> statuses :
       {std::vector{GenerationStatus::kPending},
        std::vector{GenerationStatus::kPending, GenerationStatus::kProcessing},
        std::vector{GenerationStatus::kFailed, GenerationStatus::kUnknown},
        std::vector{GenerationStatus::kCompleted},
        std::vector{GenerationStatus::kCompleted, GenerationStatus::kCanceled, GenerationStatus::kPending}}) {
    filters.push_back({.statuses = statuses});
    filters.push_back({.user = "ada", .statuses = statuses});
    filters.push_back({.user = "bob", .project = project, .statuses = statuses});
    filters.push_back({.session = session, .statuses = statuses});
  }
  for (const GenerationFilter& filter : filters) {
    std::vector<Generation> expected;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(expected), [&](const Generation& g) {
      bool status =
          filter.statuses.empty() || std::count(filter.statuses.begin(), filter.statuses.end(), g.status) > 0;
      return status && (!filter.user || g.user == *filter.user) &&
             (!filter.session || g.session == *filter.session) &&
             (!filter.project || g.project == *filter.project);
    });
    std::sort(expected.begin(), expected.end(), [](const Generation& a, const Generation& b) {
      return std::tie(a.created_ms, a.id) > std::tie(b.created_ms, b.id);
    });
    std::vector<Id> ids;
    for (const Generation& g : expected) ids.push_back(g.id);
    for (int page_size : {1, 7, 100}) CHECK(Walk(backend.store(), filter, page_size) == ids);
  }
}

TEST_CASE("an idempotency key belongs to the first that takes it, per user, for 24 hours") {
  using namespace records_contract;
  ContractBackend backend;
  const Id first = backend.NewId(), second = backend.NewId();
  const int64_t day = 24 * 3'600'000;
  Must(Write(backend.store(), [&](Transaction& t) {
    CHECK_FALSE(Must(t.records().TakeIdempotencyKey("ada", "k", "hash-1", first, 1000)));
    CHECK_FALSE(Must(t.records().TakeIdempotencyKey("bob", "k", "hash-2", second, 1000)));
    auto holder = Must(t.records().TakeIdempotencyKey("ada", "k", "hash-3", second, 1000 + day - 1));
    REQUIRE(holder);
    CHECK(holder->generation == first);
    CHECK(holder->body_sha256 == "hash-1");
  }));
  backend.Reopen();
  Must(Write(backend.store(), [&](Transaction& t) {
    CHECK_FALSE(Must(t.records().TakeIdempotencyKey("ada", "k", "hash-3", second, 1000 + day)));
    CHECK(Must(t.records().TakeIdempotencyKey("ada", "k", "", first, 1000 + day))->generation == second);
  }));
}

TEST_CASE("parts belong to a generation and are listed in order") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1);
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(g));
    RETURN_IF_ERROR(t.records().InsertPart({g.id, 1, 2, "pending", ""}));
    return t.records().InsertPart({g.id, 0, 4, "pending", ""});
  }));
  Must(Write(backend.store(), [&](Transaction& t) {
    return t.records().UpdatePart({g.id, 1, 2, "failed", "{}"});
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Part> parts = Must(s.records().PartsOf(g.id));
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].n == 4);
    CHECK(parts[1].state == "failed");
    CHECK(parts[1].error_json == "{}");
  });
  auto code = [&](auto body) { return CodeOf(Write(backend.store(), body)); };
  CHECK(code([&](Transaction& t) {
          return t.records().InsertPart({g.id, 1, 1, "pending", ""});
        }) == Code::kConflict);
  CHECK(code([&](Transaction& t) {
          return t.records().UpdatePart({g.id, 7, 1, "done", ""});
        }) == Code::kNotFound);
  CHECK(code([&](Transaction& t) {
          return t.records().InsertPart({backend.NewId(), 0, 1, "", ""});
        }) == Code::kNotFound);
}

TEST_CASE("an attempt moves only from the states that are named, and only by its nonce") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1);
  Attempt a = NewAttempt(backend, g.id, 0, 1);
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(g));
    return t.records().InsertAttempt(a);
  }));
  Attempt submitted = a;
  submitted.state = AttemptState::kSubmitted;
  submitted.remote_id = "req-1";
  submitted.status_url = "https://queue/status";
  submitted.result_url = "https://queue/result";
  submitted.cancel_url = "https://queue/cancel";
  submitted.spool_key = "spool/x";
  submitted.outputs_json = "[]";
  submitted.error_json = "{}";
  submitted.cost_micros = 5;
  submitted.updated_ms = 6;
  const AttemptState from[] = {AttemptState::kIntent, AttemptState::kUnknown};
  Attempt forged = submitted;
  forged.nonce = "other";
  Must(Write(backend.store(), [&](Transaction& t) {
    CHECK_FALSE(Must(t.records().MoveAttempt(forged, from)));
    CHECK(Must(t.records().MoveAttempt(submitted, from)));
    CHECK_FALSE(Must(t.records().MoveAttempt(submitted, from)));  // it has left them
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    Attempt found = *Must(s.records().FindAttempt(a.id));
    CHECK(found.generation == g.id);
    CHECK(found.nonce == "nonce");
    CHECK(found.state == AttemptState::kSubmitted);
    CHECK(found.provider == "fal");
    CHECK(found.remote_id == "req-1");
    CHECK(found.status_url == "https://queue/status");
    CHECK(found.result_url == "https://queue/result");
    CHECK(found.cancel_url == "https://queue/cancel");
    CHECK(found.spool_key == "spool/x");
    CHECK(found.outputs_json == "[]");
    CHECK(found.error_json == "{}");
    CHECK(found.cost_micros == 5);
    CHECK(found.created_ms == 1000);
    CHECK(found.updated_ms == 6);
    CHECK_FALSE(Must(s.records().FindAttempt(backend.NewId())));
  });
}

TEST_CASE("a remote id belongs to one attempt of its provider") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1);
  Attempt first = NewAttempt(backend, g.id, 0, 1), second = NewAttempt(backend, g.id, 0, 2),
          third = NewAttempt(backend, g.id, 1, 1);
  third.provider = "replicate";
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(g));
    for (const Attempt* a : {&first, &second, &third}) RETURN_IF_ERROR(t.records().InsertAttempt(*a));
    return OkStatus();
  }));
  const AttemptState from[] = {AttemptState::kIntent};
  auto submit = [&](Attempt attempt) {
    attempt.state = AttemptState::kSubmitted;
    attempt.remote_id = "r1";
    return CodeOf(Write(backend.store(),
                        [&](Transaction& t) { return t.records().MoveAttempt(attempt, from).status(); }));
  };
  CHECK(submit(first) == Code::kOk);
  CHECK(submit(second) == Code::kConflict);
  CHECK(submit(third) == Code::kOk);  // another provider's r1
  const std::vector<std::string> asked = {"r0", "r1", "r\"2", ""};
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.records().KnownRemoteIds("fal", asked)) == std::vector<std::string>{"r1"});
    CHECK(Must(s.records().KnownRemoteIds("openai", asked)).empty());
    CHECK(Must(s.records().FindAttemptByRemoteId("fal", "r1")).has_value());
    CHECK_FALSE(Must(s.records().FindAttemptByRemoteId("fal", "r0")).has_value());
    CHECK_FALSE(Must(s.records().FindAttemptByRemoteId("fal", "")).has_value());
    CHECK(Must(s.records().CountAttempts(AttemptState::kSubmitted)) == 2);
    CHECK(Must(s.records().CountAttempts(AttemptState::kUnknown)) == 0);
  });
  Attempt again = NewAttempt(backend, g.id, 0, 2);
  CHECK(CodeOf(Write(backend.store(), [&](Transaction& t) { return t.records().InsertAttempt(again); })) ==
        Code::kConflict);
}

TEST_CASE("attempts are listed by part and try, and the unanswered ones by their time") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1);
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(g));
    for (int i : {3, 1, 2, 0}) {
      Attempt a = NewAttempt(backend, g.id, i / 2, i % 2 + 1);
      a.created_ms = 100 + i;
      a.state = i == 2 ? AttemptState::kSucceeded : i == 3 ? AttemptState::kUnknown : AttemptState::kIntent;
      RETURN_IF_ERROR(t.records().InsertAttempt(a));
    }
    return OkStatus();
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Attempt> all = Must(s.records().AttemptsOf(g.id));
    REQUIRE(all.size() == 4);
    for (int i = 0; i < 4; ++i) CHECK(all[static_cast<size_t>(i)].created_ms == 100 + i);
    std::vector<Attempt> open = Must(s.records().UnansweredAttempts("fal", 101, 103));
    REQUIRE(open.size() == 2);
    CHECK(open[0].created_ms == 101);
    CHECK(open[1].created_ms == 103);
    CHECK(Must(s.records().UnansweredAttempts("replicate", 0, 1000)).empty());
  });
}

TEST_CASE("names of states are read back, and an unknown one is refused with the list") {
  CHECK(Must(StatusByName("unknown")) == GenerationStatus::kUnknown);
  CHECK(Must(AttemptStateByName("abandoned")) == AttemptState::kAbandoned);
  CHECK(Must(JobStateByName("parked")) == JobState::kParked);
  CHECK(CodeOf(StatusByName("done").status()) == Code::kInvalid);
  CHECK(CodeOf(AttemptStateByName("done").status()) == Code::kInvalid);
  CHECK(InfoOf(JobStateByName("x").status()).message.find("canceled") != std::string::npos);
}

}  // namespace mediagen
