// ManualEngine: a whole engine on the test's own thread, whose clock, files and database fail and jump as the
// test says.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/hash.h"
#include "base/json.h"
#include "blob/fs/fs.h"
#include "engine/engine.h"
#include "simulator/wires.h"
#include "support/fault_files.h"
#include "support/fault_vfs.h"
#include "support/simulator.h"
#include "support/temp_dir.h"

namespace mediagen::testing {

struct ManualEngine {
  TempDir dir;
  FakeClock clock;
  FaultFiles files;
  FaultVfs vfs;
  std::shared_ptr<Engine> engine;

  // With the simulator's wires at `origin`, if any.
  explicit ManualEngine(const std::string& origin = "") {
    Json config = {{"dataDir", dir.path()}, {"workers", "manual"}, {"providers", Json::object()}};
    for (const auto& [name, path] : simulator::kWires) {
      if (!origin.empty())
        config["providers"][name] = {
            {"baseUrl", origin + path}, {"apiKey", "simulated"}, {"allowPrivateNetwork", true}};
    }
    EngineEnvironment environment;
    environment.clock = &clock;
    environment.files = &files;
    environment.sqlite_vfs = vfs.name();
    auto opened = Engine::Open(Dump(config), environment);
    if (!opened.ok()) FAIL(ErrorJson(opened.status()));
    engine = *opened;
  }
  ~ManualEngine() {
    Heal();
    engine->Close(0, [](Status) {});
  }

  void Heal() {
    files.Heal();
    vfs.Heal();
  }
  // Does what is due, then lets time pass.
  void Step(int times = 1) {
    for (int i = 0; i < times; ++i) {
      engine->Drive(1);
      clock.Advance(100);
    }
  }
  // What `begin` is answered with, however many steps that takes.
  StatusOr<Json> Wait(const std::function<void(Reply)>& begin) {
    auto got = std::make_shared<std::optional<StatusOr<BufferRef>>>();
    begin([got](StatusOr<BufferRef> record) { *got = std::move(record); });
    for (int i = 0; i < 10'000 && !got->has_value(); ++i) Step();
    if (!got->has_value()) return Error(Code::kTimeout, "no reply in 1000 seconds of the clock");
    if (!(*got)->ok()) return (*got)->status();
    return Json::parse((**got)->view());
  }
  StatusOr<Json> Submit(const Json& request) {
    return Wait([&](Reply reply) { engine->Submit(Dump(request), std::move(reply)); });
  }
  StatusOr<Json> Rest(const std::string& id) {
    Unsubscribe give_up;
    return Wait([&](Reply reply) { give_up = engine->Await("", id, std::move(reply)); });
  }
  // Whether every output's file holds the bytes that its row speaks of.
  bool Served(const std::string& id) {
    auto blobs = OpenFileBlobs(SystemFiles(), dir.path() + "/blobs");
    bool good = blobs.ok();
    const Id generation = *Id::Parse(id);
    Status read = engine->backend().store->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(auto outputs, snapshot.records().OutputsOf(std::span(&generation, 1)));
      for (const Output& output : outputs) {
        auto bytes = (*blobs)->Get(output.blob_key, 64 << 20);
        good = good && bytes.ok() && Hex(Sha256(bytes->view())) == output.sha256;
      }
      return OkStatus();
    });
    return good && read.ok();
  }
};

}  // namespace mediagen::testing
