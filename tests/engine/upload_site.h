// UploadSite: an engine on the test's own thread, asked over HTTP, that can be opened again and whose clock,
// files and database fail and jump as the test says.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "blob/fs/fs.h"
#include "codec/image.h"
#include "engine/engine.h"
#include "support/fault_files.h"
#include "support/fault_vfs.h"
#include "support/temp_dir.h"

namespace mediagen::testing {

struct UploadSite {
  struct Answer {
    int status = 0;
    HeaderList headers;
    std::string body;
    Json json;

    std::string Header(std::string_view name) const {
      for (const auto& [known, value] : headers) {
        if (known == name) return value;
      }
      return "";
    }
  };

  TempDir dir;
  FakeClock clock;
  FaultFiles files;
  FaultVfs vfs;
  Json config;
  std::shared_ptr<Engine> engine;

  explicit UploadSite(const Json& media = Json::object(), const Json& more = Json::object()) {
    config = {{"dataDir", dir.path()},
              {"workers", "manual"},
              {"media", media},
              {"rateLimits", {{"writes", "1000000/min"}, {"images", "1000000/min"}}}};
    config.update(more);
    Open();
  }
  ~UploadSite() { Close(); }

  void Open() {
    EngineEnvironment environment;
    environment.clock = &clock;
    environment.files = &files;
    environment.sqlite_vfs = vfs.name();
    auto opened = Engine::Open(Dump(config), environment);
    if (!opened.ok()) FAIL(ErrorJson(opened.status()));
    engine = *opened;
  }
  void Close() {
    Heal();
    engine->Close(0, [](Status) {});
    engine.reset();
  }
  void Heal() {
    files.Heal();
    vfs.Heal();
  }
  void Step(int times = 1) {
    for (int i = 0; i < times; ++i) {
      engine->Drive(1);
      clock.Advance(100);
    }
  }

  static std::string As(const std::string& user) { return Dump(Json{{"user", user}, {"ip", "192.0.2.1"}}); }

  // `principal` "": the host itself.
  Answer Ask(const std::string& method, const std::string& target, const std::string& type,
             const std::string& body, const std::string& principal, const std::string& mount = "") {
    auto got = std::make_shared<std::optional<Response>>();
    const std::string headers = type.empty() ? "" : "Content-Type: " + type + "\r\n";
    engine->Handle(method, target, headers, principal, mount, BufferRef::Copy(body),
                   [got](Response response) { *got = std::move(response); });
    for (int i = 0; i < 20'000 && !got->has_value(); ++i) Step();
    REQUIRE(got->has_value());
    Answer answer{(*got)->status, (*got)->headers, "", nullptr};
    if (auto* bytes = std::get_if<BytesBody>(&(*got)->body))
      answer.body = bytes->buffer.view().substr(bytes->offset, bytes->length);
    answer.json = Json::parse(answer.body, nullptr, false);
    return answer;
  }
  Answer Upload(const std::string& body, const std::string& user, const std::string& query = "",
                const std::string& type = "image/png") {
    return Ask("POST", "/v1/uploads" + query, type, body, As(user));
  }

  std::vector<std::string> Blobs() {
    auto blobs = OpenFileBlobs(SystemFiles(), dir.path() + "/blobs");
    REQUIRE(blobs.ok());
    auto listed = (*blobs)->List("uploads/", "", 10'000);
    REQUIRE(listed.ok());
    std::vector<std::string> keys;
    for (const BlobInfo& blob : *listed) keys.push_back(blob.key);
    return keys;
  }
  // Without the variants.
  size_t Originals() {
    const std::vector<std::string> keys = Blobs();
    return static_cast<size_t>(std::count_if(
        keys.begin(), keys.end(), [](const std::string& key) { return key.find('@') == key.npos; }));
  }
};

inline std::string PngOf(uint8_t shade, uint32_t side = 8) {
  auto pixels = NewPixels(side, side, 3);
  REQUIRE(pixels.ok());
  std::fill_n(pixels->data.get(), pixels->bytes(), shade);
  auto png = Encode(*pixels, {.format = Format::kPng});
  REQUIRE(png.ok());
  return std::string(png->view());
}

}  // namespace mediagen::testing
