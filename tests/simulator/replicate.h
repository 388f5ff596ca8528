// Replicate's wire, as a server sees it: create (three forms), get, list, cancel, files; and the simulator's
// own routes.
//
// Thread-safe.
#pragma once

#include <string>

#include "simulator/fault.h"
#include "simulator/journal.h"
#include "simulator/pictures.h"
#include "simulator/prediction.h"
#include "simulator/server.h"

namespace mediagen::simulator {

class Replicate {
 public:
  Replicate(Journal* journal, Predictions* predictions) : journal_(journal), predictions_(predictions) {}
  // Before the first request: where this server is reached.
  void set_origin(std::string origin) { origin_ = std::move(origin); }
  Reply Handle(const Request& request);

 private:
  struct Paid;  // a create, on its way

  Reply HandleApi(const Request& request, const std::string& path);
  Reply HandleOwn(const Request& request);
  Reply Create(const Request& request, const std::string& path);
  Reply Accept(Paid* paid, const Json& fault);
  Reply Get(const std::string& id);
  Reply List(const Request& request);
  Reply Cancel(const std::string& id);
  Reply File(const std::string& path);

  Journal* journal_;
  Predictions* predictions_;
  Faults faults_;
  Pictures pictures_;
  std::string origin_;
};

}  // namespace mediagen::simulator
