#include "api/queue_documents.h"

#include <doctest/doctest.h>

#include "base/clock.h"

namespace mediagen {
namespace {

std::string Message(const Status& status) { return InfoOf(status).message; }

}  // namespace

TEST_CASE("a job's every field is read") {
  auto jobs =
      ParseNewJobs(R"({"queue": "email", "kind": "send", "payload": {"to": "x"}, "user": "u1", "priority": -3,
                               "runAt": "2026-11-20T12:00:00Z", "timeoutMs": 1000, "uniqueKey": "k", "keys": {"provider": "smtp"}})");
  REQUIRE(jobs.ok());
  const NewJob& job = jobs->at(0);
  CHECK(job.queue == "email");
  CHECK(job.kind == "send");
  CHECK(job.payload_json == R"({"to":"x"})");
  CHECK(job.user == "u1");
  CHECK(job.priority == -3);
  CHECK(job.run_at_ms == *ParseTime("2026-11-20T12:00:00Z"));
  CHECK(job.timeout_ms == 1000);
  CHECK(job.unique_key == "k");
  CHECK(job.provider_key == "smtp");
  CHECK(job.id.empty());
}

TEST_CASE("a job's defaults are the queue's") {
  auto jobs = ParseNewJobs(R"([{"queue": "mail.one:x", "kind": "x"}])");
  REQUIRE(jobs.ok());
  CHECK(jobs->at(0).payload_json == "{}");
  CHECK(jobs->at(0).run_at_ms == -1);
  CHECK(jobs->at(0).timeout_ms == -1);
}

TEST_CASE("malformed jobs are refused, by their number and the field") {
  CHECK(Message(ParseNewJobs(R"([{"queue": "a", "kind": "x"}, {"queue": "a"}])").status()).find("Job 1") !=
        std::string::npos);
  CHECK(Message(ParseNewJobs(R"({"queue": "a", "kind": "x", "when": 1})").status()).find("when") !=
        std::string::npos);
  for (std::string_view bad :
       {"", "[]", "7", "null", R"([7])", R"({"queue": "", "kind": "x"})",
        R"({"queue": "Email", "kind": "x"})", R"({"queue": "a b", "kind": "x"})",
        R"({"queue": "a", "kind": "x", "payload": 7})", R"({"queue": "a", "kind": "x", "runAt": "tomorrow"})",
        R"({"queue": "a", "kind": "x", "keys": {"host": "y"}})",
        R"({"queue": "a", "kind": "x", "priority": 1001})",
        R"({"queue": "a", "kind": "x", "timeoutMs": 0})"}) {
    INFO(bad);
    CHECK(CodeOf(ParseNewJobs(bad).status()) == Code::kInvalid);
  }
  std::string many = "[";
  for (int i = 0; i < 1001; ++i)
    many += i == 0 ? R"({"queue":"a","kind":"x"})" : R"(,{"queue":"a","kind":"x"})";
  CHECK(CodeOf(ParseNewJobs(many + "]").status()) == Code::kInvalid);
  std::string large =
      R"({"queue": "a", "kind": "x", "payload": {"t": ")" + std::string(1 << 20, 'x') + "\"}}";
  CHECK(CodeOf(ParseNewJobs(large).status()) == Code::kTooLarge);
}

TEST_CASE("mediagen's own queues are not the host's") {
  for (std::string queue : {"generate", "media"}) {
    CHECK(IsInternalQueue(queue));
    CHECK(CodeOf(ParseNewJobs(R"({"queue": ")" + queue + R"(", "kind": "x"})").status()) == Code::kForbidden);
    CHECK(CodeOf(ParseQueueNames("email," + queue).status()) == Code::kForbidden);
  }
}

TEST_CASE("the queue of a provider that is the host is claimed from, and added to by mediagen alone") {
  CHECK_FALSE(IsInternalQueue("provider:mine"));
  CHECK(ParseQueueNames("email,provider:mine").ok());
  CHECK(CodeOf(ParseNewJobs(R"({"queue": "provider:mine", "kind": "x"})").status()) == Code::kForbidden);
}

TEST_CASE("names of queues are split, trimmed and kept once") {
  auto names = ParseQueueNames("email, sms,email");
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"email", "sms"});
  for (std::string_view bad : {"", ",", "a,", "a,,b", "A", "-a"})
    CHECK(CodeOf(ParseQueueNames(bad).status()) == Code::kInvalid);
  std::string many = "q0";
  for (int i = 1; i < 40; ++i) many += ",q" + std::to_string(i);
  CHECK(CodeOf(ParseQueueNames(many).status()) == Code::kInvalid);
}

TEST_CASE("outcomes take what belongs to them and nothing else") {
  auto done = ParseOutcome(R"({"outcome": "done", "result": [1, null]})");
  REQUIRE(done.ok());
  CHECK(done->kind == Outcome::kDone);
  CHECK(done->result_json == "[1,null]");
  auto retry = ParseOutcome(R"({"outcome": "retry", "afterMs": 5000, "reason": "smtp 421"})");
  REQUIRE(retry.ok());
  CHECK(retry->kind == Outcome::kRetry);
  CHECK(retry->after_ms == 5000);
  CHECK(retry->reason == "smtp 421");
  CHECK(ParseOutcome(R"({"outcome": "retry"})")->after_ms == -1);
  CHECK(ParseOutcome(R"({"outcome": "defer"})")->after_ms == 0);
  CHECK(ParseOutcome(R"({"outcome": "discard", "reason": "no such user"})")->kind == Outcome::kDiscard);
  CHECK(ParseOutcome(R"({"outcome": "cancel"})")->kind == Outcome::kCancel);
  for (std::string_view bad :
       {R"({})", R"({"outcome": "maybe"})", R"({"outcome": "done", "afterMs": 1})",
        R"({"outcome": "cancel", "reason": "x"})", R"({"outcome": "retry", "afterMs": -1})",
        R"({"outcome": "retry", "result": {}})", "[]"}) {
    INFO(bad);
    CHECK(CodeOf(ParseOutcome(bad).status()) == Code::kInvalid);
  }
}

