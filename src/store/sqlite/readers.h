// Readers: a pool of read connections. Each Read is one read transaction: one consistent view, whoever writes
// meanwhile.
//
// Thread-safe. A reader that stays open keeps the WAL from being reset (measured: 4 → 25 MB), so a Read must
// be short.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/locks.h"
#include "store/store.h"

namespace mediagen {

class Readers {
 public:
  // `locks` and `clock` must outlive it. At most `most` connections at a time.
  Readers(Clock* clock, WriteLocks* locks, Connection::Options connection, int most)
      : clock_(clock), locks_(locks), options_(std::move(connection)), most_(most < 1 ? 1 : most) {}

  // Opens one connection, so that an unreadable database is found out at once.
  Status Start();
  // Waits while all connections are out. kClosed after Stop.
  Status Read(const std::function<Status(const Snapshot&)>& read);
  // Waits for those that read, and closes all.
  void Stop();
  void Abandon();

 private:
  struct Reader {
    std::unique_ptr<Connection> connection;
    int64_t opened_ms = 0;
  };
  StatusOr<Reader> Open();
  StatusOr<Reader> Acquire();
  void Return(Reader reader, bool healthy);

  Clock* clock_;
  WriteLocks* locks_;
  const Connection::Options options_;
  const int most_;
  std::mutex mutex_;
  std::condition_variable free_cv_;
  std::vector<Reader> idle_;
  int out_ = 0;
  bool stopped_ = false;
};

}  // namespace mediagen
