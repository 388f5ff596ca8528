// Budgets and estimates of the configuration: read exactly, or refused by name.
#include <doctest/doctest.h>

#include "engine/config.h"

using namespace mediagen;

namespace {

StatusOr<Config> Parse(const std::string& json) {
  return ParseConfig(json, [](const std::string&) { return std::nullopt; });
}

}  // namespace

TEST_CASE("budgets are decimal amounts of USD in a UTC period") {
  auto config = Parse(R"({"budgets": {"perUser": {"amount": "5.00", "currency": "USD", "per": "day"},
                          "perProvider": {"fal": {"amount": "0.000001", "per": "month"}, "mine": {"amount": "7", "per": "total"}}},
                          "providers": {"mine": {"type": "openai"}}})");
  REQUIRE_MESSAGE(config.ok(), ErrorJson(config.status()));
  REQUIRE(config->budgets.per_user);
  CHECK(config->budgets.per_user->limit_micros == 5'000'000);
  CHECK(config->budgets.per_user->period == Period::kDay);
  CHECK(config->budgets.per_provider.at("fal").limit_micros == 1);
  CHECK(config->budgets.per_provider.at("fal").period == Period::kMonth);
  CHECK(config->budgets.per_provider.at("mine").limit_micros == 7'000'000);
  auto none = Parse(R"({"budgets": {"perUser": null}})");
  REQUIRE(none.ok());
  CHECK_FALSE(none->budgets.per_user);
  CHECK(none->budgets.per_provider.empty());
}

TEST_CASE("estimates are decimal amounts of USD by model") {
  auto config = Parse(R"({"providers": {"fal": {"estimates": {"fal-ai/flux/dev": "0.025", "*": "0.04"}}}})");
  REQUIRE_MESSAGE(config.ok(), ErrorJson(config.status()));
  for (const ProviderConfig& provider : config->providers) {
    if (provider.name != "fal") continue;
    CHECK(provider.estimates.at("fal-ai/flux/dev") == 25'000);
    CHECK(provider.estimates.at("*") == 40'000);
    auto adapter = NewAdapter(provider);
    REQUIRE(adapter.ok());
    CHECK((*adapter)->EstimateMicros({.model = "fal-ai/flux/dev", .n = 3}) == 75'000);
    CHECK((*adapter)->EstimateMicros({.model = "fal-ai/other", .n = 2}) == 80'000);
  }
}

TEST_CASE("an amount that is not exact, a period or a currency that is not known is refused and named") {
  struct Row {
    const char* json;
    Code code;
    const char* named;
  };
  for (const Row& row :
       {Row{R"({"budgets": 5})", Code::kInvalid, "budgets"},
        Row{R"({"budgets": {"perTeam": {}}})", Code::kInvalid, "perTeam"},
        Row{R"({"budgets": {"perUser": {"per": "day"}}})", Code::kInvalid, "amount"},
        Row{R"({"budgets": {"perUser": {"amount": 5, "per": "day"}}})", Code::kInvalid, "decimal string"},
        Row{R"({"budgets": {"perUser": {"amount": "5,00", "per": "day"}}})", Code::kInvalid, "5,00"},
        Row{R"({"budgets": {"perUser": {"amount": "-1", "per": "day"}}})", Code::kInvalid, "-1"},
        Row{R"({"budgets": {"perUser": {"amount": "5"}}})", Code::kInvalid, "per"},
        Row{R"({"budgets": {"perUser": {"amount": "5", "per": "week"}}})", Code::kInvalid,
            "hour, day, month, total"},
        Row{R"({"budgets": {"perUser": {"amount": "5", "per": "day", "currency": "EUR"}}})",
            Code::kUnsupported, "EUR"},
        Row{R"({"budgets": {"perUser": {"amount": "5", "per": "day", "soft": true}}})", Code::kInvalid,
            "soft"},
        Row{R"({"budgets": {"perProvider": {"fall": {"amount": "5", "per": "day"}}}})", Code::kInvalid,
            "fall"},
        Row{R"({"budgets": {"perProvider": {"fal": "5"}}})", Code::kInvalid, "fal"},
        Row{R"({"providers": {"fal": {"estimates": {"*": 0.04}}}})", Code::kInvalid, "decimal string"},
        Row{R"({"providers": {"fal": {"estimates": {"*": "cheap"}}}})", Code::kInvalid, "cheap"},
        Row{R"({"providers": {"fal": {"estimates": ["0.04"]}}})", Code::kInvalid, "estimates"}}) {
    CAPTURE(row.json);
    auto config = Parse(row.json);
    CHECK(CodeOf(config.status()) == row.code);
    CHECK(InfoOf(config.status()).message.find(row.named) != std::string::npos);
  }
}
