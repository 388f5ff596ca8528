// How rows and structs meet: each row type has a function that visits its fields in the order of its column
// list, used both to bind and to read, so the two cannot drift apart.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "store/job_store.h"
#include "store/records.h"
#include "store/sqlite/connection.h"

namespace mediagen {

// A text of which "" is kept as NULL.
template <typename Text>
struct OrNull {
  Text& text;
};
template <typename Text>
OrNull(Text&) -> OrNull<Text>;

// Binds the fields that it visits.
struct Binder {
  Query& query;
  template <typename Text>
  void operator()(const OrNull<Text>& field) const {
    field.text.empty() ? query.AddNull() : query.Add(field.text);
  }
  template <typename Field>
  void operator()(const Field& field) const {
    if constexpr (std::is_same_v<Field, GenerationStatus>) {
      query.Add(StatusName(field));
    } else if constexpr (std::is_same_v<Field, AttemptState>) {
      query.Add(AttemptStateName(field));
    } else if constexpr (std::is_same_v<Field, JobState>) {
      query.Add(JobStateName(field));
    } else {
      query.Add(field);
    }
  }
};

// Reads the fields that it visits. A name that this build does not know is kept as the first one: rows of a
// newer schema are its own business.
struct Taker {
  Query& query;
  template <typename Text>
  void operator()(OrNull<Text>&& field) const {
    query.Take(&field.text);
  }
  template <typename Field>
  void operator()(Field& field) const {
    if constexpr (std::is_same_v<Field, GenerationStatus>) {
      field = StatusByName(query.Text()).value_or(GenerationStatus::kPending);
    } else if constexpr (std::is_same_v<Field, AttemptState>) {
      field = AttemptStateByName(query.Text()).value_or(AttemptState::kIntent);
    } else if constexpr (std::is_same_v<Field, JobState>) {
      field = JobStateByName(query.Text()).value_or(JobState::kScheduled);
    } else {
      query.Take(&field);
    }
  }
};

// Every row of `query`, for which there is room from the start for `expected`: rows are large to move.
// `visit` is a function (row, visitor).
template <typename Row, typename Visit>
StatusOr<std::vector<Row>> AllRows(Query& query, Visit visit, size_t expected = 0) {
  std::vector<Row> rows;
  rows.reserve(expected);
  while (query.Step()) {
    Row& row = rows.emplace_back();
    visit(row, Taker{query});
  }
  RETURN_IF_ERROR(query.status());
  return rows;
}

// The first row of `query`, or nothing.
template <typename Row, typename Visit>
StatusOr<std::optional<Row>> FirstRow(Query& query, Visit visit) {
  std::optional<Row> row;
  if (query.Step()) {
    row.emplace();
    visit(*row, Taker{query});
  }
  RETURN_IF_ERROR(query.status());
  return row;
}

}  // namespace mediagen
