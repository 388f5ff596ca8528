// Follows generations to their rest: events for what happens on the way, an await for the end of each.
#pragma once

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "progress.h"
#include "settings.h"

namespace cli {

// Ctrl-C as a readable descriptor, while it lives. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  int fd() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
  struct sigaction before_ {};
};

struct Followed {
  std::string id;
  Json record;            // the last that is known
  mediagen::error error;  // code != 0: the await itself failed
  bool rested = false;
};

class Follower {
 public:
  static mediagen::result<Follower> Make(mediagen::engine* engine);

  // Submits a request and shows it on a line of its own. An error: it was not accepted.
  mediagen::result<mediagen::nothing> Add(const std::string& request, std::string title, Progress* progress);
  // Until all rest or Ctrl-C; false for the latter.
  bool Run(Progress* progress);
  std::vector<Followed>& all() { return followed_; }

 private:
  Follower(mediagen::engine* engine, mediagen::inbox inbox, mediagen::call events)
      : engine_(engine), inbox_(std::move(inbox)), events_(std::move(events)) {}
  void Take(const mediagen::inbox::notice& notice, Progress* progress);
  void End(size_t number, Progress* progress);

  mediagen::engine* engine_;
  mediagen::inbox inbox_;
  mediagen::call events_;
  std::vector<mediagen::call> calls_;  // calls_[i] awaits followed_[i]; its tag is i + 1
  std::vector<Followed> followed_;
  std::map<std::string, size_t> by_id_;
  size_t left_ = 0;
};

}  // namespace cli
