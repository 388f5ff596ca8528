#include "base/money.h"

#include <doctest/doctest.h>

using namespace mediagen;

TEST_CASE("an amount is read exactly, or refused") {
  struct Row {
    const char* text;
    int64_t micros;  // -1: refused
  };
  for (const Row& row : {Row{"5.00", 5'000'000},
                         Row{"0.04", 40'000},
                         Row{"0", 0},
                         Row{"7", 7'000'000},
                         Row{"0.000001", 1},
                         Row{"0.1", 100'000},
                         Row{"1000000000", 1'000'000'000'000'000},
                         Row{"1000000000.999999", 1'000'000'000'999'999},
                         Row{"", -1},
                         Row{".5", -1},
                         Row{"5.", -1},
                         Row{"-1", -1},
                         Row{"+1", -1},
                         Row{"1e3", -1},
                         Row{"0.0000001", -1},
                         Row{"1,5", -1},
                         Row{" 1", -1},
                         Row{"1.2.3", -1},
                         Row{"1000000001", -1},
                         Row{"99999999999", -1},
                         Row{"5 USD", -1}}) {
    CAPTURE(row.text);
    auto micros = ParseMicros(row.text);
    CHECK(micros.ok() == (row.micros >= 0));
    if (micros.ok()) CHECK(*micros == row.micros);
    if (!micros.ok()) CHECK(CodeOf(micros.status()) == Code::kInvalid);
  }
}

TEST_CASE("an amount is written without zeros that say nothing, and reads back") {
  struct Row {
    int64_t micros;
    const char* text;
  };
  for (const Row& row :
       {Row{0, "0.0"}, Row{3'000, "0.003"}, Row{5'000'000, "5.0"}, Row{1, "0.000001"},
        Row{12'345'678, "12.345678"}, Row{-40'000, "-0.04"}, Row{INT64_MIN, "-9223372036854.775808"}}) {
    CHECK(FormatMicros(row.micros) == row.text);
    if (row.micros >= 0) CHECK(ParseMicros(row.text).value() == row.micros);
  }
}
