#include <doctest/doctest.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "support/child.h"
#include "support/fault_files.h"
#include "support/temp_dir.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

std::string TextOf(const std::string& path) {
  auto bytes = SystemFiles()->Read(path, 1 << 30);
  return bytes.ok() ? std::string(bytes->view()) : "error " + std::string(CodeName(CodeOf(bytes.status())));
}

std::vector<std::string> NamesIn(const TempDir& dir) { return SystemFiles()->List(dir.path()).value(); }

}  // namespace

TEST_CASE("nothing stands under the final name before Commit, all of it after") {
  TempDir dir;
  auto writer = SystemFiles()->Create(dir / "f").value();
  std::string expected;
  for (size_t size : {1, 60'000, 10'000, 65'536, 200'000, 0, 3}) {  // below, across and beyond the buffer
    std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    REQUIRE(writer->Append(piece).ok());
    expected += piece;
  }
  REQUIRE(NamesIn(dir).size() == 1);
  CHECK(NamesIn(dir)[0].substr(0, kTempPrefix.size()) == kTempPrefix);
  CHECK(TextOf(dir / "f") == "error not_found");
  REQUIRE(writer->Commit().ok());
  CHECK(TextOf(dir / "f") == expected);
  CHECK(NamesIn(dir) == std::vector<std::string>{"f"});
  CHECK(CodeOf(writer->Append("more")) == Code::kClosed);
  CHECK(CodeOf(writer->Commit()) == Code::kClosed);
  CHECK(TextOf(dir / "f") == expected);
}

