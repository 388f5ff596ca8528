#include <doctest/doctest.h>

#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

OwnedStore OpenStore(std::string_view config = "") {
  mediagen_store* store = nullptr;
  REQUIRE(mediagen_store_open(MEDIAGEN_ABI, S(config), &store, nullptr) == MEDIAGEN_OK);
  return OwnedStore(store);
}

auto Define(const OwnedStore& store, std::string_view text) {
  return [&store, text](auto out, auto err) {
    return mediagen_store_define_begin(store.get(), S(text), nullptr, 0, out, err);
  };
}
auto Batch(const OwnedStore& store, std::string_view text) {
  return [&store, text](auto out, auto err) {
    return mediagen_store_batch_begin(store.get(), S(text), nullptr, 0, out, err);
  };
}
auto GetMany(const OwnedStore& store, std::string_view ids) {
  return [&store, ids](auto out, auto err) {
    return mediagen_store_get_many_begin(store.get(), S("orders"), S(ids), nullptr, 0, out, err);
  };
}
auto List(const OwnedStore& store, std::string query) {
  return [&store, query](auto out, auto err) {
    return mediagen_store_list_begin(store.get(), S("orders"), S(query), nullptr, 0, out, err);
  };
}

constexpr std::string_view kOrders =
    R"({"name": "orders", "indexes": [["user", "total desc"]], "unique": [["externalId"]]})";

void Fill(const OwnedStore& store) {
  Result(Define(store, kOrders));
  Result(Batch(
      store,
      R"({"writes": [{"put": "orders", "id": "o1", "value": {"user": "u1", "total": 3, "externalId": "x"}},
                                     {"put": "orders", "id": "o2", "value": {"user": "u1", "total": 9}},
                                     {"put": "orders", "id": "o3", "value": {"user": "u1", "total": 5}},
                                     {"put": "orders", "id": "o4", "value": {"user": "u2", "total": 7}}]})"));
}

}  // namespace

TEST_CASE("a batch is written and read back, in the order asked") {
  for (std::string_view config : {"", "manual"}) {
    OwnedStore store = OpenStore(config);
    Fill(store);
    Json values = Result(GetMany(store, R"(["o2", "absent", "o1"])"));
    CHECK(
        values ==
        Json::parse(R"([{"user": "u1", "total": 9}, null, {"user": "u1", "total": 3, "externalId": "x"}])"));
    Result(Batch(store, R"({"writes": [{"remove": "orders", "id": "o2"}]})"));
    CHECK(Result(GetMany(store, R"(["o2"])"))[0].is_null());
  }
}

TEST_CASE("a batch is all or nothing, its jobs included") {
  OwnedStore store = OpenStore();
  Fill(store);
  Json refused = Refusal(Batch(store, R"({"writes": [{"put": "orders", "id": "o9", "value": {"total": 1}},
                                                    {"put": "orders", "id": "o10", "value": {"externalId": "x"}}]})"));
  CHECK(refused["code"] == "conflict");
  CHECK(Result(GetMany(store, R"(["o9"])"))[0].is_null());
  Json result = Result(Batch(store, R"({"writes": [{"put": "orders", "id": "o9", "value": {"total": 1}}],
                                        "jobs": [{"queue": "email", "kind": "send", "payload": {"to": "o9"}}]})"));
  CHECK(result["jobs"].size() == 1);
}

TEST_CASE("pages go on by a cursor, in order, without overlap") {
  OwnedStore store = OpenStore();
  Fill(store);
  Json first = Result(List(store, R"({"filter": {"user": "u1"}, "sort": "total desc", "limit": 2})"));
  CHECK(first["data"][0] == Json::parse(R"({"id": "o2", "value": {"user": "u1", "total": 9}})"));
  CHECK(first["data"][1]["id"] == "o3");
  CHECK(first["pagination"]["hasMore"] == true);
  CHECK(first["pagination"]["limit"] == 2);
  CHECK(first["asOf"].get<std::string>().find(':') != std::string::npos);
  std::string cursor = first["pagination"]["nextCursor"];
  Json second = Result(List(
      store, R"({"filter": {"user": "u1"}, "sort": "total desc", "limit": 7, "cursor": ")" + cursor + "\"}"));
  REQUIRE(second["data"].size() == 1);
  CHECK(second["data"][0]["id"] == "o1");
  CHECK(second["pagination"]["hasMore"] == false);
  CHECK(second["pagination"]["nextCursor"].is_null());
  CHECK(Result(List(store, ""))["data"].size() == 4);
}

TEST_CASE("a cursor is bound to its query, and a forged one is refused") {
  OwnedStore store = OpenStore();
  Fill(store);
  Json first = Result(List(store, R"({"sort": "total", "limit": 1})"));
  std::string cursor = first["pagination"]["nextCursor"];
  CHECK(Refusal(List(store, R"({"sort": "total desc", "limit": 1, "cursor": ")" + cursor + "\"}"))["message"]
            .get<std::string>()
            .find("another") != std::string::npos);
  for (std::string bad : {std::string("c1."), std::string("c2.x.y"), cursor + "!",
                          cursor.substr(0, cursor.size() - 3), cursor.substr(0, 20)}) {
    CHECK(Refusal(List(store, R"({"sort": "total", "limit": 1, "cursor": ")" + bad + "\"}"))["code"] ==
          "invalid");
  }
}

TEST_CASE("malformed documents are refused by name, before anything is begun") {
  OwnedStore store = OpenStore();
  CHECK(Refusal(Define(store, "{"))["code"] == "invalid");
  CHECK(Refusal(Batch(store, R"({"writez": []})"))["message"].get<std::string>().find("writez") !=
        std::string::npos);
  CHECK(Refusal(GetMany(store, R"({"a": 1})"))["code"] == "invalid");
  CHECK(Refusal(List(store, R"({"limit": 0})"))["code"] == "invalid");
  CHECK(Refusal(GetMany(store, R"(["o1"])"))["code"] == "not_found");  // not defined
}

TEST_CASE("a store freed before its calls ends them") {
  OwnedStore store = OpenStore();
  mediagen_call* call = nullptr;
  REQUIRE(mediagen_store_define_begin(store.get(), S(kOrders), nullptr, 0, &call, nullptr) >= 0);
  store.reset();
  int32_t state = mediagen_call_wait(call, 30'000, nullptr);
  CHECK((state == MEDIAGEN_OK || state == MEDIAGEN_CLOSED));
  mediagen_call_free(call);
}
