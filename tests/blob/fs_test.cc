#include "blob/fs/fs.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "contract/blob_contract.h"
#include "support/fault_files.h"
#include "support/temp_dir.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

std::unique_ptr<BlobStore> OpenBlobsAt(FileSystem* files, const std::string& root) {
  auto blobs = OpenFileBlobs(files, root);
  REQUIRE(blobs.ok());
  return std::move(*blobs);
}

size_t NamesIn(const std::string& directory) { return SystemFiles()->List(directory)->size(); }

}  // namespace

TEST_CASE("file blobs keep the contract") {
  TempDir dir;
  RunBlobContract([&] { return OpenBlobsAt(SystemFiles(), dir / "data/blobs/"); });
}

TEST_CASE("a store needs a root that can be made") {
  TempDir dir;
  CHECK(CodeOf(OpenFileBlobs(SystemFiles(), "").status()) == Code::kInvalid);
  REQUIRE(SystemFiles()->WriteDurably(dir / "file", "1").ok());
  CHECK(CodeOf(OpenFileBlobs(SystemFiles(), dir / "file").status()) == Code::kConflict);
  FaultFiles files;
  files.FailAlways(FileOp::kMakeDirs, EROFS);
  CHECK(CodeOf(OpenFileBlobs(&files, dir / "blobs").status()) == Code::kUnavailable);
}

TEST_CASE("a put that fails, whatever fails, leaves no half blob and no temporary file") {
  TempDir dir;
  FaultFiles files;
  auto blobs = OpenBlobsAt(&files, dir / "blobs");
  struct Row {
    FileOp op;
    int error;
    Code code;
  };
  const Row rows[] = {
      {FileOp::kMakeDirs, ENOSPC, Code::kStorageFull}, {FileOp::kCreate, EMFILE, Code::kUnavailable},
      {FileOp::kWrite, ENOSPC, Code::kStorageFull},    {FileOp::kWrite, EIO, Code::kUnavailable},
      {FileOp::kSync, EIO, Code::kUnavailable},        {FileOp::kSync, EDQUOT, Code::kStorageFull},
      {FileOp::kRename, EACCES, Code::kUnavailable}};
  for (const Row& row : rows) {
    files.Fail(row.op, row.error);
    CHECK(CodeOf(blobs->Put("u/k", "12345678")) == row.code);
    CHECK(CodeOf(blobs->Get("u/k", 100).status()) == Code::kNotFound);
    if (files.Stat(dir / "blobs/u").ok()) CHECK(NamesIn(dir / "blobs/u") == 0);
  }
  CHECK(blobs->Put("u/k", "12345678").ok());
}

TEST_CASE(
    "a put whose directory sync failed is an error, though the blob stands; putting it again settles it") {
  TempDir dir;
  FaultFiles files;
  auto blobs = OpenBlobsAt(&files, dir / "blobs");
  files.Fail(FileOp::kSyncDirectory, EIO);
  CHECK(CodeOf(blobs->Put("k", "1")) == Code::kUnavailable);
  CHECK(BytesOf(*blobs, "k") == "1");
  long syncs = files.Count(FileOp::kSyncDirectory);
  CHECK(blobs->Put("k", "1").ok());
  CHECK(files.Count(FileOp::kSyncDirectory) == syncs + 1);
}

