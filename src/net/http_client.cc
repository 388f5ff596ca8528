#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/fork.h"
#include "fmt/format.h"
#include "net/exchange.h"

namespace mediagen {
namespace {

constexpr int64_t kIdlePollMs = 60'000;

// Once a process; its counterpart is never called: other users of libcurl may live on in the host.
Status InitCurl() {
  static std::once_flag once;
  static CURLcode code = CURLE_OK;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (code == CURLE_OK) return OkStatus();
  return Error(Code::kInternal, fmt::format("libcurl cannot start: {}.", curl_easy_strerror(code)));
}

// How often each outcome came, and how long it took.
class ExchangeMetrics {
 public:
  explicit ExchangeMetrics(Metrics* metrics) : on_(metrics != nullptr) {
    if (!on_) return;
    constexpr const char* kName = "mediagen_http_exchanges_total";
    constexpr const char* kHelp = "HTTP exchanges that ended, by how far they came.";
    not_sent_ = metrics->AddCounter(kName, kHelp, {{"progress", "not_sent"}});
    sent_ = metrics->AddCounter(kName, kHelp, {{"progress", "sent"}});
    answered_ = metrics->AddCounter(kName, kHelp, {{"progress", "answered"}});
    seconds_ = metrics->AddHistogram("mediagen_http_exchange_seconds", "How long HTTP exchanges took.",
                                     {0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300});
  }
  void Observe(const HttpResponse& response) {
    if (!on_) return;
    Counter& counter = response.progress == HttpProgress::kNotSent ? not_sent_
                       : response.progress == HttpProgress::kSent  ? sent_
                                                                   : answered_;
    counter.Add();
    seconds_.Observe(static_cast<double>(response.elapsed_ms) / 1000);
  }

