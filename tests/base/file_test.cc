#include "base/file.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

FileSystem& Files() { return *SystemFiles(); }

mode_t ModeOf(const std::string& path) {
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

std::string TextOf(const std::string& path) {
  auto bytes = Files().Read(path, 1 << 30);
  return bytes.ok() ? std::string(bytes->view()) : "error " + std::string(CodeName(CodeOf(bytes.status())));
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(umask(mask)) {}
  ~Umask() { umask(before_); }

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("an errno has a code, and the message names the file and the system's words") {
  struct Row {
    int error;
    Code code;
  };
  const Row rows[] = {{ENOSPC, Code::kStorageFull}, {EDQUOT, Code::kStorageFull},
                      {ENOENT, Code::kNotFound},    {ENOTDIR, Code::kNotFound},
                      {EEXIST, Code::kConflict},    {EACCES, Code::kUnavailable},
                      {EMFILE, Code::kUnavailable}, {EIO, Code::kUnavailable}};
  for (const Row& row : rows) CHECK(CodeOf(FileError(row.error, "write", "/x")) == row.code);
  CHECK(InfoOf(FileError(ENOSPC, "write", "/data/x")).message ==
        "Could not write /data/x: No space left on device.");
  CHECK_FALSE(InfoOf(FileError(ENOSPC, "write", "/x")).hint.empty());
  CHECK_FALSE(InfoOf(FileError(EACCES, "write", "/x")).hint.empty());
}

TEST_CASE("a file is read whole, up to its limit") {
  TempDir dir;
  std::string text(100'000, 'x');
  REQUIRE(Files().WriteDurably(dir / "f", text).ok());
  CHECK(TextOf(dir / "f") == text);
  CHECK(Files().Read(dir / "f", text.size()).ok());
  CHECK(CodeOf(Files().Read(dir / "f", text.size() - 1).status()) == Code::kTooLarge);
  REQUIRE(Files().WriteDurably(dir / "empty", "").ok());
  auto empty = Files().Read(dir / "empty", 0);
  REQUIRE(empty.ok());
  CHECK(*empty);
  CHECK(empty->size() == 0);
}

TEST_CASE("a file whose size is not known beforehand is read to its end, and no further than its limit") {
  auto mounts = Files().Read("/proc/self/mountinfo", 1 << 20);  // stat says 0 bytes
  REQUIRE(mounts.ok());
  CHECK(mounts->view().find(" / ") != std::string_view::npos);
  CHECK(CodeOf(Files().Read("/proc/self/mountinfo", 10).status()) == Code::kTooLarge);
}

TEST_CASE("what is not a regular file is refused without blocking") {
  TempDir dir;
  REQUIRE(mkfifo((dir / "fifo").c_str(), 0600) == 0);
  for (const std::string& path : {dir.path(), dir / "fifo", std::string("/dev/zero")}) {
    CHECK(CodeOf(Files().Read(path, 100).status()) == Code::kUnavailable);
    CHECK(CodeOf(Files().OpenRead(path).status()) == Code::kUnavailable);
  }
}

TEST_CASE("an open file is read through its descriptor, which no started program inherits") {
  TempDir dir;
  REQUIRE(Files().WriteDurably(dir / "f", "bytes").ok());
  auto fd = Files().OpenRead(dir / "f");
  REQUIRE(fd.ok());
  char text[8];
  CHECK(read(fd->get(), text, sizeof text) == 5);
  CHECK((fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("every call says kNotFound for what is not there, and Remove that all is well") {
  TempDir dir;
  for (const std::string& path : {dir / "nothing", dir / "nothing/below", dir / "file/below"}) {
    REQUIRE(Files().WriteDurably(dir / "file", "1").ok());
    CAPTURE(path);
    CHECK(CodeOf(Files().Read(path, 1).status()) == Code::kNotFound);
    CHECK(CodeOf(Files().OpenRead(path).status()) == Code::kNotFound);
    CHECK(CodeOf(Files().Stat(path).status()) == Code::kNotFound);
    CHECK(CodeOf(Files().List(path).status()) == Code::kNotFound);
    CHECK(CodeOf(Files().Create(path + "/x").status()) == Code::kNotFound);
    CHECK(CodeOf(Files().Rename(path, dir / "y")) == Code::kNotFound);
    CHECK(CodeOf(Files().Link(path, dir / "y")) == Code::kNotFound);
    CHECK(CodeOf(Files().FreeBytes(path).status()) == Code::kNotFound);
    CHECK(CodeOf(FileLock::Open(path + "/x").status()) == Code::kNotFound);
    CHECK(Files().Remove(path).ok());
  }
  CHECK(Files().Read(dir / "nothing", 1).status().ToString().find(dir / "nothing") != std::string::npos);
}

TEST_CASE("directories are made with all that is missing above them") {
  TempDir dir;
  CHECK(Files().MakeDirs(dir / "a/b/c").ok());
  CHECK(Files().MakeDirs(dir / "a/b/c").ok());
  CHECK(Files().MakeDirs(dir / "a//d///").ok());
  CHECK(Files().MakeDirs("/").ok());
  CHECK(Files().MakeDirs(".").ok());
  CHECK(Files().Stat(dir / "a/b/c")->directory);
  CHECK(Files().Stat(dir / "a/d")->directory);
  REQUIRE(Files().WriteDurably(dir / "file", "1").ok());
  CHECK(CodeOf(Files().MakeDirs(dir / "file")) == Code::kConflict);
  CHECK(CodeOf(Files().MakeDirs(dir / "file/x/y")) == Code::kConflict);
  REQUIRE(symlink("nowhere", (dir / "dangling").c_str()) == 0);
  CHECK(CodeOf(Files().MakeDirs(dir / "dangling")) == Code::kNotFound);
  CHECK_FALSE(Files().MakeDirs("").ok());
  CHECK_FALSE(Files().MakeDirs(dir / std::string(300, 'n')).ok());  // ENAMETOOLONG
}

TEST_CASE("a right that is missing is said, with what to do") {
  if (geteuid() == 0) {
    MESSAGE("skipped: root may do everything");
    return;
  }
  TempDir dir;
  REQUIRE(Files().WriteDurably(dir / "f", "1").ok());
  REQUIRE(chmod((dir / "f").c_str(), 0) == 0);
  REQUIRE(mkdir((dir / "d").c_str(), 0555) == 0);
  CHECK(CodeOf(Files().Read(dir / "f", 1).status()) == Code::kUnavailable);
  for (const Status& status : {Files().MakeDirs(dir / "d/x"), Files().Create(dir / "d/x").status(),
                               FileLock::Open(dir / "d/x").status()}) {
    CHECK(CodeOf(status) == Code::kUnavailable);
    CHECK_FALSE(InfoOf(status).hint.empty());
  }
}

TEST_CASE("files and directories have the modes that were promised") {
  TempDir dir;
  {
    Umask open(022);
    REQUIRE(Files().WriteDurably(dir / "plain", "1").ok());
    REQUIRE(Files().WriteDurably(dir / "secret", "1", true).ok());
    REQUIRE(Files().MakeDirs(dir / "d").ok());
  }
  {
    Umask closed(077);
    REQUIRE(Files().WriteDurably(dir / "mine", "1").ok());
  }
  CHECK(ModeOf(dir / "plain") == 0644);
  CHECK(ModeOf(dir / "secret") == 0600);
  CHECK(ModeOf(dir / "d") == 0755);
  CHECK(ModeOf(dir / "mine") == 0600);
}

TEST_CASE("rename replaces, link does not") {
  TempDir dir;
  REQUIRE(Files().WriteDurably(dir / "a", "a").ok());
  REQUIRE(Files().WriteDurably(dir / "b", "b").ok());
  CHECK(CodeOf(Files().Link(dir / "a", dir / "b")) == Code::kConflict);
  CHECK(Files().Link(dir / "a", dir / "c").ok());
  CHECK(Files().Rename(dir / "a", dir / "b").ok());
  CHECK(TextOf(dir / "b") == "a");
  CHECK(TextOf(dir / "c") == "a");
  CHECK(TextOf(dir / "a") == "error not_found");
}

TEST_CASE("remove takes files and empty directories, nothing more") {
  TempDir dir;
  REQUIRE(Files().MakeDirs(dir / "d").ok());
  REQUIRE(Files().WriteDurably(dir / "d/f", "1").ok());
  CHECK(CodeOf(Files().Remove(dir / "d")) == Code::kUnavailable);
  CHECK(Files().Remove(dir / "d/f").ok());
  CHECK(Files().Remove(dir / "d").ok());
  CHECK_FALSE(Files().Stat(dir / "d").ok());
}

TEST_CASE("names are listed sorted, and stat tells size, time and kind") {
  TempDir dir;
  for (const char* name : {"b", "a", ".hidden", "A"}) REQUIRE(Files().WriteDurably(dir / name, name).ok());
  REQUIRE(Files().MakeDirs(dir / "z").ok());
  CHECK(Files().List(dir.path()).value() == std::vector<std::string>{".hidden", "A", "a", "b", "z"});
  timespec times[2] = {{1'700'000'000, 0}, {1'700'000'000, 123'000'000}};
  REQUIRE(utimensat(AT_FDCWD, (dir / ".hidden").c_str(), times, 0) == 0);
  FileInfo info = Files().Stat(dir / ".hidden").value();
  CHECK(info.size == 7);
  CHECK(info.modified_ms == 1'700'000'000'123);
  CHECK_FALSE(info.directory);
}

TEST_CASE("the disk under a directory is measured and named, before the directory exists") {
  TempDir dir;
  CHECK(Files().FreeBytes(dir.path()).value() > 0);
  CHECK(Files().NetworkFileSystemName("/proc/self").value().empty());
  auto here = Files().NetworkFileSystemName(dir.path());
  REQUIRE(here.ok());
  CHECK(Files().NetworkFileSystemName(dir / "not/yet/made").value() == *here);
  CHECK(Files().NetworkFileSystemName("not-yet-made").ok());
  REQUIRE(symlink("loop", (dir / "loop").c_str()) == 0);
  CHECK(CodeOf(Files().NetworkFileSystemName(dir / "loop").status()) == Code::kUnavailable);
}

TEST_CASE("a descriptor is closed once, by its last owner") {
  int raw = open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    Fd first(raw);
    Fd second(std::move(first));
    CHECK_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that it is empty is the rule
    first = std::move(second);
    CHECK(first.get() == raw);
    Fd released(first.Release());
    CHECK(released.valid());
  }
  CHECK(fcntl(raw, F_GETFD) == -1);
}
