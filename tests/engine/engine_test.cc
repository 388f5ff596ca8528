// The whole engine over a real directory, by the verbs that the C ABI calls.
#include "engine/engine.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "base/json.h"
#include "support/temp_dir.h"

using namespace mediagen;
using mediagen::testing::TempDir;

namespace {

// Waits for one reply, from whichever thread it comes.
struct Answer {
  std::mutex mutex;
  std::condition_variable cv;
  std::optional<StatusOr<BufferRef>> got;

  Reply reply() {
    return [this](StatusOr<BufferRef> value) {
      std::lock_guard lock(mutex);
      got = std::move(value);
      cv.notify_all();
    };
  }
  StatusOr<Json> Wait() {
    std::unique_lock lock(mutex);
    if (!cv.wait_for(lock, std::chrono::seconds(60), [&] { return got.has_value(); }))
      return Error(Code::kTimeout, "no reply");
    if (!got->ok()) return got->status();
    return Json::parse((*got)->view());
  }
};

struct Reached {
  std::mutex mutex;
  std::condition_variable cv;
  std::optional<Response> response;
  ResponseDone done() {
    return [this](Response value) {
      std::lock_guard lock(mutex);
      response = std::move(value);
      cv.notify_all();
    };
  }
  Response& Wait() {
    std::unique_lock lock(mutex);
    cv.wait_for(lock, std::chrono::seconds(60), [&] { return response.has_value(); });
    REQUIRE(response.has_value());
    return *response;
  }
  std::string Header(std::string_view name) {
    for (const auto& [known, value] : response->headers) {
      if (known == name) return value;
    }
    return "";
  }
};

std::string ConfigFor(const std::string& dir, const char* more = "") {
  return R"({"dataDir": ")" + dir + "\"" + more + "}";
}

std::shared_ptr<Engine> OpenOrFail(const std::string& config) {
  auto engine = Engine::Open(config);
  if (!engine.ok()) FAIL(ErrorJson(engine.status()));
  return *engine;
}

constexpr char kFox[] =
    R"({"user": "u1", "provider": "sketch", "prompt": "a red fox in snow", "size": "64x64", "seed": "7"})";

void CloseAndWait(Engine& engine) {
  std::mutex mutex;
  std::condition_variable cv;
  bool closed = false;
  engine.Close(2000, [&](Status) {
    std::lock_guard lock(mutex);
    closed = true;
    cv.notify_all();
  });
  std::unique_lock lock(mutex);
  REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return closed; }));
}

}  // namespace

TEST_CASE("a prompt becomes a stored picture that is served with an ETag and then not again") {
  TempDir dir;
  auto engine = OpenOrFail(ConfigFor(dir.path()));
  Answer submitted, rested;
  engine->Submit(kFox, submitted.reply());
  auto record = submitted.Wait();
  if (!record.ok()) FAIL(ErrorJson(record.status()));
  CHECK((*record)["status"] == "pending");
  CHECK((*record)["prompt"] == "a red fox in snow");
  const std::string id = (*record)["id"];
  auto give_up = engine->Await("", id, rested.reply());
  auto done = rested.Wait();
  if (!done.ok()) FAIL(ErrorJson(done.status()));
  CHECK((*done)["status"] == "completed");
  REQUIRE((*done)["outputs"].size() == 1);
  const Json& output = (*done)["outputs"][0];
  CHECK(output["width"] == 64);
  CHECK(output["mediaType"] == "image/png");
  CHECK(output["thumbHash"].get<std::string>().size() > 4);

  Reached first;
  engine->Handle("GET", output["url"].get<std::string>(), "", "", "", nullptr, first.done());
  CHECK(first.Wait().status == 200);
  CHECK(first.Header("ETag") == "\"" + output["sha256"].get<std::string>() + "\"");
  CHECK(std::holds_alternative<FileBody>(first.response->body));
  Reached again;
  engine->Handle("GET", output["url"].get<std::string>(), "If-None-Match: " + first.Header("ETag") + "\r\n",
                 "", "", nullptr, again.done());
  CHECK(again.Wait().status == 304);

  Reached thumbnail;
  engine->Handle("GET", output["thumbnails"]["300"].get<std::string>(), "", R"({"user": "u1"})", "", nullptr,
                 thumbnail.done());
  CHECK(thumbnail.Wait().status == 200);
  CHECK(thumbnail.Header("Content-Type") == "image/jpeg");
  Reached stranger;
  engine->Handle("GET", output["thumbnails"]["300"].get<std::string>(), "", R"({"user": "u2"})", "", nullptr,
                 stranger.done());
  CHECK(stranger.Wait().status == 404);
  CloseAndWait(*engine);
}

