// The contract of Collections. See store_support.h for how a backend includes it.
#pragma once

#include "contract/store_support.h"

namespace mediagen {

namespace collection_contract {

inline CollectionDefinition Orders() {
  return {.name = "orders",
          .indexes = {{"user", "createdAt desc"}},
          .unique = {{"externalId"}, {"shop.id", "number"}}};
}
inline Status Put(Store& store, std::string_view id, const Json& value) {
  return Write(store, [&](Transaction& t) { return t.collections().Put("orders", id, Dump(value)); });
}
inline void Define(Store& store, const CollectionDefinition& definition) {
  Must(Write(store, [&](Transaction& t) { return t.collections().Define(definition); }));
}
inline StatusOr<std::vector<CollectionRow>> List(Store& store, const CollectionQuery& query) {
  StatusOr<std::vector<CollectionRow>> rows = std::vector<CollectionRow>();
  Look(store, [&](const Snapshot& s) { rows = s.collections().List("orders", query); });
  return rows;
}
// Every id of a listing, page by page, by the keyset of the last row.
inline std::string Walk(Store& store, CollectionQuery query) {
  std::string ids;
  std::string field = query.sort.substr(0, query.sort.find(' '));
  while (true) {
    std::vector<CollectionRow> rows = Must(List(store, query));
    bool more = rows.size() > static_cast<size_t>(query.limit);
    if (more) rows.resize(static_cast<size_t>(query.limit));
    for (const CollectionRow& row : rows) ids += row.id;
    if (!more) return ids;
    Json last = Must(ParseJson(rows.back().value_json, "row"));
    query.after =
        Json::array({field == "id" ? Json(rows.back().id) : last.value(field, Json()), rows.back().id});
  }
}

}  // namespace collection_contract

TEST_CASE("a definition is parsed strictly") {
  CollectionDefinition parsed = Must(ParseCollection(
      Json::parse(R"({"name":"orders","indexes":[["user","createdAt desc"]],"unique":[["externalId"]]})")));
  CHECK(parsed.name == "orders");
  CHECK(parsed.indexes == std::vector<std::vector<std::string>>{{"user", "createdAt desc"}});
  CHECK(parsed.unique == std::vector<std::vector<std::string>>{{"externalId"}});
  for (const char* bad : {R"({})", R"({"name":"Orders"})", R"({"name":"1x"})",
                          R"({"name":"o; DROP TABLE job"})", R"({"name":"o","indexes":"user"})",
                          R"({"name":"o","indexes":[[]]})", R"({"name":"o","indexes":[[1]]})",
                          R"({"name":"o","indexes":[["a'b"]]})", R"({"name":"o","indexes":[["a..b"]]})",
                          R"({"name":"o","unique":[["a."]]})", R"({"name":"o","primary":"x"})", R"([])"}) {
    CHECK_MESSAGE(CodeOf(ParseCollection(Json::parse(bad)).status()) == Code::kInvalid, bad);
  }
}

TEST_CASE("records are put, replaced, fetched in the order asked, and removed") {
  using namespace collection_contract;
  ContractBackend backend;
  Define(backend.store(), Orders());
  Must(Put(backend.store(), "a", {{"n", 1}}));
  Must(Put(backend.store(), "b", {{"n", 2}}));
  Must(Put(backend.store(), "a", {{"n", 3}}));
  backend.Reopen();
  auto get = [&] {
    std::vector<std::optional<std::string>> values;
    const std::string ids[] = {"b", "none", "a"};
    Look(backend.store(), [&](const Snapshot& s) { values = Must(s.collections().GetMany("orders", ids)); });
    return values;
  };
  CHECK(get() == std::vector<std::optional<std::string>>{R"({"n":2})", std::nullopt, R"({"n":3})"});
  Must(Write(backend.store(), [&](Transaction& t) { return t.collections().Remove("orders", "b"); }));
  CHECK(get() == std::vector<std::optional<std::string>>{std::nullopt, std::nullopt, R"({"n":3})"});
}

TEST_CASE("what is not a record of a defined collection is refused") {
  using namespace collection_contract;
  ContractBackend backend;
  CHECK(CodeOf(Put(backend.store(), "a", Json::object())) == Code::kNotFound);
  Define(backend.store(), Orders());
  auto put = [&](std::string_view id, std::string_view value) {
    return CodeOf(
        Write(backend.store(), [&](Transaction& t) { return t.collections().Put("orders", id, value); }));
  };
  CHECK(put("a", "[1]") == Code::kInvalid);
  CHECK(put("a", "{") == Code::kInvalid);
  CHECK(put("", "{}") == Code::kInvalid);
  CHECK(put(std::string(129, 'x'), "{}") == Code::kInvalid);
  CHECK(put(std::string(128, 'x'), "{}") == Code::kOk);
}

TEST_CASE("a unique field is unique, its absence is not, and the conflict names it") {
  using namespace collection_contract;
  ContractBackend backend;
  Define(backend.store(), Orders());
  Must(Put(backend.store(), "a", {{"externalId", "x"}, {"shop", {{"id", 1}}}, {"number", 1}}));
  Must(Put(backend.store(), "b", {{"shop", {{"id", 1}}}, {"number", 2}}));
  Must(Put(backend.store(), "c", Json::object()));
  Must(Put(backend.store(), "d", Json::object()));
  Status external = Put(backend.store(), "e", {{"externalId", "x"}});
  CHECK(CodeOf(external) == Code::kConflict);
  CHECK(InfoOf(external).object == "externalId");
  Status pair = Put(backend.store(), "e", {{"shop", {{"id", 1}}}, {"number", 2}});
  CHECK(CodeOf(pair) == Code::kConflict);
  CHECK(InfoOf(pair).object == "shop.id, number");
  Must(Put(backend.store(), "a", {{"externalId", "x"}, {"more", true}}));  // its own value is no clash
}

TEST_CASE("defining again adds indexes; a unique one over duplicates is a conflict") {
  using namespace collection_contract;
  ContractBackend backend;
  CollectionDefinition definition = Orders();
  Define(backend.store(), definition);
  Define(backend.store(), definition);
  Must(Put(backend.store(), "a", {{"email", "x"}}));
  Must(Put(backend.store(), "b", {{"email", "x"}}));
  definition.indexes.push_back({"email"});
  Define(backend.store(), definition);
  definition.unique.push_back({"email"});
  Status clash = Write(backend.store(), [&](Transaction& t) { return t.collections().Define(definition); });
  CHECK(CodeOf(clash) == Code::kConflict);
  CHECK(InfoOf(clash).object == "email");
  CHECK(Must(List(backend.store(), {.filter = {{"email", "x"}}})).size() == 2);
}

TEST_CASE("listings filter by equality and page by keyset, absent sort values included") {
  using namespace collection_contract;
  ContractBackend backend;
  Define(backend.store(), Orders());
  const std::pair<const char*, Json> rows[] = {{"a", {{"user", "ada"}, {"createdAt", 5}, {"paid", true}}},
                                               {"b", {{"user", "ada"}, {"createdAt", 5}}},
                                               {"c", {{"user", "bob"}, {"createdAt", 7}, {"paid", true}}},
                                               {"d", {{"user", "ada"}}},
                                               {"e", {{"user", "ada"}, {"createdAt", nullptr}}},
                                               {"f", {{"user", "ada"}, {"createdAt", 2.5}}},
                                               {"g", {{"user", "ada"}, {"createdAt", "text"}}}};
  for (const auto& [id, value] : rows) Must(Put(backend.store(), id, value));
  for (int limit : {1, 2, 3, 100}) {
    CHECK(Walk(backend.store(), {.limit = limit}) == "abcdefg");
    CHECK(Walk(backend.store(), {.sort = "id desc", .limit = limit}) == "gfedcba");
    CHECK(Walk(backend.store(), {.sort = "createdAt", .limit = limit}) == "defabcg");
    CHECK(Walk(backend.store(), {.sort = "createdAt desc", .limit = limit}) == "gcbafed");
    CHECK(Walk(backend.store(), {.filter = {{"user", "ada"}}, .sort = "createdAt desc", .limit = limit}) ==
          "gbafed");
    CHECK(Walk(backend.store(), {.filter = {{"user", {"bob", "eve"}}}, .limit = limit}) == "c");
    CHECK(Walk(backend.store(), {.filter = {{"paid", true}}, .limit = limit}) == "ac");
    CHECK(Walk(backend.store(), {.filter = {{"createdAt", nullptr}}, .limit = limit}) == "de");
    CHECK(Walk(backend.store(), {.filter = {{"user", "nobody"}}, .limit = limit}) == "");
  }
}

TEST_CASE("a bad query of a collection is refused") {
  using namespace collection_contract;
  ContractBackend backend;
  Define(backend.store(), Orders());
  auto code = [&](const CollectionQuery& query) { return CodeOf(List(backend.store(), query).status()); };
  CHECK(code({.limit = 0}) == Code::kInvalid);
  CHECK(code({.limit = 201}) == Code::kInvalid);
  CHECK(code({.sort = "a') --"}) == Code::kInvalid);
  CHECK(code({.filter = {{"a b", 1}}}) == Code::kInvalid);
  CHECK(code({.filter = {{"a", Json::object()}}}) == Code::kInvalid);
  CHECK(code({.filter = {{"a", Json::array()}}}) == Code::kInvalid);
  CHECK(code({.filter = Json::array()}) == Code::kInvalid);
  CHECK(code({.after = Json("x")}) == Code::kInvalid);
  CHECK(code({.after = Json::array({1, 2})}) == Code::kInvalid);
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(CodeOf(s.collections().List("nothing", {}).status()) == Code::kNotFound);
  });
}

}  // namespace mediagen
