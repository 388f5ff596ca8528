#include "follow.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace cli {
namespace {

volatile int interrupt_fd = -1;

void OnInterrupt(int) {
  char byte = 1;
  [[maybe_unused]] ssize_t ignored = write(interrupt_fd, &byte, 1);
}

}  // namespace

Interrupt::Interrupt() {
  if (pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) return;  // Ctrl-C then ends the program
  interrupt_fd = ends_[1];
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() {
  if (ends_[0] < 0) return;
  sigaction(SIGINT, &before_, nullptr);
  interrupt_fd = -1;
  close(ends_[0]);
  close(ends_[1]);
}

mediagen::result<Follower> Follower::Make(mediagen::engine* engine) {
  mediagen::result<mediagen::inbox> inbox = mediagen::inbox::make();
  if (!inbox) return inbox.error();
  // Before anything is submitted: no event is missed.
  mediagen::call events = engine->subscribe(R"({"topics": ["generations"]})", "", {*inbox, 0});
  if (!events.begun()) return events.refusal();
  return Follower(engine, *std::move(inbox), std::move(events));
}

mediagen::result<mediagen::nothing> Follower::Add(const std::string& request, std::string title,
                                                  Progress* progress) {
  mediagen::result<mediagen::bytes> accepted = engine_->submit(request).wait();
  if (!accepted) return accepted.error();
  size_t number = progress->Add(std::move(title));
  Json record = Parse(*accepted);
  std::string id = TextAt(record, "id");
  progress->Update(number, record);
  followed_.push_back({id, std::move(record), {}, false});
  by_id_[id] = number;
  ++left_;
  calls_.push_back(engine_->await(id, "", {inbox_, number + 1}));
  if (calls_.back().ended_at_once()) End(number, progress);
  return mediagen::nothing();
}

void Follower::End(size_t number, Progress* progress) {
  Followed& one = followed_[number];
  if (one.rested) return;
  one.rested = true;
  --left_;
  mediagen::result<mediagen::bytes> record = calls_[number].document();
  if (!record) {
    one.error = record.error();
    progress->End(number, record.error().message);
    return;
  }
  one.record = Parse(*record);
  progress->End(number, TextAt(one.record, "status"));
}

void Follower::Take(const mediagen::inbox::notice& notice, Progress* progress) {
  if (notice.kind == MEDIAGEN_KIND_DONE && notice.tag > 0) return End(notice.tag - 1, progress);
  if (notice.kind != MEDIAGEN_KIND_EVENT) return;
  Json event = Parse(notice.event);
  auto at = by_id_.find(TextAt(event, "object"));
  if (at != by_id_.end() && event.contains("data")) progress->Update(at->second, event["data"]);
}

bool Follower::Run(Progress* progress) {
  Interrupt interrupt;
  while (left_ > 0) {
    while (mediagen::inbox::notice notice = inbox_.next()) Take(notice, progress);
    if (left_ == 0) break;
    pollfd entries[2] = {{inbox_.fd(), POLLIN, 0}, {interrupt.fd(), POLLIN, 0}};
    (void)poll(entries, 2, -1);
    if (entries[1].revents != 0) return false;
  }
  return true;
}

}  // namespace cli