TEST_CASE("progress is checked and kept") {
  CHECK(Json::parse(*ParseProgress(
            R"({"fraction": 0.4, "current": 2, "total": 5, "message": "m"})"))["current"] == 2);
  for (std::string_view bad : {R"({"fraction": 1.1})", R"({"current": -1})", R"({"percent": 3})", "7"}) {
    CHECK(CodeOf(ParseProgress(bad).status()) == Code::kInvalid);
  }
}

TEST_CASE("a job brings its children, its items or neither, and its unique key a scope") {
  auto jobs = ParseNewJobs(R"({"queue": "a", "kind": "whole", "onChildFailure": "continue",
    "children": [{"queue": "a", "kind": "x", "children": [{"queue": "b", "kind": "y"}]}, {"queue": "a", "kind": "z"}]})");
  REQUIRE(jobs.ok());
  const NewJob& job = (*jobs)[0];
  CHECK(job.children.size() == 2);
  CHECK(job.children[0].children[0].queue == "b");
  CHECK_FALSE(job.fail_fast);
  CHECK(job.run_after);

  auto unique = ParseNewJobs(R"({"queue": "a", "kind": "x", "unique": {"key": "k", "periodMs": 60000}})");
  REQUIRE(unique.ok());
  CHECK((*unique)[0].unique_period_ms == 60'000);
  CHECK(((*unique)[0].unique_states & StateBit(JobState::kDone)) != 0);
  unique = ParseNewJobs(R"({"queue": "a", "kind": "x", "unique": {"key": "k", "states": ["dead"]}})");
  REQUIRE(unique.ok());
  CHECK(((*unique)[0].unique_states & StateBit(JobState::kReady)) != 0);
  CHECK(((*unique)[0].unique_states & StateBit(JobState::kRunning)) == 0);
  CHECK(((*unique)[0].unique_states & StateBit(JobState::kDead)) != 0);

  std::string deep = R"({"queue": "a", "kind": "x"})", many = R"({"queue": "a", "kind": "x", "children": [)";
  for (int i = 0; i < 9; ++i) deep = R"({"queue": "a", "kind": "x", "children": [)" + deep + "]}";
  for (int i = 0; i < 1000; ++i) many += R"({"queue": "a", "kind": "x"},)";
  many.back() = ']';
  for (const std::string& bad :
       {deep, many + "}",
        std::string(R"({"queue": "a", "kind": "x", "children": [{"queue": "generate", "kind": "x"}]})"),
        std::string(
            R"({"queue": "a", "kind": "x", "items": [1], "children": [{"queue": "a", "kind": "x"}]})"),
        std::string(R"({"queue": "a", "kind": "x", "items": [1], "chunk": 0})"),
        std::string(R"({"queue": "a", "kind": "x", "onChildFailure": "cry"})"),
        std::string(R"({"queue": "a", "kind": "x", "unique": {"states": ["done"]}})"),
        std::string(R"({"queue": "a", "kind": "x", "unique": {"key": "k", "states": ["tired"]}})"),
        std::string(R"({"queue": "a", "kind": "x", "parent": "nobody"})"),
        std::string(R"({"queue": "a", "kind": "x", "delayMs": 1, "runAt": "2026-11-20T12:00:00Z"})")}) {
    CAPTURE(bad.substr(0, 200));
    const Code code = CodeOf(ParseNewJobs(bad).status());
    CHECK((code == Code::kInvalid || code == Code::kForbidden));
  }
}

TEST_CASE("the job document says all, and null where there is nothing") {
  Job job;
  job.id = *Id::Parse("01932c5e-0000-7000-8000-000000000001");
  job.queue = "email";
  job.kind = "say \"hi\"";
  job.fence = 3;
  job.created_ms = 0;
  Json document = Json::parse(JobDocument(job));
  CHECK(document["id"] == "01932c5e-0000-7000-8000-000000000001");
  CHECK(document["kind"] == "say \"hi\"");
  CHECK(document["state"] == "ready");
  CHECK(document["fence"] == 3);
  CHECK(document["createdAt"] == "1970-01-01T00:00:00.000Z");
  CHECK(document["payload"] == Json::object());
  for (const char* absent : {"user", "runAt", "progress", "result", "uniqueKey", "parent", "error",
                             "finishedAt", "checkpoint", "children", "maxTries"})
    CHECK(document[absent].is_null());
  CHECK(document["keys"]["provider"].is_null());
  job.result_json = R"({"sent":true})";
  job.parent = job.id;
  job.error_json = R"({"reason":"x"})";
  document = Json::parse(JobDocument(job));
  CHECK(document["result"]["sent"] == true);
  CHECK(document["parent"] == document["id"]);
  CHECK(document["error"]["reason"] == "x");
  Claim claims[2] = {{job}, {job}};
  CHECK(Json::parse(ClaimsDocument(claims)).size() == 2);
  CHECK(ClaimsDocument({}) == "[]");
  Id ids[2] = {job.id, job.id};
  CHECK(Json::parse(JobIdsDocument(ids))["jobs"].size() == 2);
}

}  // namespace mediagen
