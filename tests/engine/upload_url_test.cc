// POST /v1/uploads {"url"}: what a server may answer, and what becomes of it.
#include <doctest/doctest.h>
#include <errno.h>

#include "base/hash.h"
#include "engine/upload_site.h"
#include "fmt/format.h"
#include "support/loopback_server.h"

using namespace mediagen;
using mediagen::testing::FileOp;
using mediagen::testing::HttpAnswer;
using mediagen::testing::LoopbackServer;
using mediagen::testing::PngOf;
using mediagen::testing::UploadSite;

namespace {

// A PNG with so much behind its end that it does not stay in memory; decoders stop at the end.
std::string Padded(uint8_t shade, size_t bytes) { return PngOf(shade) + std::string(bytes, '\0'); }

// What every MP4 begins with; nothing here looks further into one.
std::string Mp4(size_t bytes) {
  return std::string(
             "\0\0\0\x18"
             "ftypisom\0\0\2\0isomiso2",
             24) +
         std::string(bytes, 'v');
}

UploadSite::Answer From(UploadSite& site, const std::string& url, const std::string& user = "ada") {
  return site.Upload(Dump(Json{{"url", url}}), user, "", "application/json");
}

LoopbackServer::Script Pictures() {
  return LoopbackServer::Answering([](const std::string& request) -> std::string {
    auto asks = [&](std::string_view path) { return request.starts_with("GET " + std::string(path) + " "); };
    if (asks("/fox.png")) return HttpAnswer(200, PngOf(60), "Content-Type: text/html\r\n");
    if (asks("/large.png")) return HttpAnswer(200, Padded(61, 6 << 20));
    if (asks("/video.mp4")) return HttpAnswer(200, Mp4(6 << 20));
    if (asks("/page")) return HttpAnswer(200, "<html>a fox</html>");
    if (asks("/page-large")) return HttpAnswer(200, "<html>" + std::string(6 << 20, ' '));
    if (asks("/broken.png")) return HttpAnswer(200, PngOf(62).substr(0, 40));
    if (asks("/broken-large.png"))
      return HttpAnswer(200, PngOf(62).substr(0, 40) + std::string(6 << 20, '\0'));
    if (asks("/empty")) return HttpAnswer(200, "");
    if (asks("/part")) return HttpAnswer(206, PngOf(60));
    if (asks("/moved")) return HttpAnswer(302, "", "Location: /fox.png\r\n");
    if (asks("/away")) return HttpAnswer(302, "", "Location: ftp://example.com/\r\n");
    if (asks("/round")) return HttpAnswer(302, "", "Location: /round\r\n");
    if (asks("/too-large")) return HttpAnswer(200, Padded(63, 9 << 20));
    return HttpAnswer(404, "nothing");
  });
}

LoopbackServer::Script Cutting() {
  return [](LoopbackServer::Peer& peer) {
    if (peer.Read()) peer.Send("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n\x89PNG");
  };
}

}  // namespace

TEST_CASE("no URL of this network is fetched unless the configuration says so") {
  LoopbackServer server(Pictures());
  UploadSite site;
  auto answer = From(site, server.url("/fox.png"));
  CHECK(answer.status == 422);
  CHECK(answer.json["code"] == "forbidden");
  CHECK(answer.body.find("127.0.0.1") == std::string::npos);
  CHECK(From(site, fmt::format("https://127.0.0.1:{}/fox.png", server.port())).status == 422);
  CHECK(From(site, fmt::format("https://localhost:{}/fox.png", server.port())).status == 422);
  CHECK(server.requests().empty());
}

TEST_CASE("what stands at a URL becomes an output like any other upload") {
  LoopbackServer server(Pictures());
  UploadSite site(Json{{"allowPrivateNetwork", true}});
  auto fox = From(site, server.url("/fox.png"));
  CAPTURE(fox.body);
  REQUIRE(fox.status == 201);
  CHECK(fox.json["mediaType"] == "image/png");
  CHECK(fox.json["sha256"] == Hex(Sha256(PngOf(60))));
  CHECK(fox.Header("Location") == "/v1/images/" + fox.json["id"].get<std::string>());

  auto moved = From(site, server.url("/moved"));
  CHECK(moved.status == 200);
  CHECK(moved.json["id"] == fox.json["id"]);
  CHECK(site.Upload(PngOf(60), "ada").json["id"] == fox.json["id"]);
  CHECK(site.Originals() == 1);

  // What does not stay in memory is the same, once and twice.
  for (const char* path : {"/large.png", "/video.mp4"}) {
    CAPTURE(path);
    auto large = From(site, server.url(path));
    CAPTURE(large.body);
    REQUIRE(large.status == 201);
    CHECK(large.json["kind"] == (std::string_view(path) == "/video.mp4" ? "video" : "image"));
    CHECK(large.json["bytes"] > (6 << 20));
    auto again = From(site, server.url(path));
    CHECK(again.status == 200);
    CHECK(again.json["id"] == large.json["id"]);
  }
  site.clock.Advance(31'000);  // the sweep of what came twice
  site.Step(20);
  CHECK(site.Originals() == 3);
}

TEST_CASE("each way in which a URL yields no picture has its answer, and leaves nothing") {
  LoopbackServer server(Pictures()), cutting(Cutting());
  UploadSite site(Json{{"allowPrivateNetwork", true}, {"maxUploadBytes", 8 << 20}});
  struct Case {
    int status;
    std::string url, code;
  };
  const Case cases[] = {
      {422, server.url("/page"), "invalid"},       {422, server.url("/page-large"), "invalid"},
      {422, server.url("/broken.png"), "invalid"}, {422, server.url("/broken-large.png"), "invalid"},
      {422, server.url("/empty"), "invalid"},      {502, server.url("/missing"), "unavailable"},
      {502, server.url("/part"), "unavailable"},   {502, server.url("/round"), "unavailable"},
      {422, server.url("/away"), "invalid"},       {413, server.url("/too-large"), "too_large"},
      {502, cutting.url("/"), "unavailable"},      {502, "http://127.0.0.1:1/", "unavailable"}};
  for (const Case& c : cases) {
    CAPTURE(c.url);
    auto answer = From(site, c.url);
    CAPTURE(answer.body);
    CHECK(answer.status == c.status);
    CHECK(answer.json["code"] == c.code);
    CHECK(answer.json["detail"].get<std::string>().size() > 10);
  }
  site.Step(20);
  CHECK(site.Blobs().empty());
}

TEST_CASE("what was fetched and could not be stored leaves nothing") {
  LoopbackServer server(Pictures());
  UploadSite site(Json{{"allowPrivateNetwork", true}});
  for (const char* path : {"/fox.png", "/large.png", "/video.mp4"}) {
    for (FileOp op :
         {FileOp::kCreate, FileOp::kWrite, FileOp::kSync, FileOp::kRename, FileOp::kSyncDirectory}) {
      CAPTURE(path);
      CAPTURE(static_cast<int>(op));
      site.files.FailAlways(op, ENOSPC);
      auto refused = From(site, server.url(path));
      CAPTURE(refused.body);
      CHECK(refused.status >= 500);
      site.Heal();
      site.Step(20);
      CHECK(site.Blobs().empty());
    }
  }
  CHECK(From(site, server.url("/large.png")).status == 201);
}
