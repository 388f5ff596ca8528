// QueueHost: a host of mediagen's queue that waits for each call, for benchmarks that time single calls. An
// error ends the program with a sentence. Not thread-safe.
#pragma once

#include <mediagen/mediagen.h>

#include <string>
#include <string_view>

namespace mediagen::bench {

class QueueHost {
 public:
  // `settings` is the JSON of the queue "bench".
  QueueHost(const std::string& data_dir, std::string_view settings);
  ~QueueHost();
  QueueHost(const QueueHost&) = delete;
  QueueHost& operator=(const QueueHost&) = delete;

  // `jobs` is a job document or an array of them.
  void Enqueue(std::string_view jobs);
  // Begins to wait for one job; Taken waits for it and gives its document.
  mediagen_call* BeginClaim();
  std::string Taken(mediagen_call* claim);
  // Finishes the job of that document.
  void Finish(const std::string& job);

 private:
  mediagen_queue* queue_ = nullptr;
};

}  // namespace mediagen::bench