TEST_CASE("every call passes on what the disk says") {
  TempDir dir;
  FaultFiles files;
  auto blobs = OpenBlobsAt(&files, dir / "blobs");
  REQUIRE(blobs->Put("d/k", "1").ok());
  SUBCASE("get") {
    files.Fail(FileOp::kRead, EIO);
    CHECK(CodeOf(blobs->Get("d/k", 10).status()) == Code::kUnavailable);
  }
  SUBCASE("open") {
    files.Fail(FileOp::kOpenRead, EMFILE);
    CHECK(CodeOf(blobs->Open("d/k").status()) == Code::kUnavailable);
  }
  SUBCASE("stat") {
    files.Fail(FileOp::kStat, EIO);
    CHECK(CodeOf(blobs->Stat("d/k").status()) == Code::kUnavailable);
  }
  SUBCASE("create over a blob that cannot be compared") {
    files.Fail(FileOp::kStat, EIO);
    CHECK(CodeOf(blobs->Create("d/k").status()) == Code::kUnavailable);
    files.Fail(FileOp::kOpenRead, EIO);
    CHECK(CodeOf(blobs->Create("d/k").status()) == Code::kUnavailable);
  }
  SUBCASE("remove") {
    files.Fail(FileOp::kRemove, EACCES);
    CHECK(CodeOf(blobs->Remove("d/k")) == Code::kUnavailable);
    files.Fail(FileOp::kStat, EIO);
    CHECK(CodeOf(blobs->Remove("d/k")) == Code::kUnavailable);
  }
  SUBCASE("list") {
    files.Fail(FileOp::kList, EIO, 2);
    CHECK(CodeOf(blobs->List("", "", 10).status()) == Code::kUnavailable);
    files.Fail(FileOp::kStat, EIO, 2);
    CHECK(CodeOf(blobs->List("", "", 10).status()) == Code::kUnavailable);
  }
  SUBCASE("free space") {
    files.SetFreeBytes(4096);
    CHECK(blobs->FreeBytes().value() == 4096);
    files.Fail(FileOp::kFreeBytes, EIO);
    CHECK(CodeOf(blobs->FreeBytes().status()) == Code::kUnavailable);
  }
  files.Heal();
  CHECK(BytesOf(*blobs, "d/k") == "1");
}

TEST_CASE("a directory that is taken away under a writer is made again") {
  TempDir dir;
  FaultFiles files;
  auto blobs = OpenBlobsAt(&files, dir / "blobs");
  files.Fail(FileOp::kCreate, ENOENT, 1, 4);
  CHECK(blobs->Put("u/k", "1").ok());
  files.FailAlways(FileOp::kCreate, ENOENT);  // but not for ever
  CHECK(CodeOf(blobs->Put("u/k2", "1")) == Code::kNotFound);
}

TEST_CASE("directories go with their last blob, the root stays") {
  TempDir dir;
  auto blobs = OpenBlobsAt(SystemFiles(), dir / "blobs");
  REQUIRE(blobs->Put("u/1/a", "1").ok());
  REQUIRE(blobs->Put("u/2/b", "1").ok());
  CHECK(blobs->Remove("u/1/a").ok());
  CHECK(SystemFiles()->List(dir / "blobs/u").value() == std::vector<std::string>{"2"});
  CHECK(blobs->Remove("u/2/b").ok());
  CHECK(NamesIn(dir / "blobs") == 0);
}

TEST_CASE("listing clears what writers left: empty directories at once, temporary files after a day") {
  TempDir dir;
  auto blobs = OpenBlobsAt(SystemFiles(), dir / "blobs");
  REQUIRE(blobs->Create("gave-up/k").ok());
  REQUIRE(blobs->Put("kept", "1").ok());
  std::string old = dir / "blobs/.tmp#0000000000000001", young = dir / "blobs/.tmp#0000000000000002";
  REQUIRE(SystemFiles()->WriteDurably(old, "left").ok());
  REQUIRE(SystemFiles()->WriteDurably(young, "being written").ok());
  int64_t seconds = SystemClock()->WallMs() / 1000 - 25 * 3600;
  timespec times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(utimensat(AT_FDCWD, old.c_str(), times, 0) == 0);

  CHECK(KeysOf(*blobs, "", "", 10) == std::vector<std::string>{"kept"});
  CHECK(SystemFiles()->List(dir / "blobs").value() ==
        std::vector<std::string>{".tmp#0000000000000002", "kept"});
}

TEST_CASE("a file that no key can name is not a blob") {
  TempDir dir;
  auto blobs = OpenBlobsAt(SystemFiles(), dir / "blobs");
  REQUIRE(SystemFiles()->WriteDurably(dir / "blobs/not a key", "1").ok());
  CHECK(KeysOf(*blobs, "", "", 10).empty());
}