TEST_CASE("a record tells the seed that was chosen, and that seed makes the same picture") {
  TempDir dir;
  auto engine = OpenOrFail(ConfigFor(dir.path()));
  auto make = [&](const Json& request) {
    Answer submitted, rested;
    engine->Submit(request.dump(), submitted.reply());
    auto give_up = engine->Await("", (*submitted.Wait())["id"].get<std::string>(), rested.reply());
    return *rested.Wait();
  };
  Json request = {{"user", "u1"}, {"provider", "sketch"}, {"prompt", "a blue sea"}, {"size", "64x64"}};
  Json chosen = make(request);
  REQUIRE(chosen["seed"].is_string());
  request["seed"] = chosen["seed"];
  CHECK(make(request)["outputs"][0]["sha256"] == chosen["outputs"][0]["sha256"]);
  request["seed"] = "1";
  CHECK(make(request)["outputs"][0]["sha256"] != chosen["outputs"][0]["sha256"]);
  CloseAndWait(*engine);
}

TEST_CASE("a list shows the newest first and its cursor goes on where the page ended") {
  TempDir dir;
  auto engine = OpenOrFail(ConfigFor(dir.path()));
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    Answer submitted;
    engine->Submit(kFox, submitted.reply());
    auto record = submitted.Wait();
    REQUIRE(record.ok());
    ids.push_back((*record)["id"]);
  }
  Answer first, second;
  engine->List("", "generations", R"({"limit": 3})", first.reply());
  auto page = first.Wait();
  if (!page.ok()) FAIL(ErrorJson(page.status()));
  REQUIRE((*page)["data"].size() == 3);
  CHECK((*page)["data"][0]["id"] == ids[4]);
  CHECK((*page)["pagination"]["hasMore"] == true);
  engine->List("", "generations",
               R"({"limit": 3, "cursor": ")" + (*page)["pagination"]["nextCursor"].get<std::string>() + "\"}",
               second.reply());
  auto rest = second.Wait();
  if (!rest.ok()) FAIL(ErrorJson(rest.status()));
  REQUIRE((*rest)["data"].size() == 2);
  CHECK((*rest)["data"][1]["id"] == ids[0]);
  CHECK((*rest)["pagination"]["hasMore"] == false);
  CloseAndWait(*engine);
}

TEST_CASE("what was accepted before a close is finished by the next engine on the directory") {
  TempDir dir;
  std::vector<std::string> ids;
  {
    auto engine = OpenOrFail(ConfigFor(dir.path()));
    for (int i = 0; i < 4; ++i) {
      Answer submitted;
      engine->Submit(
          R"({"user": "u1", "provider": "sketch", "prompt": "slow", "size": "32x32", "options": {"stepMs": 50}})",
          submitted.reply());
      auto record = submitted.Wait();
      REQUIRE(record.ok());
      ids.push_back((*record)["id"]);
    }
    std::mutex mutex;
    std::condition_variable cv;
    bool closed = false;
    engine->Close(0, [&](Status) {
      std::lock_guard lock(mutex);
      closed = true;
      cv.notify_all();
    });
    std::unique_lock lock(mutex);
    REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return closed; }));
  }
  auto engine = OpenOrFail(ConfigFor(dir.path()));
  for (const std::string& id : ids) {
    Answer rested;
    auto give_up = engine->Await("", id, rested.reply());
    auto done = rested.Wait();
    if (!done.ok()) FAIL(ErrorJson(done.status()));
    CHECK((*done)["status"] == "completed");
  }
  CloseAndWait(*engine);
}

