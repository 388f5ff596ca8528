// Pictures and videos as the HTTP-shaped surface serves them: variants, versions, signatures, shares, limits.
#include <unistd.h>

#include <array>

#include "codec/image.h"
#include "engine/manual_engine.h"

using namespace mediagen;
using mediagen::testing::ManualEngine;

namespace {

constexpr char kAda[] = R"({"user": "ada", "ip": "203.0.113.9"})", kBob[] = R"({"user": "bob"})";
constexpr char kNobody[] = R"({"ip": "203.0.113.10"})";

struct Answer {
  int status = 0;
  HeaderList headers;
  std::string body;
  bool inline_ = false;  // it was there when Handle returned
  const char* data = nullptr;

  std::string Header(std::string_view name) const {
    for (const auto& [known, value] : headers) {
      if (known == name) return value;
    }
    return "";
  }
  Json json() const { return Json::parse(body, nullptr, false); }
};

std::string BodyOf(Response& response) {
  if (auto* bytes = std::get_if<BytesBody>(&response.body))
    return std::string(bytes->buffer.view().substr(bytes->offset, bytes->length));
  auto* file = std::get_if<FileBody>(&response.body);
  if (file == nullptr) return "";
  std::string out(file->length, '\0');
  REQUIRE(pread(file->fd.get(), out.data(), out.size(), static_cast<off_t>(file->offset)) ==
          static_cast<ssize_t>(out.size()));
  return out;
}

struct Served : ManualEngine {
  Answer Ask(const std::string& method, const std::string& target, const std::string& principal,
             const std::string& headers = "", const std::string& body = "") {
    auto got = std::make_shared<std::optional<Response>>();
    engine->Handle(method, target, headers, principal, "",
                   method == "GET" || method == "HEAD" ? nullptr : BufferRef::Copy(body),
                   [got](Response response) { *got = std::move(response); });
    Answer answer;
    answer.inline_ = got->has_value();
    for (int i = 0; i < 10'000 && !got->has_value(); ++i) Step();
    REQUIRE(got->has_value());
    answer.status = (*got)->status;
    answer.headers = (*got)->headers;
    answer.body = BodyOf(**got);
    if (auto* bytes = std::get_if<BytesBody>(&(*got)->body))
      answer.data = bytes->buffer->data() + bytes->offset;
    return answer;
  }
  Answer Get(const std::string& target, const std::string& principal = kAda,
             const std::string& headers = "") {
    return Ask("GET", target, principal, headers);
  }
  Json Upload(std::string_view bytes, const std::string& visibility = "private", const char* user = "ada") {
    auto record = Wait([&](Reply reply) {
      engine->Upload("", Dump(Json{{"user", user}, {"visibility", visibility}}), bytes, std::move(reply));
    });
    if (!record.ok()) FAIL(ErrorJson(record.status()));
    return *record;
  }
  // Until no job is left.
  void Settle() { Step(200); }
};

std::string Png(uint32_t width, uint32_t height, int channels = 3) {
  Pixels pixels = *NewPixels(width, height, channels);
  for (size_t i = 0; i < pixels.bytes(); ++i) pixels.data[i] = static_cast<uint8_t>(i * 7 + i / 300);
  return std::string(Encode(pixels, {.format = Format::kPng})->view());
}

std::string ImageUrl(const Json& output, const std::string& query) {
  return "/v1/images/" + output["id"].get<std::string>() + "/image" + (query.empty() ? "" : "?" + query);
}

}  // namespace

TEST_CASE("a picture in memory is answered inline, and its body is the cache's own bytes") {
  Served f;
  const Json output = f.Upload(Png(400, 300));
  const std::string url = output["thumbnails"]["300"];
  CHECK(f.Get(url).Header("X-Cache") == "MISS");
  CHECK(f.Get(url).Header("X-Cache") == "HIT");  // and what is known of the output is remembered, too
  const Answer one = f.Get(url), two = f.Get(url);
  CHECK(one.status == 200);
  CHECK(one.inline_);
  CHECK(one.Header("X-Cache") == "HIT");
  REQUIRE(one.data != nullptr);
  CHECK(one.data == two.data);
  CHECK(f.Get(url, kBob).status == 404);  // memory knows no more than the rows do
  CHECK(f.Get(url, kNobody).status == 401);
}

TEST_CASE("what may be kept follows from visibility, version and signature") {
  Served f;
  const Json mine = f.Upload(Png(64, 64)), everyones = f.Upload(Png(65, 64), "public");
  struct Row {
    const char* what;
    std::string target, principal, cache_control;
  };
  const std::string plain = "w=150&h=150&format=jpeg";
  const Row rows[] = {
      {"private, no version", ImageUrl(mine, plain), kAda, "private, no-cache"},
      {"private, versioned", mine["thumbnails"]["150"], kAda, "private, max-age=31536000, immutable"},
      {"public, no version", ImageUrl(everyones, plain), kBob, "public, max-age=3600"},
      {"public, versioned", everyones["thumbnails"]["150"], kNobody,
       "public, max-age=604800, s-maxage=2592000, immutable"},
      {"private original, versioned", mine["url"], kAda, "private, max-age=31536000, immutable"},
      {"public preview, versioned", everyones["previewUrl"], kNobody,
       "public, max-age=604800, s-maxage=2592000, immutable"},
      {"no picture", ImageUrl(mine, plain), kBob, "no-store"},
      {"no recipe", ImageUrl(mine, "w=151&h=150"), kAda, "no-store"},
      {"another version", ImageUrl(mine, plain + "&v=0"), kAda, "no-store"}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(f.Get(row.target, row.principal).Header("Cache-Control") == row.cache_control);
  }
}

TEST_CASE("another version is sent to the current URL, which answers 200") {
  Served f;
  const Json output = f.Upload(Png(64, 64));
  for (const std::string& target :
       {ImageUrl(output, "w=300&h=300&fit=cover&format=jpeg&v=old"),
        ImageUrl(output, "w=300&h=300&format=webp&v=old"), ImageUrl(output, "format=webp&v=old"),
        "/v1/images/" + output["id"].get<std::string>() + "/preview?v=old",
        "/v1/outputs/" + output["id"].get<std::string>() + "/content?v=old"}) {
    CAPTURE(target);
    const Answer moved = f.Get(target);
    CHECK(moved.status == 307);
    const std::string location = moved.Header("Location");
    CHECK(location.find("v=old") == std::string::npos);
    const Answer current = f.Get(location);
    CHECK(current.status == 200);
    CHECK(current.Header("Cache-Control").find("immutable") != std::string::npos);
  }
}

TEST_CASE("a WebP that was made better has another version, and its old URL leads to the new one") {
  Served f;
  const Json output = f.Upload(Png(320, 320));
  const std::string target = ImageUrl(output, "w=300&h=300&format=webp");
  const std::string draft = f.Get(target + "&v=x").Header("Location");
  const Answer first = f.Get(draft);
  REQUIRE(first.status == 200);
  f.Settle();  // the job that refines it
  const Answer refined = f.Get(target);
  CHECK(refined.status == 200);
  CHECK(refined.Header("ETag") != first.Header("ETag"));
  const Answer moved = f.Get(draft);
  CHECK(moved.status == 307);
  CHECK(moved.Header("Location") != draft);
  CHECK(f.Get(moved.Header("Location")).Header("ETag") == refined.Header("ETag"));
}

TEST_CASE("the full size without a format is negotiated, and says that it varies by Accept") {
  Served f;
  const std::string png = Png(80, 60);
  const Json output = f.Upload(png);
  struct Row {
    const char *accept, *type, *small_type;  // of the full size and of a square
  };
  const Row rows[] = {{"", "image/png", "image/jpeg"},
                      {"*/*", "image/png", "image/jpeg"},
                      {"image/webp,*/*;q=0.8", "image/webp", "image/webp"},
                      {"image/webp;q=0,*/*", "image/png", "image/jpeg"},
                      {"image/png,image/webp;q=0.5", "image/png", "image/webp"}};
  for (const Row& row : rows) {
    CAPTURE(row.accept);
    const std::string header = *row.accept ? std::string("Accept: ") + row.accept + "\r\n" : "";
    const Answer answer = f.Get(ImageUrl(output, ""), kAda, header);
    CHECK(answer.status == 200);
    CHECK(answer.Header("Content-Type") == row.type);
    CHECK(answer.Header("Vary") == "Accept");
    if (std::string_view(row.type) == "image/png") CHECK(answer.body == png);
    const Answer small = f.Get(ImageUrl(output, "w=150&h=150"), kAda, header);
    CHECK(small.Header("Vary") == "Accept");
    CHECK(small.Header("Content-Type") == row.small_type);
  }
  const Answer named = f.Get(ImageUrl(output, "format=webp"));
  CHECK(named.Header("Content-Type") == "image/webp");
  CHECK(named.Header("Vary") == "");
}

TEST_CASE("only whole recipes of the list are made without a signature; with one, any") {
  Served f;
  const Json output = f.Upload(Png(900, 700));
  for (const char* query : {"w=151&h=150", "w=150", "w=300&h=300&q=84", "w=300&h=300&fit=fill", "w=0", "h=x",
                            "w=300&h=300&format=gif", "w=300&h=300&x=1", "w=300&w=300&h=300", "q=0"}) {
    CAPTURE(query);
    const Answer refused = f.Get(ImageUrl(output, query));
    CHECK(refused.status == 400);
    CHECK(refused.json()["code"] == "invalid");
  }
  const std::string target = ImageUrl(output, "w=451&fit=inside&format=jpeg&q=40");
  CHECK(f.Get(target).status == 400);
  auto url = f.engine->SignUrl("GET", target, "", 3'600'000);
  REQUIRE(url.ok());
  const Answer made = f.Get(*url, kNobody);
  CHECK(made.status == 200);
  CHECK(Probe(made.body)->width == 451);
}

TEST_CASE("a signed URL opens one picture for a while, whoever has it, and its answer is kept no longer") {
  Served f;
  const Json output = f.Upload(Png(64, 64));
  auto url = f.engine->SignUrl("GET", output["thumbnails"]["150"].get<std::string>(), "", 1000);
  REQUIRE(url.ok());
  for (const char* principal : {kNobody, kBob}) {
    const Answer seen = f.Get(*url, principal);
    CHECK(seen.status == 200);
    const std::string control = seen.Header("Cache-Control");
    CHECK(control.find("immutable") == std::string::npos);
    const int64_t age = std::stoll(control.substr(control.find("max-age=") + 8));
    CHECK(age > 0);
    CHECK(age <= 3601);
  }
  CHECK(f.Ask("HEAD", *url, kNobody).status == 200);
  std::string changed = *url;
  changed.replace(changed.find("w=150"), 5, "w=300");
  CHECK(f.Get(changed, kNobody).status == 403);
  CHECK(f.Get(changed, kAda).status == 403);  // a broken signature is never half of one
  f.clock.JumpWall(3'700'000);
  const Answer late = f.Get(*url, kNobody);
  CHECK(late.status == 403);
  CHECK(late.json()["detail"].get<std::string>().find("expired") != std::string::npos);
  CHECK(late.Header("Cache-Control") == "no-store");
  for (const char* target : {"/v1/generations", "/metrics", "/nothing", "v1"}) {
    CAPTURE(target);
    CHECK(CodeOf(f.engine->SignUrl("GET", target, "", 1000).status()) == Code::kInvalid);
  }
  CHECK_FALSE(f.engine->SignUrl("DELETE", output["url"].get<std::string>(), "", 1000).ok());
}

TEST_CASE("a signed URL stands below the mount, and the mount is no part of what is signed") {
  Served f;
  const Json output = f.Upload(Png(64, 64));
  const std::string target = "/api" + output["url"].get<std::string>();
  auto url = f.engine->SignUrl("GET", target, "/api", 1000);
  REQUIRE(url.ok());
  CHECK(url->starts_with("/api/v1/outputs/"));
  CHECK(f.Get(url->substr(4), kNobody).status == 200);
}

TEST_CASE("a share link shows one picture to everybody until it is taken back") {
  Served f;
  const std::string png = Png(64, 64);
  const Json output = f.Upload(png);
  const std::string share = "/v1/images/" + output["id"].get<std::string>() + "/share";
  CHECK(f.Ask("POST", share, kBob).status == 404);
  CHECK(f.Ask("POST", share, kNobody).status == 401);
  const Answer made = f.Ask("POST", share, kAda);
  REQUIRE(made.status == 201);
  const std::string url = made.json()["url"];
  CHECK(f.Ask("POST", share, kAda).json()["url"] == url);  // one link a picture
  const Answer seen = f.Get(url, kNobody);
  CHECK(seen.status == 200);
  CHECK(seen.body == png);
  CHECK(seen.Header("Cache-Control") == "public, max-age=60");
  CHECK(f.Get(url, kNobody, "If-None-Match: " + seen.Header("ETag") + "\r\n").status == 304);
  const Answer small = f.Get(url + "?w=150&h=150&format=jpeg", kNobody);
  CHECK(small.status == 200);
  CHECK(small.Header("Content-Type") == "image/jpeg");
  CHECK(small.Header("Cache-Control") == "public, max-age=60");
  CHECK(f.Get(url + "?w=151&h=150", kNobody).status == 400);
  CHECK(f.Get("/s/nothing", kNobody).status == 404);
  CHECK(f.Ask("DELETE", share, kBob).status == 404);
  CHECK(f.Ask("DELETE", share, kAda).status == 204);
  CHECK(f.Ask("DELETE", share, kAda).status == 204);
  CHECK(f.Get(url, kNobody).status == 404);
  CHECK(f.Ask("POST", share, kAda).json()["url"] != url);
}

TEST_CASE("HEAD says what GET says, without the body, and opens no file") {
  Served f;
  const Json output = f.Upload(Png(64, 64));
  for (const std::string& target :
       {output["url"].get<std::string>(), output["thumbnails"]["150"].get<std::string>(),
        output["previewUrl"].get<std::string>()}) {
    CAPTURE(target);
    (void)f.Get(target);
    const Answer get = f.Get(target), head = f.Ask("HEAD", target, kAda);
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    for (const auto& header : get.headers) {
      CAPTURE(header.first);
      CHECK(head.Header(header.first) == header.second);
    }
    CHECK(head.Header("Content-Length") == std::to_string(get.body.size()));
  }
}

TEST_CASE("ranges of a picture and of an original are slices of the same bytes") {
  Served f;
  const Json output = f.Upload(Png(200, 150));
  for (const std::string& target :
       {output["url"].get<std::string>(), output["thumbnails"]["150"].get<std::string>()}) {
    CAPTURE(target);
    const Answer whole = f.Get(target);
    const size_t size = whole.body.size();
    const Answer part = f.Get(target, kAda, "Range: bytes=10-19\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == whole.body.substr(10, 10));
    CHECK(part.Header("Content-Range") == "bytes 10-19/" + std::to_string(size));
    CHECK(part.Header("ETag") == whole.Header("ETag"));
    CHECK(f.Get(target, kAda, "Range: bytes=-5\r\n").body == whole.body.substr(size - 5));
    const Answer behind = f.Get(target, kAda, "Range: bytes=" + std::to_string(size) + "-\r\n");
    CHECK(behind.status == 416);
    CHECK(behind.Header("Content-Range") == "bytes */" + std::to_string(size));
    CHECK(f.Get(target, kAda, "Range: bytes=0-1,3-4\r\n").status == 200);
  }
}

TEST_CASE("a broken picture is 422 with its reason, never the original, and never kept") {
  Served f;
  const Json output = f.Upload(Png(64, 64));
  f.Settle();
  const std::string id = output["id"];
  auto blobs = OpenFileBlobs(SystemFiles(), f.dir.path() + "/blobs");
  REQUIRE(blobs.ok());
  std::string key;
  const auto listed = (*blobs)->List("uploads/", "", 100);
  for (const BlobInfo& blob : *listed) {
    if (blob.key.find('@') == std::string::npos) key = blob.key;
  }
  REQUIRE((*blobs)->Remove(key).ok());
  REQUIRE((*blobs)->Put(key, Png(64, 64).substr(0, 300)).ok());
  const Answer broken = f.Get(ImageUrl(output, "format=jpeg"));
  CHECK(broken.status == 422);
  CHECK(broken.Header("Content-Type") == "application/problem+json");
  CHECK(broken.Header("Cache-Control") == "no-store");
}

TEST_CASE("making pictures is charged by their megapixels; what is there is not") {
  Served f;
  const Json large = f.Upload(Png(2100, 2000));  // 4.2 MP count as 5
  f.Settle();
  int made = 0, refused = 0;
  Answer last;
  for (int quality = 1; quality <= 20; ++quality) {
    auto url =
        f.engine->SignUrl("GET", ImageUrl(large, "w=20&format=jpeg&q=" + std::to_string(quality)), "", 1000);
    REQUIRE(url.ok());
    const Answer answer = f.Get(*url, kAda);
    answer.status == 200 ? ++made : ++refused;
    if (answer.status != 200) last = answer;
  }
  CHECK(made == 12);  // of 60 a minute
  REQUIRE(refused == 8);
  CHECK(last.status == 429);
  CHECK_FALSE(last.Header("Retry-After").empty());
  CHECK(f.Get(large["thumbnails"]["300"].get<std::string>()).status == 200);
}

TEST_CASE("previews come inside records and events when they are asked for") {
  Served f;
  std::vector<Json> with, without;
  std::vector<Unsubscribe> listening;
  auto listen = [&](const char* filter, std::vector<Json>* into) {
    auto stop = f.engine->Subscribe(
        "", filter, [into](BufferRef document) { into->push_back(Json::parse(document.view())); },
        [](Status) {});
    REQUIRE(stop.ok());
    listening.push_back(*std::move(stop));
  };
  listen(R"({"topics": ["outputs"], "previews": true})", &with);
  listen(R"({"topics": ["outputs"]})", &without);
  const Json output = f.Upload(Png(64, 48));
  for (int i = 0; i < 1000 && (with.empty() || without.empty()); ++i) f.Step();
  REQUIRE(with.size() == 1);
  REQUIRE(without.size() == 1);
  const std::string url = with[0]["data"]["preview"];
  CHECK(url.starts_with("data:image/webp;base64,"));
  CHECK(url.size() < 1500);
  CHECK_FALSE(without[0]["data"].contains("preview"));
  const std::string record = "/v1/images/" + output["id"].get<std::string>();
  CHECK(f.Get(record + "?previews=true").json()["preview"] == url);
  CHECK_FALSE(f.Get(record).json().contains("preview"));
  CHECK(f.Get(record + "?previews=yes").status == 400);
}
