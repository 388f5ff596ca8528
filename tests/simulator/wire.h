// Wire: one provider's routes. All wires of the simulator share a journal, the work that was accepted, the
// faults that are to come, and the pictures.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "simulator/fault.h"
#include "simulator/journal.h"
#include "simulator/pictures.h"
#include "simulator/prediction.h"
#include "simulator/server.h"
#include "simulator/webhooks.h"

namespace mediagen::simulator {

struct Shared {
  explicit Shared(int64_t work_ms) : predictions(work_ms) {}
  Journal journal;
  Predictions predictions;
  Faults faults;
  Pictures pictures;
  Webhooks webhooks;
  std::string origin;  // where this server is reached; set before the first request
};

class Wire {
 public:
  explicit Wire(Shared* shared) : shared_(shared) {}
  virtual ~Wire() = default;
  // `path` is the request's without the wire's own prefix.
  virtual Reply Handle(const Request& request, const std::string& path) = 0;

 protected:
  Shared* const shared_;
};

// A paid request on its way: whatever becomes of it, its line is in the journal before the client hears
// anything.
struct Paid {
  Paid(Journal& journal, std::string provider, const Request& request)
      : journal(journal), provider(std::move(provider)), request(request) {}

  Journal& journal;
  const std::string provider;
  const Request& request;
  Json input;             // what tells one request from another: the journal and the faults go by it
  std::string id;         // once it is accepted
  bool unbilled = false;  // the error that is answered is one that the provider documents as not billed

  // The line is on the disk before this returns. When it is not, nobody may be told anything: the connection
  // is dropped.
  Reply Record(Reply reply, const std::string& answer, bool accepted) const;
  // Not accepted; definitely so when the status says it.
  Reply Reject(Reply reply) const;
  // Does what `fault` says (fault.h), or `accept`: which makes the work, sets `id`, and gives the answer. A
  // synchronous wire gives the whole result there.
  Reply Answer(const Json& fault, const std::function<Reply(const Json& fault)>& error,
               const std::function<Reply()>& accept);
};

int64_t NowMs();
Reply Answer(int status, const Json& json);
// Whether `text` begins and ends so, with something between: that is *middle.
bool StartsAndEnds(const std::string& text, std::string_view start, std::string_view end,
                   std::string* middle);

}  // namespace mediagen::simulator
