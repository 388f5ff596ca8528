#include <doctest/doctest.h>

#include "base/hash.h"
#include "blob/blob.h"

using namespace mediagen;

TEST_CASE("a segment is made out of any bytes, and a key can hold it") {
  struct Row {
    std::string text, segment;
  };
  const Row rows[] = {
      {"user_1-A", "user_1-A"},
      {"..", "=2E=2E"},
      {"a/b", "a=2Fb"},
      {"a=b", "a=3Db"},
      {std::string("\0\xFF", 2), "=00=FF"},
      {"~", "=7E"},
      {"ä", "=C3=A4"},
      {" ", "=20"},
      {"a@b.c", "a=40b=2Ec"},
      {std::string(200, 'x'), std::string(200, 'x')},
  };
  for (const Row& row : rows) {
    CHECK(BlobSegment(row.text) == row.segment);
    CHECK(CheckBlobKey(BlobSegment(row.text)).ok());
  }
}

TEST_CASE("a segment that would be too long, or empty, is a hash that no other text can spell") {
  auto hashed = [](std::string_view text) {
    Sha256Digest digest = Sha256(text);
    return "~" + Base32({reinterpret_cast<const char*>(digest.data()), digest.size()});
  };
  std::string plain(201, 'x'), encoded(67, '/');  // 67 * 3 = 201
  CHECK(BlobSegment(plain) == hashed(plain));
  CHECK(BlobSegment(encoded) == hashed(encoded));
  CHECK(BlobSegment("") == hashed(""));
  CHECK(BlobSegment(std::string(66, '/')).size() == 198);
  CHECK(BlobSegment(plain).size() == 53);
  CHECK(CheckBlobKey("uploads/" + BlobSegment(plain) + "/" + BlobSegment("") + "/0.1.0.png").ok());
}

TEST_CASE("a bad key is refused by name and reason") {
  Status status = CheckBlobKey("a/../b");
  CHECK(CodeOf(status) == Code::kInvalid);
  CHECK(InfoOf(status).message == "The blob key \"a/../b\" has a segment of dots.");
  CHECK(CheckBlobKey("a/.../b").ok());
  CHECK(CheckBlobKey(std::string(240, 'a')).ok());
  CHECK_FALSE(CheckBlobKey(std::string(241, 'a')).ok());
}
