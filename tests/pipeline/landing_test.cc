#include "pipeline/landing.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "blob/fs/fs.h"
#include "support/temp_dir.h"

namespace mediagen {
namespace {

const std::string kVideo = std::string(
                               "\0\0\0\x18"
                               "ftypmp42",
                               12) +
                           std::string(5000, 'v');

struct Fixture {
  Fixture() { blobs = *OpenFileBlobs(SystemFiles(), dir.path()); }
  Landing New(uint64_t in_memory) {
    return Landing(
        blobs.get(), [](Format) { return std::string("generated-videos/u/g/1.1.0.mp4"); }, in_memory);
  }
  Status AppendAll(Landing& landing, std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min<size_t>(bytes.size(), 700)))
      RETURN_IF_ERROR(landing.Append(bytes.substr(0, 700)));
    return OkStatus();
  }
  testing::TempDir dir;
  std::unique_ptr<BlobStore> blobs;
};

TEST_CASE("what is small stays in memory, and nothing is written") {
  Fixture f;
  Landing landing = f.New(1 << 20);
  CHECK(f.AppendAll(landing, kVideo).ok());
  CHECK_FALSE(landing.spilled());
  CHECK(landing.bytes() == kVideo);
  CHECK(f.blobs->List("", "", 10)->empty());
}

TEST_CASE("what is large is written as it comes, hashed, and there is nothing under its key before the end") {
  Fixture f;
  Landing landing = f.New(1000);
  CHECK(f.AppendAll(landing, kVideo).ok());
  CHECK(landing.spilled());
  CHECK(landing.size() == kVideo.size());
  CHECK(CodeOf(f.blobs->Stat(landing.key()).status()) == Code::kNotFound);
  CHECK(landing.Commit().ok());
  CHECK(f.blobs->Get(landing.key(), 1 << 20)->view() == kVideo);
  CHECK(landing.TakeSha256() == Hex(Sha256(kVideo)));
  CHECK(IsVideo(landing.format()));
}

TEST_CASE("what is large and no picture or video is refused before anything is written") {
  Fixture f;
  Landing landing = f.New(1000);
  CHECK(CodeOf(f.AppendAll(landing, std::string(5000, 'x'))) == Code::kInvalid);
  CHECK(f.blobs->List("", "", 10)->empty());
}

TEST_CASE("other bytes under the key are removed, and the download is to be made again") {
  Fixture f;
  CHECK(f.blobs->Put("generated-videos/u/g/1.1.0.mp4", "old").ok());
  for (bool first : {true, false}) {
    Landing landing = f.New(1000);
    CHECK(f.AppendAll(landing, kVideo).ok());
    CHECK(CodeOf(landing.Commit()) == (first ? Code::kUnavailable : Code::kOk));
  }
}

}  // namespace
}  // namespace mediagen
