#include "jobs/worker_file.h"

#include <doctest/doctest.h>

#include "jobs/fixture.h"

namespace mediagen {
namespace {

struct Place {
  Place() {
    REQUIRE(SystemFiles()->MakeDirs(WorkersDir(dir.path())).ok());
    worker = IdSource(SystemClock(), SystemRandom()).Next();
  }
  size_t FileCount() { return SystemFiles()->List(WorkersDir(dir.path()))->size(); }
  test::TempDir dir;
  Id worker;
};

TEST_CASE("a live worker's file cannot be taken over, not even by its own process") {
  Place place;
  auto file = WorkerFile::Create(place.dir.path(), place.worker);
  REQUIRE(file.ok());
  CHECK((*file)->Intact());
  auto taken = WorkerFile::TakeOver(place.dir.path(), place.worker);
  REQUIRE(taken.ok());
  CHECK(*taken == nullptr);
}

TEST_CASE("a dead worker's file is taken over by one, and unlinked while it is locked") {
  Place place;
  auto file = WorkerFile::Create(place.dir.path(), place.worker);
  REQUIRE(file.ok());
  (*file)->Abandon();
  CHECK_FALSE((*file)->Intact());
  auto first = WorkerFile::TakeOver(place.dir.path(), place.worker);
  auto second = WorkerFile::TakeOver(place.dir.path(), place.worker);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  REQUIRE(*first != nullptr);
  CHECK(*second == nullptr);
  CHECK((*first)->Remove(SystemFiles()).ok());
  CHECK(place.FileCount() == 0);
}

TEST_CASE("a worker notices that its file was unlinked, and its end leaves a stranger's file alone") {
  Place place;
  auto file = WorkerFile::Create(place.dir.path(), place.worker);
  REQUIRE(file.ok());
  REQUIRE(SystemFiles()->Remove(WorkersDir(place.dir.path()) + "/" + place.worker.text()).ok());
  CHECK_FALSE((*file)->Intact());
  auto other = WorkerFile::Create(place.dir.path(), place.worker);
  REQUIRE(other.ok());
  CHECK((*file)->Remove(SystemFiles()).ok());
  CHECK((*other)->Intact());
  CHECK((*other)->Remove(SystemFiles()).ok());
  CHECK((*other)->Remove(SystemFiles()).ok());  // once more changes nothing
  CHECK(place.FileCount() == 0);
}

TEST_CASE("a worker file in a directory that does not exist is an error") {
  Place place;
  CHECK_FALSE(WorkerFile::Create(place.dir.path() + "/absent", place.worker).ok());
  CHECK_FALSE(WorkerFile::TakeOver(place.dir.path() + "/absent", place.worker).ok());
}

}  // namespace
}  // namespace mediagen
