// What every BlobStore promises. A backend's test calls RunBlobContract inside one TEST_CASE:
//
//   TEST_CASE("file blobs keep the contract") {
//     TempDir dir;
//     RunBlobContract([&] { return *OpenFileBlobs(SystemFiles(), dir / "blobs"); });
//   }
//
// `open` gives a store over one place that is empty at first; called again it gives a second store over the
// same place.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/id.h"
#include "blob/blob.h"

namespace mediagen::testing {

using OpenBlobs = std::function<std::unique_ptr<BlobStore>()>;

constexpr uint64_t kAnySize = UINT64_MAX;

inline std::string BytesOf(BlobStore& blobs, const std::string& key) {
  auto bytes = blobs.Get(key, kAnySize);
  return bytes.ok() ? std::string(bytes->view()) : "error " + std::string(CodeName(CodeOf(bytes.status())));
}

inline std::vector<std::string> KeysOf(BlobStore& blobs, std::string_view prefix, std::string_view after,
                                       size_t limit) {
  auto list = blobs.List(prefix, after, limit);
  REQUIRE(list.ok());
  std::vector<std::string> keys;
  for (const BlobInfo& info : *list) keys.push_back(info.key);
  return keys;
}

inline void BlobsAreStoredWhole(const OpenBlobs& open) {
  auto blobs = open();
  SUBCASE("what was put is what is got, by every store over the same place") {
    std::string bytes("\0\xFF\r\n picture", 12);
    REQUIRE(blobs->Put("generated-images/u1/g1/0.1.0.png", bytes).ok());
    CHECK(BytesOf(*blobs, "generated-images/u1/g1/0.1.0.png") == bytes);
    CHECK(BytesOf(*open(), "generated-images/u1/g1/0.1.0.png") == bytes);
    auto info = blobs->Stat("generated-images/u1/g1/0.1.0.png");
    REQUIRE(info.ok());
    CHECK(info->key == "generated-images/u1/g1/0.1.0.png");
    CHECK(info->size == bytes.size());
    CHECK(info->modified_ms > 0);
  }
  SUBCASE("an empty blob is a blob") {
    REQUIRE(blobs->Put("empty", "").ok());
    CHECK(BytesOf(*blobs, "empty").empty());
    CHECK(blobs->Stat("empty")->size == 0);
  }
  SUBCASE("a blob larger than any buffer comes back byte by byte") {
    std::string bytes(3 << 20, '\0');
    SeededRandom(7)->Fill(bytes.data(), bytes.size());
    REQUIRE(blobs->Put("large", bytes).ok());
    CHECK(BytesOf(*blobs, "large") == bytes);
  }
  SUBCASE("every character of a key is kept apart") {
    REQUIRE(blobs->Put("a=2F@300,w~x_y-z.webp", "1").ok());
    REQUIRE(blobs->Put("a=2f@300,w~x_y-z.webp", "2").ok());
    CHECK(BytesOf(*blobs, "a=2F@300,w~x_y-z.webp") == "1");
    CHECK(BytesOf(*blobs, "a=2f@300,w~x_y-z.webp") == "2");
  }
  SUBCASE("a segment may start with a dot") {
    REQUIRE(blobs->Put(".a/..b/...", "1").ok());
    CHECK(KeysOf(*blobs, "", "", 9) == std::vector<std::string>{".a/..b/..."});
  }
  SUBCASE("the longest key is stored, listed and removed") {
    std::string key;
    while (key.size() + 102 <= 1024) key += std::string(99, 'k') + "/";
    key += std::string(1024 - key.size(), 'k');
    REQUIRE(key.size() == 1024);
    REQUIRE(blobs->Put(key, "1").ok());
    CHECK(KeysOf(*blobs, key, "", 9) == std::vector<std::string>{key});
    CHECK(blobs->Remove(key).ok());
    CHECK(KeysOf(*blobs, "", "", 9).empty());
  }
}

inline void WritersCommitOrVanish(const OpenBlobs& open) {
  auto blobs = open();
  SUBCASE("nothing stands under a key before Commit, all of it after") {
    auto writer = blobs->Create("v/movie.mp4");
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Append("one ").ok());
    REQUIRE((*writer)->Append(std::string(200'000, 'x')).ok());
    REQUIRE((*writer)->Append("").ok());
    CHECK(BytesOf(*blobs, "v/movie.mp4") == "error not_found");
    CHECK(KeysOf(*blobs, "", "", 10).empty());
    REQUIRE((*writer)->Append(" two").ok());
    REQUIRE((*writer)->Commit().ok());
    CHECK(BytesOf(*blobs, "v/movie.mp4") == "one " + std::string(200'000, 'x') + " two");
  }
  SUBCASE("a writer that is dropped leaves nothing") {
    {
      auto writer = blobs->Create("v/movie.mp4");
      REQUIRE(writer.ok());
      REQUIRE((*writer)->Append("half").ok());
    }
    CHECK(BytesOf(*blobs, "v/movie.mp4") == "error not_found");
    CHECK(KeysOf(*blobs, "", "", 10).empty());
  }
  SUBCASE("a second Commit is refused and changes nothing") {
    auto writer = blobs->Create("once");
    REQUIRE((*writer)->Append("1").ok());
    REQUIRE((*writer)->Commit().ok());
    CHECK(CodeOf((*writer)->Commit()) == Code::kClosed);
    CHECK(CodeOf((*writer)->Append("2")) == Code::kClosed);
    CHECK(BytesOf(*blobs, "once") == "1");
  }
}

inline void BlobsAreImmutable(const OpenBlobs& open) {
  auto blobs = open();
  std::string first(40'000, 'a');
  REQUIRE(blobs->Put("k", first).ok());
  SUBCASE("the same bytes again are OK") {
    CHECK(blobs->Put("k", first).ok());
    auto writer = blobs->Create("k");
    REQUIRE(writer.ok());
    CHECK((*writer)->Append(first.substr(0, 100)).ok());
    CHECK((*writer)->Append(first.substr(100)).ok());
    CHECK((*writer)->Commit().ok());
  }
  SUBCASE("other bytes are a conflict, wherever they differ") {
    std::string last = first;
    last.back() = 'b';
    for (const std::string& other :
         {last, "b" + first.substr(1), first + "a", first.substr(1), std::string()}) {
      CHECK(CodeOf(blobs->Put("k", other)) == Code::kConflict);
    }
  }
  SUBCASE("a key that runs through a blob is stored or a conflict, and harms neither") {
    Status below = blobs->Put("k/below", "1");
    CHECK((below.ok() || CodeOf(below) == Code::kConflict));
    CHECK(BytesOf(*blobs, "k/below") == (below.ok() ? "1" : "error not_found"));
    REQUIRE(blobs->Put("d/x", "1").ok());
    Status above = blobs->Put("d", "2");
    CHECK((above.ok() || CodeOf(above) == Code::kConflict));
    CHECK(BytesOf(*blobs, "d/x") == "1");
    CHECK(BytesOf(*blobs, "d") == (above.ok() ? "2" : "error not_found"));
  }
  CHECK(BytesOf(*blobs, "k") == first);
}

inline void AbsenceAndLimitsAreSaid(const OpenBlobs& open) {
  auto blobs = open();
  REQUIRE(blobs->Put("d/k", "12345").ok());
  SUBCASE("what is not there is kNotFound, a directory included") {
    for (const char* key : {"nothing", "d", "d/k2", "d/k/x"}) {
      CHECK(CodeOf(blobs->Get(key, kAnySize).status()) == Code::kNotFound);
      CHECK(CodeOf(blobs->Stat(key).status()) == Code::kNotFound);
      Code opened = CodeOf(blobs->Open(key).status());
      CHECK((opened == Code::kNotFound || opened == Code::kUnsupported));
      CHECK(blobs->Remove(key).ok());
    }
    CHECK(BytesOf(*blobs, "d/k") == "12345");
  }
  SUBCASE("a blob past max_bytes is kTooLarge, one of just that size is not") {
    CHECK(CodeOf(blobs->Get("d/k", 4).status()) == Code::kTooLarge);
    CHECK(CodeOf(blobs->Get("d/k", 0).status()) == Code::kTooLarge);
    CHECK(blobs->Get("d/k", 5).ok());
  }
  SUBCASE("an open blob is a descriptor with its size, where there are local files") {
    auto file = blobs->Open("d/k");
    if (!file.ok()) {
      CHECK(CodeOf(file.status()) == Code::kUnsupported);
    } else {
      CHECK(file->size == 5);
      char bytes[8];
      CHECK(read(file->fd.get(), bytes, sizeof bytes) == 5);
      CHECK(std::string_view(bytes, 5) == "12345");
    }
  }
  SUBCASE("a key that is none is refused by every call") {
    const std::string bad[] = {"",
                               "/",
                               "/a",
                               "a/",
                               "a//b",
                               ".",
                               "..",
                               "../a",
                               "a/../b",
                               "a/.",
                               "a b",
                               "a\\b",
                               "a%2F",
                               "ä",
                               "a:b",
                               "a#b",
                               std::string("a\0b", 3),
                               std::string(241, 'a'),
                               std::string(1025, 'a')};
    for (const std::string& key : bad) {
      CAPTURE(key);
      CHECK(CodeOf(blobs->Put(key, "1")) == Code::kInvalid);
      CHECK(CodeOf(blobs->Create(key).status()) == Code::kInvalid);
      CHECK(CodeOf(blobs->Get(key, 1).status()) == Code::kInvalid);
      CHECK(CodeOf(blobs->Open(key).status()) == Code::kInvalid);
      CHECK(CodeOf(blobs->Stat(key).status()) == Code::kInvalid);
      CHECK(CodeOf(blobs->Remove(key)) == Code::kInvalid);
    }
    CHECK(KeysOf(*blobs, "", "", 10) == std::vector<std::string>{"d/k"});
  }
  SUBCASE("there is room") { CHECK(blobs->FreeBytes().value() > 0); }
}

inline void RemovalIsExact(const OpenBlobs& open) {
  auto blobs = open();
  for (const char* key : {"u/1/a", "u/1/a.b", "u/1/b", "u/10/a"}) REQUIRE(blobs->Put(key, key).ok());
  CHECK(blobs->Remove("u/1/a").ok());
  CHECK(blobs->Remove("u/1/a").ok());
  CHECK(KeysOf(*blobs, "", "", 10) == std::vector<std::string>{"u/1/a.b", "u/1/b", "u/10/a"});
  CHECK(blobs->Remove("u/1/b").ok());
  CHECK(blobs->Remove("u/1/a.b").ok());
  CHECK(BytesOf(*blobs, "u/10/a") == "u/10/a");
  CHECK(blobs->Put("u/1/a", "again, other bytes").ok());
  CHECK(BytesOf(*blobs, "u/1/a") == "again, other bytes");
}

// A small alphabet, so that keys collide, nest and sort closely: '-', ',' and '.' stand before '/', the rest
// behind it.
inline std::string RandomKey(Random& random, bool leaf) {
  constexpr char kCharacters[] = "-,.aA0~";
  std::string key;
  for (uint64_t segment = 0, segments = 1 + random.Below(3); segment < segments; ++segment) {
    if (segment > 0) key += "/d";
    for (uint64_t i = 0, n = 1 + random.Below(2); i < n; ++i)
      key += kCharacters[random.Below(sizeof kCharacters - 1)];
  }
  return leaf ? key + "/f" : key;
}

inline void ListsAreInKeyOrder(const OpenBlobs& open) {
  auto blobs = open();
  SUBCASE("by bytes of the whole key, not directory by directory") {
    for (const char* key : {"a/1", "a-1", "a.1", "a0", "b"}) REQUIRE(blobs->Put(key, key).ok());
    CHECK(KeysOf(*blobs, "", "", 10) == std::vector<std::string>{"a-1", "a.1", "a/1", "a0", "b"});
    CHECK(KeysOf(*blobs, "a", "a.1", 2) == std::vector<std::string>{"a/1", "a0"});
    CHECK(KeysOf(*blobs, "a/", "", 10) == std::vector<std::string>{"a/1"});
    CHECK(KeysOf(*blobs, "", "b", 10).empty());
    CHECK(KeysOf(*blobs, "", "", 0).empty());
    CHECK(KeysOf(*blobs, "c", "", 10).empty());
    CHECK(KeysOf(*blobs, "../", "", 10).empty());
    CHECK(KeysOf(*blobs, "/", "", 10).empty());
    auto list = blobs->List("a-", "", 10);
    REQUIRE(list->size() == 1);
    CHECK(list->front().size == 3);
    CHECK(list->front().modified_ms == blobs->Stat("a-1")->modified_ms);
  }
  SUBCASE("page by page from any prefix and any key, as an ordered set would") {
    auto random = SeededRandom(20261120);
    std::set<std::string> model;
    for (int i = 0; i < 60; ++i) {
      std::string key = RandomKey(*random, true);
      if (!CheckBlobKey(key).ok()) continue;
      REQUIRE(blobs->Put(key, "1").ok());
      model.insert(key);
    }
    for (int i = 0; i < 300; ++i) {
      std::string some = RandomKey(*random, random->Below(2) == 0);
      std::string prefix = some.substr(0, random->Below(some.size() + 1)),
                  after = random->Below(3) == 0 ? "" : RandomKey(*random, false);
      size_t limit = 1 + random->Below(20);
      std::vector<std::string> expected;
      for (auto it = model.upper_bound(after); it != model.end() && expected.size() < limit; ++it) {
        if (it->starts_with(prefix)) expected.push_back(*it);
      }
      CAPTURE(prefix);
      CAPTURE(after);
      CHECK(KeysOf(*blobs, prefix, after, limit) == expected);
    }
  }
}

inline void ThreadsMayShareAStore(const OpenBlobs& open) {
  auto blobs = open();
  std::vector<std::thread> threads;
  std::vector<Status> problems(4);
  for (size_t t = 0; t < problems.size(); ++t) {
    threads.emplace_back([&, t] {
      auto keep = [&](const Status& status) { problems[t].Update(status); };
      for (int i = 0; i < 15; ++i) {
        // Each removes the last blob of a directory that another is about to write into.
        std::string key = "shared/" + std::to_string(i % 3) + "/" + std::to_string(t);
        keep(blobs->Put(key, key));
        keep(blobs->Get(key, kAnySize).status());
        keep(blobs->List("shared/", "", 5).status());
        keep(blobs->Remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& problem : problems) CHECK_MESSAGE(problem.ok(), problem.ToString());
  CHECK(KeysOf(*blobs, "", "", 10).empty());
}

inline void RunBlobContract(const OpenBlobs& open) {
  SUBCASE("blobs are stored whole") { BlobsAreStoredWhole(open); }
  SUBCASE("writers commit or vanish") { WritersCommitOrVanish(open); }
  SUBCASE("blobs are immutable") { BlobsAreImmutable(open); }
  SUBCASE("absence and limits are said") { AbsenceAndLimitsAreSaid(open); }
  SUBCASE("removal is exact") { RemovalIsExact(open); }
  SUBCASE("lists are in key order") { ListsAreInKeyOrder(open); }
  SUBCASE("threads may share a store") { ThreadsMayShareAStore(open); }
}

}  // namespace mediagen::testing
