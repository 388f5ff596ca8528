// Uploads by signed URL: allowed by a user, brought by whoever has the URL, completed by the user.
#include <doctest/doctest.h>
#include <errno.h>

#include "engine/upload_site.h"
#include "fmt/format.h"

using namespace mediagen;
using mediagen::testing::FileOp;
using mediagen::testing::PngOf;
using mediagen::testing::UploadSite;

namespace {

constexpr char kNobody[] = R"({"ip": "198.51.100.7"})";
constexpr int64_t kHourMs = 3'600'000;

UploadSite::Answer Presign(UploadSite& site, const Json& what = Json::object(),
                           const std::string& user = "ada") {
  return site.Ask("POST", "/v1/uploads/presign", "application/json", Dump(what), UploadSite::As(user));
}
UploadSite::Answer Bring(UploadSite& site, const Json& ticket, const std::string& bytes) {
  return site.Ask("PUT", ticket["url"], "image/png", bytes, kNobody);
}
UploadSite::Answer Complete(UploadSite& site, const Json& ticket, const std::string& user = "ada") {
  return site.Ask("POST", ticket["completeUrl"], "", "", UploadSite::As(user));
}

// Past the end of a ticket, and the sweeps behind it.
void LetItEnd(UploadSite& site) {
  site.clock.Advance(3 * kHourMs);
  for (int i = 0; i < 3; ++i) {
    site.clock.Advance(31'000);
    site.Step(10);
  }
}

}  // namespace

TEST_CASE("a signed URL brings one picture, whoever has it, and its user completes it") {
  UploadSite site;
  const std::string png = PngOf(70);
  auto ticket = Presign(site, {{"contentType", "image/png"}, {"bytes", 5000}, {"visibility", "public"}});
  CAPTURE(ticket.body);
  REQUIRE(ticket.status == 201);
  CHECK(ticket.Header("Cache-Control") == "no-store");
  CHECK(ticket.json["method"] == "PUT");
  CHECK(ticket.json["headers"] == Json{{"Content-Type", "image/png"}});
  CHECK(ticket.json["expiresAt"].is_string());
  const std::string id = ticket.json["id"];
  CHECK(ticket.json["url"].get<std::string>().starts_with("/v1/uploads/" + id + "?expires="));
  CHECK(ticket.json["completeUrl"] == "/v1/uploads/" + id + "/complete");

  CHECK(Complete(site, ticket.json).status == 409);
  CHECK(Bring(site, ticket.json, png).status == 204);
  CHECK(Bring(site, ticket.json, png).status == 204);  // a client that heard no answer
  CHECK(Bring(site, ticket.json, PngOf(71)).status == 409);
  CHECK(site.Originals() == 1);
  CHECK(site.Ask("GET", "/v1/images/" + id, "", "", UploadSite::As("ada")).status == 404);  // not yet

  CHECK(Complete(site, ticket.json, "bob").status == 404);
  auto completed = Complete(site, ticket.json);
  CAPTURE(completed.body);
  REQUIRE(completed.status == 201);
  CHECK(completed.json["id"] == id);
  CHECK(completed.json["width"] == 8);
  CHECK(completed.json["bytes"] == png.size());
  CHECK(completed.Header("Location") == "/v1/images/" + id);
  auto again = Complete(site, ticket.json);
  CHECK(again.status == 200);
  CHECK(again.json["id"] == id);
  CHECK(Complete(site, ticket.json, "bob").status == 404);
  CHECK(site.Ask("GET", "/v1/images/" + id, "", "", UploadSite::As("ada")).json["sha256"] ==
        completed.json["sha256"]);
  CHECK(site.Upload(png, "ada", "?visibility=public").json["id"] == id);

  LetItEnd(site);  // the row goes, the output and its thumbnails stay
  CHECK(site.Originals() == 1);
  CHECK(site.Blobs().size() > 1);
  CHECK(Complete(site, ticket.json).status == 200);
}

TEST_CASE("nothing but the URL as it was signed brings anything") {
  UploadSite site;
  const std::string png = PngOf(72);
  auto ticket = Presign(site);
  REQUIRE(ticket.status == 201);
  const std::string url = ticket.json["url"], id = ticket.json["id"];
  const std::string other = Presign(site).json["id"];
  std::string elsewhere = url;
  elsewhere.replace(elsewhere.find(id), id.size(), other);
  const std::string signature = url.substr(url.find("signature=") + 10);
  std::string forged = url;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  std::string longer = url;
  longer.insert(longer.find("expires=") + 8, "9");
  const std::pair<std::string, int> cases[] = {{"/v1/uploads/" + id, 403},
                                               {"/v1/uploads/" + id + "?signature=" + signature, 403},
                                               {elsewhere, 403},
                                               {forged, 403},
                                               {longer, 403},
                                               {url + "&visibility=public", 403},
                                               {"/v1/uploads/presign", 403},
                                               {"/v1/uploads/not-an-id?expires=1&signature=x", 403}};
  for (const auto& one : cases) {
    CAPTURE(one.first);
    for (const std::string& who : {std::string(kNobody), UploadSite::As("ada")})
      CHECK(site.Ask("PUT", one.first, "image/png", png, who).status == one.second);
  }
  CHECK(site.Ask("POST", url, "image/png", png, kNobody).status == 405);
  CHECK(site.Ask("GET", url, "", "", kNobody).status == 405);
  CHECK(site.Ask("POST", ticket.json["completeUrl"], "", "", kNobody).status == 401);
  CHECK(site.Ask("POST", "/v1/uploads/presign", "application/json", "{}", kNobody).status == 401);
  CHECK(site.Blobs().empty());
  site.clock.Advance(3 * kHourMs);
  CHECK(Bring(site, ticket.json, png).status == 403);
  CHECK(site.Blobs().empty());
}

TEST_CASE("what is brought keeps to what was allowed") {
  UploadSite site(Json{{"maxUploadBytes", 8192}});
  const std::pair<Json, int> tickets[] = {{{{"bytes", 8193}}, 413},
                                          {{{"bytes", 0}}, 400},
                                          {{{"contentType", "image/svg+xml"}}, 422},
                                          {{{"contentType", "text/html"}}, 422},
                                          {{{"visibility", "nobody"}}, 400},
                                          {{{"user", "bob"}}, 403},
                                          {{{"title", "fox"}}, 400}};
  for (const auto& one : tickets) {
    CAPTURE(one.first.dump());
    CHECK(Presign(site, one.first).status == one.second);
  }
  CHECK(site.Ask("POST", "/v1/uploads/presign", "", "", UploadSite::As("ada")).status == 201);
  CHECK(site.Ask("POST", "/v1/uploads/presign", "", "[]", UploadSite::As("ada")).status == 400);

  const std::string png = PngOf(73);
  CHECK(Bring(site, Presign(site, {{"bytes", png.size()}}).json, png).status == 204);
  CHECK(Bring(site, Presign(site, {{"bytes", png.size() - 1}}).json, png).status == 413);
  CHECK(Bring(site, Presign(site).json, std::string(8193, 'x')).status == 413);
  CHECK(Bring(site, Presign(site, {{"contentType", "image/webp"}}).json, png).status == 422);
  CHECK(Bring(site, Presign(site).json, "").status == 422);
  CHECK(Bring(site, Presign(site).json, "hello").status == 422);
  CHECK(site.Originals() == 1);

  // A refused one can be brought again, as it should be.
  auto ticket = Presign(site);
  CHECK(Bring(site, ticket.json, "hello").status == 422);
  CHECK(Bring(site, ticket.json, png).status == 204);
  CHECK(Complete(site, ticket.json).status == 201);
}

TEST_CASE("what is there already is what a completed upload is") {
  UploadSite site;
  const std::string png = PngOf(74);
  const std::string first = site.Upload(png, "ada").json["id"];
  auto ticket = Presign(site);
  REQUIRE(Bring(site, ticket.json, png).status == 204);
  for (int i = 0; i < 2; ++i) {
    auto completed = Complete(site, ticket.json);
    CHECK(completed.status == 200);
    CHECK(completed.json["id"] == first);
  }
  auto anew = Presign(site, {{"reuse", false}});
  REQUIRE(Bring(site, anew.json, png).status == 204);
  CHECK(Complete(site, anew.json).json["id"] == anew.json["id"]);
  LetItEnd(site);
  CHECK(site.Originals() == 2);
}

TEST_CASE("a restart between the steps loses nothing, and what is never completed is swept") {
  UploadSite site;
  const std::string png = PngOf(75);
  auto ticket = Presign(site), brought = Presign(site), unbrought = Presign(site);
  REQUIRE(Bring(site, brought.json, PngOf(76)).status == 204);
  site.Close();
  site.Open();
  REQUIRE(Bring(site, ticket.json, png).status == 204);
  site.Close();
  site.Open();
  CHECK(Complete(site, ticket.json).status == 201);
  CHECK(site.Originals() == 2);
  LetItEnd(site);
  CHECK(site.Originals() == 1);
  CHECK(Complete(site, brought.json).status == 404);
  CHECK(Complete(site, unbrought.json).status == 404);
  CHECK(Complete(site, ticket.json).status == 200);
}

TEST_CASE("a brought upload that could not be stored leaves nothing, and can be brought again") {
  UploadSite site;
  const std::string png = PngOf(77);
  auto ticket = Presign(site);
  for (FileOp op :
       {FileOp::kCreate, FileOp::kWrite, FileOp::kSync, FileOp::kRename, FileOp::kSyncDirectory}) {
    CAPTURE(static_cast<int>(op));
    site.files.FailAlways(op, ENOSPC);
    CHECK(Bring(site, ticket.json, png).status >= 500);
    site.Heal();
    site.Step(20);
    CHECK(site.Blobs().empty());
  }
  CHECK(Bring(site, ticket.json, png).status == 204);
  CHECK(Complete(site, ticket.json).status == 201);
}

TEST_CASE("the URLs begin where the host serves them") {
  UploadSite site;
  auto mounted = site.Ask("POST", "/media/v1/uploads/presign", "", "", UploadSite::As("ada"), "/media");
  REQUIRE(mounted.status == 201);
  CHECK(mounted.json["url"].get<std::string>().starts_with("/media/v1/uploads/"));
  CHECK(site.Ask("PUT", mounted.json["url"], "image/png", PngOf(78), kNobody, "/media").status == 204);
  CHECK(site.Ask("POST", mounted.json["completeUrl"], "", "", UploadSite::As("ada"), "/media").status == 201);

  UploadSite abroad(Json::object(), {{"publicBaseUrl", "https://media.example/files"}});
  auto ticket = Presign(abroad);
  CHECK(ticket.json["url"].get<std::string>().starts_with("https://media.example/files/v1/uploads/"));
  CHECK(ticket.json["completeUrl"].get<std::string>().starts_with("https://media.example/files/v1/uploads/"));
}
