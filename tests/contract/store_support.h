// What the contract suites of floor 2's stores share.
//
// A suite is a header; a backend's test file says `using ContractBackend = …;` in namespace mediagen and
// includes it. ContractBackend is default-constructible (an empty store of its own) and has:
//   Store& store();                          the open store
//   void Reopen();                           stops it and opens the same data again
//   std::unique_ptr<Store> OpenAnother();    a second store over the same data
//   Clock* clock();  Id NewId();             ids ascend
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

#include "store/store.h"

namespace mediagen {

// Runs `body` in a transaction of its own. A lambda that returns a Status decides itself; one that returns
// nothing only checks.
template <typename Body>
Status Write(Store& store, Body body) {
  return store.Commit([&](Transaction& transaction) -> Status {
    if constexpr (std::is_void_v<decltype(body(transaction))>) {
      body(transaction);
      return OkStatus();
    } else {
      return body(transaction);
    }
  });
}

template <typename Body>
void Look(Store& store, Body body) {
  Status status = store.Read([&](const Snapshot& snapshot) {
    body(snapshot);
    return OkStatus();
  });
  CHECK_MESSAGE(status.ok(), std::string(status.message()));
}

// The value of `result`, or a failed test that says why not.
template <typename Value>
Value Must(StatusOr<Value> result) {
  REQUIRE_MESSAGE(result.ok(), std::string(result.status().message()));
  return std::move(result).value();
}
inline void Must(const Status& status) { REQUIRE_MESSAGE(status.ok(), std::string(status.message())); }

}  // namespace mediagen
