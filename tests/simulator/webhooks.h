// Webhooks: what the simulator tells of its own accord, signed as each provider signs. They are sent from a
// thread of their own, to loopback alone, and again (six times at most) until they are taken.
//
//   POST /simulator/webhooks {"provider": "openai", "url": "http://127.0.0.1:…"}
//                               where those go that name no URL in their requests
//   GET /simulator/webhooks?count=N
//                               a line for every delivery: provider, id, status (0: nobody answered); waits
//                               for the first N of them, for 15 s at most
//
// The fault "webhook" of a request is an object:
//   {"never": true}             none is sent
//   {"early": true}             sent at once, before the submit's answer when that has a "delayMs"
//   {"times": N}                delivered N times, whatever is answered
//   {"badSignature": true}      by another key
//   {"stale": true}             of an hour ago
//   {"unsigned": true}          without any of the signature's headers
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "net/http_client.h"
#include "simulator/prediction.h"

namespace mediagen::simulator {

class Webhooks {
 public:
  ~Webhooks() { Stop(); }

  void SetUrl(const std::string& provider, const std::string& url);
  // Tells of `prediction` when its work ends, at its own URL or else the provider's; nothing without either.
  // `body` is made when it is sent.
  using Body = std::function<std::string()>;
  void Expect(const std::string& provider, const Prediction& prediction, Body body);
  // A line for every delivery, once there are `count`.
  std::string Text(size_t count);
  // Ends the thread; what is left is not sent.
  void Stop();

 private:
  struct Delivery {
    std::string provider, id, url;
    Json fault;
    Body body;
    int64_t times = 1;  // still to be taken
    int tries = 0;
  };
  void Run();
  void Send(Delivery delivery);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> urls_;  // by provider
  std::multimap<int64_t, Delivery> due_;     // by wall ms
  std::string text_;
  size_t lines_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// The headers that sign `body` as `provider` does, `now_s` being its time.
HttpHeaders SignWebhook(const std::string& provider, const std::string& id, const std::string& body,
                        int64_t now_s, bool bad);

}  // namespace mediagen::simulator