TEST_CASE("one thread drives the whole engine when its workers are manual") {
  TempDir dir;
  auto engine = OpenOrFail(ConfigFor(dir.path(), R"(, "workers": "manual")"));
  Answer submitted, rested;
  engine->Submit(kFox, submitted.reply());
  int64_t next = 0;
  while (!submitted.got) REQUIRE(engine->Run(50, &next).ok());
  auto record = submitted.Wait();
  REQUIRE(record.ok());
  auto give_up = engine->Await("", (*record)["id"].get<std::string>(), rested.reply());
  for (int i = 0; i < 2000 && !rested.got; ++i) REQUIRE(engine->Run(50, &next).ok());
  REQUIRE(rested.got);
  CHECK((*rested.Wait())["status"] == "completed");
  bool closed = false;
  engine->Close(0, [&](Status) { closed = true; });
  CHECK(closed);
}

TEST_CASE("an idempotency key answers the first generation, and refuses another body") {
  TempDir dir;
  auto engine = OpenOrFail(ConfigFor(dir.path()));
  const std::string request =
      R"({"user": "u1", "provider": "sketch", "prompt": "once", "size": "32x32", "idempotencyKey": "k1"})";
  Answer first, again, other;
  engine->Submit(request, first.reply());
  auto one = first.Wait();
  REQUIRE(one.ok());
  engine->Submit(request, again.reply());
  auto two = again.Wait();
  REQUIRE(two.ok());
  CHECK((*one)["id"] == (*two)["id"]);
  engine->Submit(
      R"({"user": "u1", "provider": "sketch", "prompt": "twice", "size": "32x32", "idempotencyKey": "k1"})",
      other.reply());
  CHECK(CodeOf(other.Wait().status()) == Code::kInvalid);
  CloseAndWait(*engine);
}

TEST_CASE("each bad configuration and request has its own clear error") {
  TempDir dir;
  struct Row {
    std::string config;
    Code code;
    const char* says;
  };
  for (const Row& row :
       {Row{R"({"dataDri": "x"})", Code::kInvalid, "dataDri"}, Row{"{", Code::kInvalid, "byte"},
        Row{R"({"store": "postgres://h/db"})", Code::kUnsupported, "postgres"},
        Row{R"({"dataDir": "/proc/nowhere"})", Code::kUnavailable, "/proc"},
        Row{ConfigFor(dir.path(), R"(, "providers": {"dalle": {}})"), Code::kNotFound, "dalle"},
        Row{R"({"dataDir": "${MEDIAGEN_NO_SUCH_VARIABLE}"})", Code::kInvalid, "MEDIAGEN_NO_SUCH_VARIABLE"},
        Row{R"({"workers": "many"})", Code::kInvalid, "workers"}}) {
    CAPTURE(row.config);
    auto engine = Engine::Open(row.config);
    REQUIRE_FALSE(engine.ok());
    if (std::string_view(row.says) != "/proc") CHECK(CodeOf(engine.status()) == row.code);
    CHECK(ErrorJson(engine.status()).find(row.says) != std::string::npos);
  }
  auto engine = OpenOrFail(
      ConfigFor(dir.path(), R"(, "providers": {"replicate": {"apiKeyEnv": "MEDIAGEN_NO_SUCH_VARIABLE"}})"));
  const std::string huge =
      R"({"user": "u1", "provider": "sketch", "prompt": ")" + std::string(1 << 20, 'x') + "\"}";
  const std::vector<std::pair<std::string, Code>> rows = {
      {R"({"user": "u1", "provider": "nobody", "prompt": "x"})", Code::kNotFound},
      {R"({"user": "u1", "provider": "sketch", "prompt": ""})", Code::kInvalid},
      {R"({"user": "u1", "provider": "sketch", "prompt": "  "})", Code::kInvalid},
      {huge, Code::kTooLarge},
      {"{\"user\": \"u1\", \"provider\": \"sketch\", \"prompt\": \"\xff\"}", Code::kInvalid},
      {R"({"user": "u1", "provider": "sketch", "prompt": "x")", Code::kInvalid},
      {R"({"user": "u1", "provider": "sketch", "prompt": "x", "promt": "y"})", Code::kInvalid},
      {R"({"provider": "sketch", "prompt": "x"})", Code::kInvalid},
      {R"({"user": "u1", "provider": "replicate", "model": "a/b", "prompt": "x"})", Code::kUnauthorized}};
  for (const auto& row : rows) {  // no structured binding: clang 14 captures none in a lambda
    CAPTURE(Shorten(row.first.substr(0, 80), 100));
    Answer answer;
    engine->Submit(row.first, answer.reply());
    CHECK(CodeOf(answer.Wait().status()) == row.second);
  }
  CloseAndWait(*engine);
}
