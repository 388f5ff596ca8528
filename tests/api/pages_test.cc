// ReplyWithPage: what stands in for a page that can't be made, and for how long.
#include "api/pages.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "api/exchange.h"
#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::BodyOf;
using mediagen::testing::HeaderOf;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

struct Answer {
  int status;
  std::string x_cache, body;
  bool operator==(const Answer&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  return out << answer.status << ' ' << answer.x_cache << ' ' << answer.body;
}

struct Fixture {
  TempDir dir;
  Works works{dir.path(), "http://127.0.0.1:9"};
  FakeClock clock;
  std::unique_ptr<Cache> cache = NewMemoryCache(&clock, {});
  std::atomic<int64_t> followed{1 << 30};
  RouterParts parts{.pipeline = works.pipeline.get(),
                    .executor = works.executor.get(),
                    .clock = &clock,
                    .metrics = &works.metrics,
                    .cache = cache.get(),
                    .followed = &followed};
  Router router{parts, {}};
  int made = 0;

  Answer AskWith(std::function<StatusOr<std::string>()> make, const std::string& user = "ada") {
    Answer answer{};
    auto exchange = std::make_shared<ApiExchange>();
    exchange->request.method = "GET";
    exchange->request.path = "/v1/generations";
    exchange->viewer.user = user;
    exchange->done = [&](const Response& response) {
      answer = {response.status, HeaderOf(response, "X-Cache"), BodyOf(response)};
    };
    ReplyWithPage(router, exchange, std::move(make));
    if (answer.status != 200) answer.body = "";
    return answer;
  }
  Answer Ask(const StatusOr<std::string>& page, const std::string& user = "ada") {
    return AskWith(
        [&] {
          ++made;
          return page;
        },
        user);
  }
};

const Status kAway = Error(Code::kUnavailable, "The database does not answer.");
const Status kWrong = Error(Code::kInvalid, "The cursor is none.");

}  // namespace

TEST_CASE("a page that can't be made is answered from memory for a minute, and tried again each second") {
  Fixture f;
  CHECK(f.Ask("one") == Answer{200, "MISS", "one"});
  CHECK(f.Ask(kAway) == Answer{200, "HIT", "one"});
  f.clock.Advance(5'000);
  CHECK(f.Ask(kAway) == Answer{200, "STALE", "one"});
  CHECK(f.made == 2);
  CHECK(f.Ask("two") == Answer{200, "STALE", "one"});
  CHECK(f.made == 2);  // the last failure is not a second old
  f.clock.Advance(1'000);
  CHECK(f.Ask("two") == Answer{200, "MISS", "two"});
  CHECK(f.Ask(kAway) == Answer{200, "HIT", "two"});

  f.clock.Advance(59'999);
  CHECK(f.Ask(kAway) == Answer{200, "STALE", "two"});
  f.clock.Advance(1);
  CHECK(f.Ask(kAway) == Answer{503, "-", ""});
}

TEST_CASE("a page is answered while it is made anew") {
  Fixture f;
  CHECK(f.Ask("one") == Answer{200, "MISS", "one"});
  f.clock.Advance(5'000);
  Answer meanwhile{};
  const Answer refreshed = f.AskWith([&]() -> StatusOr<std::string> {
    meanwhile = f.Ask("of nobody");
    return "two";
  });
  CHECK(meanwhile == Answer{200, "STALE", "one"});
  CHECK(refreshed == Answer{200, "MISS", "two"});
  CHECK(f.made == 1);  // only the first
}

TEST_CASE("nothing stands in for a refusal, for another's page, or for one that an event has dropped") {
  Fixture f;
  CHECK(f.Ask("one") == Answer{200, "MISS", "one"});
  f.clock.Advance(5'000);
  CHECK(f.Ask(kWrong) == Answer{400, "-", ""});
  CHECK(f.Ask(kAway, "bob") == Answer{503, "-", ""});
  ForgetPages(f.cache.get(), "ada");
  CHECK(f.Ask(kAway) == Answer{503, "-", ""});
}

TEST_CASE("while memory is behind the log no page comes from it") {
  Fixture f;
  CHECK(f.Ask("one") == Answer{200, "MISS", "one"});
  f.followed = -1;
  CHECK(f.Ask("two") == Answer{200, "MISS", "two"});
  CHECK(f.Ask(kAway) == Answer{503, "-", ""});
}
