// The HTTP-shaped surface as a whole: what holds for every route alike.
#include <algorithm>

#include "engine/manual_engine.h"

using namespace mediagen;
using mediagen::testing::ManualEngine;
using mediagen::testing::TempDir;

namespace {

constexpr char kAda[] = R"({"user": "ada", "ip": "203.0.113.9"})";
constexpr char kHost[] = "";  // not limited

struct Surface : ManualEngine {
  Response Ask(const std::string& method, const std::string& target, const std::string& headers = "",
               const std::string& principal = kAda, const std::string& body = "") {
    std::optional<Response> got;
    const bool reads = method == "GET" || method == "HEAD";
    engine->Handle(method, target, headers, principal, "",
                   reads ? nullptr : BufferRef::Own(std::string(body)),
                   [&](Response response) { got = std::move(response); });
    for (int i = 0; i < 10'000 && !got; ++i) engine->Drive(1);
    REQUIRE(got.has_value());
    return std::move(*got);
  }
  // A picture's record.
  Json Draw() {
    std::optional<Json> record;
    engine->Submit(
        R"({"user": "ada", "provider": "sketch", "prompt": "a red fox", "size": "64x64", "seed": "7"})",
        [&](StatusOr<BufferRef> accepted) {
          REQUIRE(accepted.ok());
          record = Json::parse(accepted->view());
        });
    while (!record) Step();
    const std::string id = (*record)["id"];
    std::optional<Json> rested;
    auto give_up = engine->Await("", id, [&](StatusOr<BufferRef> done) {
      REQUIRE(done.ok());
      rested = Json::parse(done->view());
    });
    while (!rested) Step();
    REQUIRE((*rested)["status"] == "completed");
    return *rested;
  }
};

std::string Field(const Response& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return "-";
}

// Without what counts and what tells the time.
HeaderList Lasting(HeaderList headers) {
  std::erase_if(headers,
                [](const auto& header) { return header.first == "X-Cache" || header.first == "RateLimit"; });
  return headers;
}

}  // namespace

TEST_CASE("HEAD is answered wherever GET is, by the same fields (RFC 9110 §9.3.2)") {
  Surface s;
  const Json record = s.Draw();
  const Json& output = record["outputs"][0];
  const std::string id = record["id"], picture = output["id"];
  const std::string targets[] = {"/v1/generations",
                                 "/v1/generations/" + id,
                                 "/v1/images/" + picture,
                                 output["url"],
                                 output["previewUrl"],
                                 output["thumbnails"]["150"],
                                 "/v1/images/" + picture + "/image?w=300&h=300&fit=cover",
                                 "/v1/outputs/" + picture + "/content",
                                 "/v1/outputs/" + picture + "/content?v=old",
                                 "/v1/usage",
                                 "/v1/jobs",
                                 "/v1/queues",
                                 "/healthz",
                                 "/readyz",
                                 "/v1/events",
                                 "/v1/events?topics=",
                                 "/nowhere",
                                 "/v1/generations?limit=0",
                                 "/v1/images/none"};
  for (const std::string& target : targets) {
    for (const char* headers :
         {"", "Accept-Encoding: zstd\r\n", "If-None-Match: *\r\n", "If-Match: \"x\"\r\n"}) {
      CAPTURE(target);
      CAPTURE(std::string(headers));
      s.Ask("GET", target, headers, kHost);  // what is made by a first view is there for both that follow
      const Response get = s.Ask("GET", target, headers, kHost), head = s.Ask("HEAD", target, headers, kHost);
      CHECK(head.status == get.status);
      CHECK(Lasting(head.headers) == Lasting(get.headers));
      CHECK(std::holds_alternative<std::monostate>(head.body));
      if (auto* stream = std::get_if<std::shared_ptr<BodyStream>>(&get.body)) (*stream)->Close();
    }
  }
}

TEST_CASE("a request that cannot be read is a problem document, for HEAD without content") {
  Surface s;
  for (const char* method : {"GET", "HEAD"}) {
    const Response response = s.Ask(method, "/v1/generations", "Bad Name: x\r\n");
    CHECK(response.status == 400);
    CHECK(Field(response, "Content-Type") == "application/problem+json");
    CHECK(std::holds_alternative<std::monostate>(response.body) == (std::string_view(method) == "HEAD"));
    CHECK(s.Ask(method, "/" + std::string(9000, 'a')).status == 414);
    CHECK(s.Ask(method, "/", "A: " + std::string(70'000, 'a') + "\r\n").status == 431);
  }
}

TEST_CASE("a record's ETag begins with its version, by which alone If-Match compares") {
  Surface s;
  const std::string target = "/v1/generations/" + s.Draw()["id"].get<std::string>();
  const Response plain = s.Ask("GET", target);
  const std::string tag = Field(plain, "ETag"), version = tag.substr(0, tag.find('.'));
  CHECK(version.size() > 1);
  CHECK(version.find_first_not_of("0123456789", 1) == std::string::npos);
  CHECK(s.Ask("GET", target, "If-None-Match: " + tag + "\r\n").status == 304);
  CHECK(s.Ask("GET", target, "If-Match: " + version + ".0\"\r\n").status == 200);
  CHECK(s.Ask("GET", target, "If-Match: " + version + "0.0\"\r\n").status == 412);
  CHECK(s.Ask("GET", target, "If-None-Match: " + version + ".0\"\r\n").status == 200);
}

TEST_CASE("OPTIONS and 405 name the methods of a resource (RFC 9110 §9.3.7, §15.5.6)") {
  Surface s;
  for (const auto& [method, status] : {std::pair("OPTIONS", 204), std::pair("PUT", 405)}) {
    const Response response = s.Ask(method, "/v1/generations", "", "{}");
    CHECK(response.status == status);
    CHECK(Field(response, "Allow") == "POST, GET, HEAD, OPTIONS");
  }
  CHECK(s.Ask("OPTIONS", "/nowhere", "", "{}").status == 404);
}

TEST_CASE("a body in a content coding is refused by name (RFC 9110 §15.5.16)") {
  Surface s;
  const Response gzip =
      s.Ask("POST", "/v1/generations", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n");
  CHECK(gzip.status == 415);
  CHECK(Field(gzip, "Accept-Encoding") == "identity");
  const std::string identity = "Content-Type: application/json\r\nContent-Encoding: identity\r\n";
  CHECK(s.Ask("POST", "/v1/generations", identity, kAda, "{").status == 400);  // which is read
}

TEST_CASE("304 and HEAD count as pictures, and no answer that is kept says how many are left") {
  TempDir dir;
  FakeClock clock;
  EngineEnvironment environment;
  environment.clock = &clock;
  auto opened = Engine::Open(
      Dump(Json{{"dataDir", dir.path()}, {"workers", "manual"}, {"rateLimits", {{"pictures", "3/min"}}}}),
      environment);
  REQUIRE(opened.ok());
  auto ask = [&](const char* method, const char* headers) {
    std::optional<Response> got;
    (*opened)->Handle(method, "/v1/outputs/01932c60-4d7a-7c21-9f3e-0d5b1c2a3e4f/content", headers, kAda, "",
                      nullptr, [&](Response response) { got = std::move(response); });
    while (!got) (*opened)->Drive(1);
    return std::move(*got);
  };
  CHECK(Field(ask("GET", ""), "RateLimit") == "\"user\";r=2;t=60");
  CHECK(Field(ask("HEAD", ""), "RateLimit") == "\"user\";r=1;t=60");
  CHECK(ask("GET", "If-None-Match: *\r\n").status == 404);
  const Response refused = ask("HEAD", "");
  CHECK(refused.status == 429);
  CHECK(Field(refused, "RateLimit-Policy") == "\"user\";q=3;w=60");
  CHECK(Field(refused, "Retry-After") == "60");
  clock.Advance(60'000);
  CHECK(ask("GET", "").status == 404);
  (*opened)->Close(0, [](Status) {});
}

TEST_CASE("public and private pictures say nothing of limits, with or without content") {
  Surface s;
  const std::string url = s.Draw()["outputs"][0]["url"];
  const std::string tag = Field(s.Ask("GET", url), "ETag");
  const std::string conditions[] = {"", "If-None-Match: " + tag + "\r\n", "Range: bytes=0-1\r\n"};
  for (const std::string& headers : conditions) {
    const Response response = s.Ask("GET", url, headers);
    CHECK(response.status < 400);
    CHECK(Field(response, "RateLimit") == "-");
    CHECK(Field(response, "X-RateLimit-Limit") == "-");
  }
}

TEST_CASE("a picture's 412 goes before its 304, that before 206, and 416 last (RFC 9110 §13.2.2, §14.2)") {
  Surface s;
  const std::string url = s.Draw()["outputs"][0]["url"];
  const std::string tag = Field(s.Ask("GET", url), "ETag");
  const std::string other = "If-Match: \"x\"\r\n", same = "If-None-Match: " + tag + "\r\n";
  const std::string range = "Range: bytes=1-2\r\n", behind = "Range: bytes=9999999-\r\n";
  struct Row {
    std::string headers;
    int status;
  };
  const Row rows[] = {{other + same + range, 412},
                      {same + range, 304},
                      {same + behind, 304},
                      {other + behind, 412},
                      {range, 206},
                      {behind, 416},
                      {"If-Range: " + tag + "\r\n" + range, 206},
                      {"If-Range: \"x\"\r\n" + behind, 200}};
  for (const Row& row : rows) {
    CAPTURE(row.headers);
    CHECK(s.Ask("GET", url, row.headers).status == row.status);
  }
  const Response part = s.Ask("GET", url, range), whole = s.Ask("GET", url);
  CHECK(Field(part, "Content-Range") == "bytes 1-2/" + Field(whole, "Content-Length"));
  for (const char* name : {"ETag", "Cache-Control", "Content-Type", "Vary"})  // §15.3.7
    CHECK(Field(part, name) == Field(whole, name));
  CHECK(Field(s.Ask("GET", url, behind), "Content-Range") == "bytes */" + Field(whole, "Content-Length"));
}

TEST_CASE("origins of the configuration read by CORS, and malformed ones are refused") {
  TempDir dir;
  auto open = [&](const Json& http) {
    return Engine::Open(Dump(Json{{"dataDir", dir.path()}, {"workers", "manual"}, {"http", http}}));
  };
  for (const char* name : {"corsOrigins", "allowedOrigins"}) {
    for (const char* origin : {"https://app.example/", "app.example", "https://app.example:443", "null"}) {
      auto refused = open({{name, Json::array({origin})}});
      REQUIRE_FALSE(refused.ok());
      CHECK(CodeOf(refused.status()) == Code::kInvalid);
      CHECK(InfoOf(refused.status()).message.find(name) != std::string::npos);
    }
  }
  CHECK_FALSE(open({{"allowedOrigins", Json::array({"*"})}}).ok());
  auto engine = open({{"corsOrigins", Json::array({"https://app.example"})}});
  REQUIRE(engine.ok());
  for (const auto& [method, target, status] :
       {std::tuple("GET", "/v1/generations", 200), std::tuple("GET", "/nowhere", 404),
        std::tuple("HEAD", "/healthz", 200), std::tuple("OPTIONS", "/v1/generations", 204)}) {
    std::optional<Response> got;
    (*engine)->Handle(method, target, "Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n",
                      kAda, "", nullptr, [&](Response response) { got = std::move(response); });
    while (!got) (*engine)->Drive(1);
    CHECK(got->status == status);
    CHECK(Field(*got, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(Field(*got, "Vary").ends_with("Origin"));
  }
  (*engine)->Close(0, [](Status) {});
}
