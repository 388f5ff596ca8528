// A provider's webhook all the way: from its own HTTP client to a server that hands it to the engine.
#include <doctest/doctest.h>

#include <future>

#include "base/json.h"
#include "engine/engine.h"
#include "fmt/format.h"
#include "simulator/wires.h"
#include "support/served.h"
#include "support/simulator.h"
#include "support/temp_dir.h"

using namespace mediagen;
using mediagen::testing::LoopbackServer;
using mediagen::testing::ServedRequest;
using mediagen::testing::Serving;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;

namespace {

StatusOr<Json> Await(const std::function<void(Reply)>& begin) {
  std::promise<StatusOr<BufferRef>> promise;
  begin([&](StatusOr<BufferRef> value) { promise.set_value(std::move(value)); });
  auto value = promise.get_future().get();
  if (!value.ok()) return value.status();
  return Json::parse((*value)->view());
}

}  // namespace

TEST_CASE("a paid request whose answer was lost is found by its webhook over HTTP, below the mount") {
  TempDir dir;
  Simulator simulator;
  std::shared_ptr<Engine> engine;
  {
    LoopbackServer server(Serving([&](const ServedRequest& request) {
      std::promise<int> status;
      engine->Handle(request.method, request.target, request.headers, R"({"ip": "127.0.0.1"})", "/media",
                     BufferRef::Own(request.body),
                     [&](Response response) { status.set_value(response.status); });
      return status.get_future().get();
    }));
    Json config = {{"dataDir", dir.path()}, {"publicBaseUrl", server.url("/media")}};
    for (const auto& [name, path] : simulator::kWires) {
      config["providers"][name] = {
          {"baseUrl", simulator.url() + path}, {"apiKey", "simulated"}, {"allowPrivateNetwork", true}};
    }
    config["providers"]["openrouter"]["webhookSecret"] = simulator::kOpenRouterWebhookSecret;
    auto opened = Engine::Open(Dump(config));
    if (!opened.ok()) FAIL(ErrorJson(opened.status()));
    engine = *opened;

    const Json requests[] = {{{"provider", "fal"}, {"model", "fal-ai/flux/dev"}, {"size", "64x64"}},
                             {{"provider", "openrouter"}, {"model", "google/veo-3.1"}, {"kind", "video"}}};
    size_t told = 0;
    for (Json request : requests) {
      CAPTURE(request.dump());
      simulator.Next({{"drop", "after-read"}});
      request["user"] = "u1";
      request["prompt"] = "a lost fox";
      auto record = Await([&](Reply reply) { engine->Submit(Dump(request), std::move(reply)); });
      REQUIRE(record.ok());
      const std::string id = (*record)["id"];
      ++told;
      CHECK(simulator.Webhooks(told).back()["status"] == 204);
      Unsubscribe give_up;
      auto done = Await([&](Reply reply) { give_up = engine->Await("", id, std::move(reply)); });
      REQUIRE(done.ok());
      CHECK((*done)["status"] == "completed");
      CHECK(simulator.Journal().size() == told);
    }
  }
  std::promise<void> closed;
  engine->Close(2000, [&](Status) { closed.set_value(); });
  closed.get_future().wait();
}