 private:
  const bool on_;
  Counter not_sent_, sent_, answered_;
  Histogram seconds_;
};

class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient(Clock* clock, Executor* executor, Metrics* metrics, const HttpClientOptions& options,
                 CURLM* multi)
      : clock_(clock),
        executor_(executor),
        metrics_(metrics),
        user_agent_(options.user_agent),
        threaded_(options.threaded),
        multi_(multi) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.max_connections));
    if (threaded_) thread_.emplace("mediagen-net", [this] { Loop(); });
  }

  ~CurlHttpClient() override {
    if (fork_guard_.forked()) {
      // The thread is not here and the connections are the parent's: nothing is joined, nothing is closed
      // with a goodbye.
      if (thread_) thread_->Abandon();
      for (auto& [id, exchange] : running_) (void)exchange.release();
      return;
    }
    Stop();
    curl_multi_cleanup(multi_);
  }

  HttpCallId Send(HttpRequest request, HttpDone done) override {
    const HttpCallId id = ++last_id_;
    if (fork_guard_.forked()) {
      HttpResponse response;
      response.transport =
          Error(Code::kForked, "The HTTP client was made before a fork and cannot be used in the child.",
                {.hint = "Open a new engine in the child process."});
      done(std::move(response));
      return id;
    }
    auto exchange = std::make_unique<Exchange>(id, std::move(request), std::move(done), clock_, user_agent_);
    ++active_;
    {
      std::lock_guard lock(mutex_);
      if (!stopping_) {
        incoming_.push_back(std::move(exchange));
      }
    }
    if (exchange != nullptr) {
      exchange->Abort(Error(Code::kClosed, "The HTTP client is stopped."));
      Deliver(std::move(exchange));
    } else {
      Wake();
    }
    return id;
  }

  void Cancel(HttpCallId call) override {
    if (fork_guard_.forked()) return;
    {
      std::lock_guard lock(mutex_);
      canceled_.push_back(call);
    }
    Wake();
  }

  bool Poll(int64_t wait_ms) override {
    if (threaded_ || fork_guard_.forked()) return false;
    std::lock_guard driving(drive_mutex_);
    return Turn(wait_ms);
  }

  void Wake() override {
    if (!fork_guard_.forked()) curl_multi_wakeup(multi_);
  }

  size_t active() const override { return active_.load(); }

  void Stop() override {
    if (fork_guard_.forked()) return;
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    Wake();
    if (threaded_) {
      std::lock_guard joining(stop_mutex_);
      thread_->Join();
    } else {
      std::lock_guard driving(drive_mutex_);
      AbortAll();
    }
  }

 private:
  using Running = std::unordered_map<HttpCallId, std::unique_ptr<Exchange>>;

  void Loop() {
    while (!stopping()) Turn(kIdlePollMs);
    AbortAll();
  }

  bool stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  // One round: take what was asked for, wait, let curl work, give back what ended. True when anything
  // happened.
  bool Turn(int64_t wait_ms) {
    bool happened = TakeIncoming();
    happened = Perform() || happened;
    if (happened) wait_ms = 0;
    int ready = 0;
    curl_multi_poll(multi_, nullptr, 0,
                    static_cast<int>(std::clamp<int64_t>(WaitMs(wait_ms), 0, kIdlePollMs)), &ready);
    happened = TakeIncoming() || happened;
    return Perform() || ready > 0 || happened;
  }

  // A stall is noticed by curl's progress callback, which runs when the loop turns.
  int64_t WaitMs(int64_t wait_ms) const {
    int64_t stall_at = INT64_MAX;
    for (const auto& [id, exchange] : running_) stall_at = std::min(stall_at, exchange->stall_at_ms());
    if (stall_at == INT64_MAX) return wait_ms;
    return std::min(wait_ms, std::max<int64_t>(stall_at - SystemClock()->MonotonicMs(), 1));
  }

  bool TakeIncoming() {
    std::vector<std::unique_ptr<Exchange>> incoming;
    std::vector<HttpCallId> canceled;
    {
      std::lock_guard lock(mutex_);
      incoming.swap(incoming_);
      canceled.swap(canceled_);
    }
    for (auto& exchange : incoming) {
      if (std::find(canceled.begin(), canceled.end(), exchange->id()) != canceled.end()) {
        exchange->Abort(Canceled());
        Deliver(std::move(exchange));
      } else {
        Start(std::move(exchange));
      }
    }
    for (HttpCallId call : canceled) {
      auto it = running_.find(call);
      if (it != running_.end()) AbortRunning(it, Canceled());
    }
    return !incoming.empty() || !canceled.empty();
  }

  static Status Canceled() { return Error(Code::kCanceled, "The HTTP exchange was canceled."); }

  void Start(std::unique_ptr<Exchange> exchange) {
    Status begun = exchange->Begin();
    if (begun.ok()) begun = AddToMulti(*exchange);
    if (begun.ok()) {
      const HttpCallId id = exchange->id();
      running_.emplace(id, std::move(exchange));
    } else {
      exchange->Abort(std::move(begun));
      Deliver(std::move(exchange));
    }
  }

  Status AddToMulti(Exchange& exchange) {
    CURLMcode code = curl_multi_add_handle(multi_, exchange.easy());
    if (code == CURLM_OK) return OkStatus();
    return Error(Code::kInternal,
                 fmt::format("libcurl takes no further exchange: {}.", curl_multi_strerror(code)));
  }

  bool Perform() {
    int running = 0, left = 0;
    curl_multi_perform(multi_, &running);
    bool happened = false;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      happened = true;
      const CURLcode code = message->data.result;  // the message dies with the removal
      CURL* easy = message->easy_handle;
      Exchange* exchange = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
      curl_multi_remove_handle(multi_, easy);
      OnHopDone(*exchange, code);
    }
    return happened;
  }

  void OnHopDone(Exchange& exchange, CURLcode code) {
    auto it = running_.find(exchange.id());
    if (!exchange.HopDone(code)) {
      Status added = AddToMulti(exchange);
      if (added.ok()) return;
      exchange.Abort(std::move(added));
    }
    std::unique_ptr<Exchange> ended = std::move(it->second);
    running_.erase(it);
    Deliver(std::move(ended));
  }

  void AbortRunning(Running::iterator it, Status why) {
    std::unique_ptr<Exchange> exchange = std::move(it->second);
    running_.erase(it);
    curl_multi_remove_handle(multi_, exchange->easy());
    exchange->Abort(std::move(why));
    Deliver(std::move(exchange));
  }

  void AbortAll() {
    TakeIncoming();
    while (!running_.empty())
      AbortRunning(running_.begin(), Error(Code::kCanceled, "The HTTP client is stopping."));
  }

  // Hands the outcome to its owner, on the executor, or here when that has stopped.
  void Deliver(std::unique_ptr<Exchange> exchange) {
    metrics_.Observe(exchange->response());
    auto response = std::make_shared<HttpResponse>(std::move(exchange->response()));
    auto done = std::make_shared<HttpDone>(std::move(exchange->done()));
    exchange.reset();
    --active_;
    if (!executor_->Post([done, response] { (*done)(std::move(*response)); })) (*done)(std::move(*response));
  }

  Clock* clock_;
  Executor* executor_;
  ExchangeMetrics metrics_;
  const std::string user_agent_;
  const bool threaded_;
  ForkGuard fork_guard_;
  std::atomic<HttpCallId> last_id_{0};
  std::atomic<size_t> active_{0};

  std::mutex mutex_;  // guards the four below
  std::vector<std::unique_ptr<Exchange>> incoming_;
  std::vector<HttpCallId> canceled_;
  bool stopping_ = false;

  std::mutex drive_mutex_;  // held by whoever drives the loop; only when not threaded
  std::mutex stop_mutex_;
  CURLM* const multi_;
  Running running_;               // only the driving thread
  std::optional<Thread> thread_;  // last: it uses all of the above
};

}  // namespace

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

StatusOr<std::unique_ptr<HttpClient>> NewHttpClient(Clock* clock, Executor* executor, Metrics* metrics,
                                                    const HttpClientOptions& options) {
  RETURN_IF_ERROR(InitCurl());
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return Error(Code::kOverloaded, "No memory for the HTTP client.");
  return std::unique_ptr<HttpClient>(
      std::make_unique<CurlHttpClient>(clock, executor, metrics, options, multi));
}

}  // namespace mediagen
