// POST /v1/uploads in its forms: what is stored, what is found again, what is refused, and what is left
// behind.
#include <doctest/doctest.h>
#include <errno.h>
#include <sqlite3.h>

#include "base/base64.h"
#include "engine/upload_site.h"
#include "fmt/format.h"

using namespace mediagen;
using mediagen::testing::FaultVfs;
using mediagen::testing::FileOp;
using mediagen::testing::PngOf;
using mediagen::testing::UploadSite;

namespace {

constexpr char kForm[] = "multipart/form-data; boundary=b";

std::string Field(const std::string& disposition, const std::string& body) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + body + "\r\n";
}
std::string FormOf(const std::string& parts) { return parts + "--b--\r\n"; }
std::string FilePart(const std::string& body) { return Field("name=\"file\"; filename=\"a.png\"", body); }

std::string DataUrl(const std::string& bytes) {
  return Dump(Json{{"dataUrl", "data:image/png;base64," + Base64Encode(bytes)}});
}

size_t VariantsOf(UploadSite& site, const std::string& id) {
  size_t count = 0;
  Status read = site.engine->backend().store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto variants, snapshot.records().VariantsOf(Id::Parse(id).value()));
    count = variants.size();
    return OkStatus();
  });
  REQUIRE(read.ok());
  return count;
}

}  // namespace

TEST_CASE("a picture comes as the body, in a form or as a data URL, and is the same output") {
  UploadSite site;
  const std::string png = PngOf(40);
  struct Case {
    std::string name, type, body, query;
  };
  const Case cases[] = {
      {"body", "image/png", png, "?visibility=public"},
      {"octets", "application/octet-stream", png, "?visibility=public"},
      {"video-typed", "video/mp4", png, "?visibility=public"},
      {"form", kForm, FormOf(Field("name=visibility", "public") + FilePart(png)), ""},
      {"form-query", kForm, FormOf(FilePart(png)), "?visibility=public"},
      {"form-named", kForm,
       FormOf(Field("name=picture; filename=x", png) + Field("name=visibility", "public")), ""},
      {"form-nameless", kForm, FormOf(Field("name=file", png) + Field("name=visibility", "public")), ""},
      {"json", "application/json; charset=utf-8",
       Dump(Json{{"dataUrl", "data:text/plain;base64," + Base64Encode(png)}, {"visibility", "public"}}), ""}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    auto answer = site.Upload(c.body, c.name, c.query, c.type);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 201);
    const std::string id = answer.json["id"];
    CHECK(answer.Header("Location") == "/v1/images/" + id);
    CHECK(answer.json["mediaType"] == "image/png");
    CHECK(answer.json["source"] == "uploaded");
    CHECK(answer.json["width"] == 8);
    CHECK(answer.json["bytes"] == png.size());
    CHECK(answer.json["thumbHash"].is_string());
    CHECK(answer.json["generation"] == nullptr);
    // It is public, wherever that was said.
    auto seen = site.Ask("GET", "/v1/images/" + id, "", "", UploadSite::As("somebody else"));
    CHECK(seen.json["sha256"] == answer.json["sha256"]);
  }
  CHECK(site.Originals() == std::size(cases));
}

TEST_CASE("what a user has brought already is found by its content, and not stored again") {
  UploadSite site;
  const std::string png = PngOf(41);
  auto first = site.Upload(png, "ada");
  REQUIRE(first.status == 201);
  auto again = site.Upload(DataUrl(png), "ada", "", "application/json");
  CHECK(again.status == 200);
  CHECK(again.Header("Location").empty());
  CHECK(again.json["id"] == first.json["id"]);
  CHECK(again.body == first.body);
  CHECK(site.Originals() == 1);

  auto seen_by_others = site.Upload(png, "ada", "?visibility=public");
  CHECK(seen_by_others.status == 201);
  CHECK(seen_by_others.json["id"] != first.json["id"]);
  auto of_another = site.Upload(png, "bob");
  CHECK(of_another.status == 201);
  auto anew = site.Upload(png, "ada", "?reuse=false");
  CHECK(anew.status == 201);
  CHECK(site.Originals() == 4);
  // Each public or private one is found by its own visibility.
  CHECK(site.Upload(png, "ada", "?visibility=public").json["id"] == seen_by_others.json["id"]);
  CHECK(site.Upload(png, "ada").json["id"] == first.json["id"]);

  // The host's workers bring what each job made, however alike two of them are.
  auto by_host = [&](const std::string& query) {
    return site.Ask("POST", "/v1/uploads?user=ada" + query, "image/png", png, "");
  };
  CHECK(by_host("").status == 201);
  CHECK(by_host("&reuse=true").json["id"] == first.json["id"]);

  // A file that was lost is put back by who brings it again.
  const std::string key = fmt::format("uploads/ada/{}/0.1.0.png", first.json["id"].get<std::string>());
  auto blobs = OpenFileBlobs(SystemFiles(), site.dir.path() + "/blobs");
  REQUIRE(blobs.ok());
  REQUIRE((*blobs)->Remove(key).ok());
  CHECK(site.Upload(png, "ada").status == 200);
  CHECK((*blobs)->Get(key, 1 << 20).value().view() == png);
}

