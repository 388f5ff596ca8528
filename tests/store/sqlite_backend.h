// The SQLite store as the contract suites want it.
#pragma once

#include <memory>
#include <string>

#include "base/id.h"
#include "contract/store_support.h"
#include "store/sqlite/open.h"
#include "support/fault_files.h"
#include "support/temp_dir.h"

namespace mediagen {

class SqliteBackend {
 public:
  explicit SqliteBackend(SqliteOptions options = {.relaxed = true}) : options_(std::move(options)) {
    if (options_.dir.empty()) options_.dir = dir_.path() + "/data";
    store_ = OpenAnother();
  }
  Store& store() { return *store_; }
  void Reopen() {
    store_->Stop();
    store_.reset();
    store_ = OpenAnother();
  }
  std::unique_ptr<Store> OpenAnother() { return Must(TryOpen()); }
  StatusOr<std::unique_ptr<Store>> TryOpen() {
    return OpenSqliteStore(&clock_, &files_, &metrics_, &log_, options_);
  }
  void Close() { store_.reset(); }

  FakeClock* clock() { return &clock_; }
  Id NewId() { return ids_.Next(); }
  const std::string& dir() const { return options_.dir; }
  std::string database() const { return options_.dir + "/mediagen.db"; }
  SqliteOptions& options() { return options_; }
  Metrics& metrics() { return metrics_; }
  testing::FaultFiles& files() { return files_; }
  LogSink& log() { return log_; }

 protected:
  testing::TempDir dir_;
  SqliteOptions options_;
  testing::FaultFiles files_;
  FakeClock clock_;
  Metrics metrics_;
  LogSink log_{&clock_};
  IdSource ids_{&clock_, SystemRandom()};
  std::unique_ptr<Store> store_;
};

}  // namespace mediagen