TEST_CASE("a writer dropped without Commit leaves what stood there, and no temporary file") {
  TempDir dir;
  REQUIRE(SystemFiles()->WriteDurably(dir / "f", "before").ok());
  {
    auto writer = SystemFiles()->Create(dir / "f").value();
    REQUIRE(writer->Append(std::string(100'000, 'x')).ok());
    CHECK(NamesIn(dir).size() == 2);
  }
  CHECK(NamesIn(dir) == std::vector<std::string>{"f"});
  CHECK(TextOf(dir / "f") == "before");
}

TEST_CASE("two writers of one name do not meet: the last Commit wins whole") {
  TempDir dir;
  auto a = SystemFiles()->Create(dir / "f").value(), b = SystemFiles()->Create(dir / "f").value();
  REQUIRE(a->Append("aaa").ok());
  REQUIRE(b->Append("b").ok());
  REQUIRE(a->Commit().ok());
  REQUIRE(b->Commit().ok());
  CHECK(TextOf(dir / "f") == "b");
  CHECK(NamesIn(dir) == std::vector<std::string>{"f"});
}

TEST_CASE("a name as long as the file system allows can be written, a longer one cannot") {
  TempDir dir;
  CHECK(SystemFiles()->WriteDurably(dir / std::string(255, 'n'), "1").ok());
  CHECK(CodeOf(SystemFiles()->WriteDurably(dir / std::string(256, 'n'), "1")) == Code::kUnavailable);
  CHECK(NamesIn(dir).size() == 1);
}

TEST_CASE("a final name that is a directory refuses the Commit and leaves no temporary file") {
  TempDir dir;
  REQUIRE(SystemFiles()->MakeDirs(dir / "d").ok());
  CHECK(CodeOf(SystemFiles()->WriteDurably(dir / "d", "1")) == Code::kUnavailable);
  CHECK(NamesIn(dir) == std::vector<std::string>{"d"});
}

TEST_CASE("a write that the system cuts short is an error, stays one, and leaves nothing") {
  TempDir dir;
  CHECK(ExitCodeOfChild([&] {
          signal(SIGXFSZ, SIG_IGN);
          rlimit limit{100'000, 100'000};
          setrlimit(RLIMIT_FSIZE, &limit);
          auto writer = SystemFiles()->Create(dir / "f");
          if (!writer.ok()) return 1;
          Status full = (*writer)->Append(std::string(150'000, 'x'));
          if (CodeOf(full) != Code::kUnavailable) return 2;  // EFBIG
          if ((*writer)->Append("small") != full || (*writer)->Commit() != full) return 3;
          return SystemFiles()->List(dir.path())->empty() ? 0 : 4;
        }) == 0);
}

TEST_CASE("a relative name is written into the working directory") {
  TempDir dir;
  CHECK(ExitCodeOfChild([&] {
          if (chdir(dir.path().c_str()) != 0) return 1;
          return SystemFiles()->WriteDurably("bare", "1").ok() ? 0 : 2;
        }) == 0);
  CHECK(NamesIn(dir) == std::vector<std::string>{"bare"});
}

TEST_CASE("faults strike the operation, the time and the errno that the test names") {
  TempDir dir;
  FaultFiles files;
  struct Row {
    FileOp op;
    int error;
    Code code;
    bool stands;
  };
  const Row rows[] = {{FileOp::kCreate, EMFILE, Code::kUnavailable, false},
                      {FileOp::kWrite, ENOSPC, Code::kStorageFull, false},
                      {FileOp::kWrite, EIO, Code::kUnavailable, false},
                      {FileOp::kSync, EIO, Code::kUnavailable, false},
                      {FileOp::kSync, ENOSPC, Code::kStorageFull, false},
                      {FileOp::kRename, EDQUOT, Code::kStorageFull, false},
                      {FileOp::kSyncDirectory, EIO, Code::kUnavailable, true}};
  for (const Row& row : rows) {
    files.Fail(row.op, row.error, 2);
    REQUIRE(files.WriteDurably(dir / "before", "1").ok());
    CHECK(CodeOf(files.WriteDurably(dir / "f", "12345678")) == row.code);
    CHECK(TextOf(dir / "f") == (row.stands ? "12345678" : "error not_found"));
    CHECK(NamesIn(dir).size() == (row.stands ? 2 : 1));
    CHECK(files.WriteDurably(dir / "before", "2").ok());
  }
}

TEST_CASE("faults reach every other operation, last until healed, and the disk can lie") {
  TempDir dir;
  FaultFiles files;
  REQUIRE(files.WriteDurably(dir / "f", "1").ok());
  const FileOp ops[] = {FileOp::kRead,   FileOp::kOpenRead, FileOp::kMakeDirs,
                        FileOp::kRemove, FileOp::kRename,   FileOp::kLink,
                        FileOp::kStat,   FileOp::kList,     FileOp::kFreeBytes};
  for (FileOp op : ops) files.FailAlways(op, EIO);
  for (int i = 0; i < 2; ++i) {
    CHECK(CodeOf(files.Read(dir / "f", 1).status()) == Code::kUnavailable);
    CHECK(CodeOf(files.OpenRead(dir / "f").status()) == Code::kUnavailable);
    CHECK(CodeOf(files.MakeDirs(dir / "d")) == Code::kUnavailable);
    CHECK(CodeOf(files.Remove(dir / "f")) == Code::kUnavailable);
    CHECK(CodeOf(files.Rename(dir / "f", dir / "g")) == Code::kUnavailable);
    CHECK(CodeOf(files.Link(dir / "f", dir / "g")) == Code::kUnavailable);
    CHECK(CodeOf(files.Stat(dir / "f").status()) == Code::kUnavailable);
    CHECK(CodeOf(files.List(dir.path()).status()) == Code::kUnavailable);
    CHECK(CodeOf(files.FreeBytes(dir.path()).status()) == Code::kUnavailable);
  }
  CHECK(files.Count(FileOp::kStat) == 2);
  CHECK(NamesIn(dir) == std::vector<std::string>{"f"});
  files.Heal();
  CHECK(files.Read(dir / "f", 1).ok());
  files.SetFreeBytes(42);
  files.SetNetworkName("nfs4");
  CHECK(files.FreeBytes(dir.path()).value() == 42);
  CHECK(files.NetworkFileSystemName(dir.path()).value() == "nfs4");
}