TEST_CASE("two of the same at once become one output") {
  UploadSite site;
  const std::string png = PngOf(42);
  std::vector<std::string> ids;
  std::vector<int> statuses;
  for (int i = 0; i < 4; ++i) {
    site.engine->Handle("POST", "/v1/uploads", "Content-Type: image/png\r\n", UploadSite::As("ada"), "",
                        BufferRef::Copy(png), [&](Response response) {
                          statuses.push_back(response.status);
                          const auto& body = std::get<BytesBody>(response.body);
                          ids.push_back(Json::parse(body.buffer.view())["id"]);
                        });
  }
  for (int i = 0; i < 1000 && ids.size() < 4; ++i) site.Step();
  REQUIRE(ids.size() == 4);
  CHECK(std::count(ids.begin(), ids.end(), ids[0]) == 4);
  CHECK(std::count(statuses.begin(), statuses.end(), 201) == 1);
  site.clock.Advance(31'000);  // the sweep of the other blobs
  site.Step(20);
  CHECK(site.Originals() == 1);
}

TEST_CASE("the thumbnails of an upload are made without being asked for") {
  UploadSite site;
  auto answer = site.Upload(PngOf(43, 700), "ada");
  REQUIRE(answer.status == 201);
  const std::string id = answer.json["id"];
  for (int i = 0; i < 1000 && VariantsOf(site, id) < 4; ++i) site.Step();
  CHECK(VariantsOf(site, id) >= 4);
}

TEST_CASE("what is no upload is refused with what is wrong, and leaves nothing") {
  UploadSite site(Json{{"maxUploadBytes", 4096}});
  const std::string png = PngOf(44);
  struct Case {
    int status;
    std::string type, query, body, says;
  };
  const Case cases[] = {
      {415, "text/plain", "", "hello", "text/plain"},
      {415, "", "", png, "no Content-Type"},
      {422, "image/png", "", "", "empty"},
      {422, "image/png", "", "hello", ""},
      {422, "image/png", "", png.substr(0, png.size() / 2), ""},
      {422, "image/svg+xml", "", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", ""},
      {413, "image/png", "", std::string(4097, 'x'), "4096"},
      {400, "image/png", "?visibility=nobody", png, "visibility"},
      {400, "image/png", "?reuse=perhaps", png, "reuse"},
      {400, "image/png", "?size=1", png, "size"},
      {403, "image/png", "?user=bob", png, "another"},
      {400, "multipart/form-data", "", FormOf(FilePart(png)), "no boundary"},
      {400, kForm, "", "nothing", "boundary does not stand"},
      {400, kForm, "", FormOf(""), "has no file"},
      {400, kForm, "", FormOf(Field("name=visibility", "public")), "has no file"},
      {400, kForm, "", FormOf(FilePart(png) + FilePart(png)), "more than one file"},
      {400, kForm, "", FormOf(FilePart(png) + Field("name=title", "fox")), "\"title\""},
      {400, kForm, "", FormOf(FilePart(png) + Field("name=visibility", "nobody")), "visibility"},
      {400, kForm, "", FormOf(FilePart(png) + Field("name=visibility", std::string(300, 'x'))), "256"},
      {400, kForm, "?visibility=public", FormOf(FilePart(png) + Field("name=visibility", "public")), "twice"},
      {400, kForm, "", FormOf(FilePart(png) + Field("name=user", "ada") + Field("name=user", "ada")),
       "twice"},
      {403, kForm, "", FormOf(FilePart(png) + Field("name=user", "bob")), "another"},
      {422, kForm, "", FormOf(FilePart("")), "empty"},
      {422, kForm, "", FormOf(FilePart("hello")), ""},
      {400, "application/json", "", "{", "upload"},
      {400, "application/json", "", "[]", "upload"},
      {400, "application/json", "", "{}", "either"},
      {400, "application/json", "", R"({"url": ""})", "either"},
      {400, "application/json", "", R"({"url": "https://a.example", "dataUrl": "data:,"})", "either"},
      {400, "application/json", "", R"({"dataUrl": 7})", "dataUrl"},
      {400, "application/json", "", R"({"dataUrl": "hello"})", "data URL"},
      {400, "application/json", "", R"({"dataUrl": "data:image/png;base64,*"})", ""},
      {400, "application/json", "", R"({"dataUrl": "data:image/png;base64,aGk=", "title": "x"})", "title"},
      {422, "application/json", "", R"({"dataUrl": "data:image/png;base64,aGk="})", ""},
      {422, "application/json", "", R"({"dataUrl": "data:image/png;base64,"})", "empty"},
      {422, "application/json", "", R"({"url": "ftp://a.example/fox.png"})", ""},
      {422, "application/json", "", R"({"url": "http://93.184.216.34/fox.png"})", "https"},
      {422, "application/json", "", R"({"url": "https://127.0.0.1/fox.png"})", "public"},
      {422, "application/json", "", R"({"url": "https://[::1]/fox.png"})", "public"}};
  for (const Case& c : cases) {
    CAPTURE(c.type);
    CAPTURE(c.query);
    CAPTURE(c.body);
    auto answer = site.Upload(c.body, "ada", c.query, c.type);
    CAPTURE(answer.body);
    CHECK(answer.status == c.status);
    CHECK(answer.Header("Content-Type") == "application/problem+json");
    CHECK(answer.body.find(c.says) != std::string::npos);
  }
  CHECK(site.Blobs().empty());
}

TEST_CASE("an upload that could not be stored leaves nothing, and can be sent again") {
  UploadSite site;
  struct Fault {
    const char* name;
    std::optional<FileOp> file;
    int error;
  };
  const Fault faults[] = {{"create", FileOp::kCreate, EIO},
                          {"full disk", FileOp::kWrite, ENOSPC},
                          {"sync", FileOp::kSync, EIO},
                          {"rename", FileOp::kRename, EIO},
                          {"directory sync", FileOp::kSyncDirectory, EIO},
                          {"full directory", FileOp::kMakeDirs, ENOSPC},
                          {"full database", std::nullopt, SQLITE_FULL},
                          {"database write", std::nullopt, SQLITE_IOERR_WRITE}};
  uint8_t shade = 50;
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    const std::string png = PngOf(++shade);
    const size_t before = site.Originals();
    if (fault.file) {
      site.files.FailAlways(*fault.file, fault.error);
    } else {
      site.vfs.FailAlways(FaultVfs::kWalWrite, fault.error);
    }
    auto refused = site.Upload(png, "ada");
    CAPTURE(refused.body);
    CHECK(refused.status >= 500);
    CHECK(refused.json["detail"].is_string());
    site.Heal();
    site.Step(20);
    CHECK(site.Originals() == before);
    CHECK(site.Upload(png, "ada").status == 201);
    CHECK(site.Originals() == before + 1);
  }
}

TEST_CASE("the fetches of one user are bounded, and who must wait is told how long") {
  UploadSite site;
  auto answers = std::make_shared<std::vector<std::pair<int, std::string>>>();
  for (int i = 0; i < 5; ++i) {
    site.engine->Handle("POST", "/v1/uploads", "Content-Type: application/json\r\n", UploadSite::As("ada"),
                        "", BufferRef::Copy(R"({"url": "https://192.0.2.1/fox.png"})"),
                        [answers](Response response) {
                          std::string retry;
                          for (const auto& [name, value] : response.headers) {
                            if (name == "Retry-After") retry = value;
                          }
                          answers->emplace_back(response.status, retry);
                        });
  }
  for (int i = 0; i < 20'000 && answers->size() < 5; ++i) site.Step();
  REQUIRE(answers->size() == 5);
  using Told = std::pair<int, std::string>;
  CHECK(std::count(answers->begin(), answers->end(), Told(503, "2")) == 1);
  CHECK(std::count(answers->begin(), answers->end(), Told(422, "")) == 4);
}
