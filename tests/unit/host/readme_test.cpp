// What README says of the reference results is what they say.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "results/summary.h"

namespace {

using testing::HasSubstr;

std::filesystem::path source() {
  return std::filesystem::path(TYPETWO_RESULTS_SCHEMA).parent_path().parent_path();
}

/// One line of it all.
std::string readme() {
  std::ifstream file(source() / "README.md");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

double ratio(const char* results, const char* workload, const char* config) {
  const auto file = results::read(source() / "results/reference" / results);
  return results::summarize(file).find(workload, config)->ratio.value().value;
}

TEST(Readme, QuotesTheLadder) {
  const auto of = [](const char* config) {
    return ratio("ladder.jsonl", "busybox-script", config);
  };
  EXPECT_THAT(readme(),
              HasSubstr(fmt::format("script takes {:.1f} times as long in the baseline as "
                                    "on the host, and {:.2f} times with all of them",
                                    of("baseline"), of("extended"))));
}

TEST(Readme, ShowsFiguresThatAreThere) {
  const std::string text = readme();
  std::size_t shown = 0;
  for (auto at = text.find("results/reference/"); at != std::string::npos;
       at = text.find("results/reference/", at + 1)) {
    const std::string path = text.substr(at, text.find_first_of(")` ", at) - at);
    EXPECT_TRUE(std::filesystem::exists(source() / path)) << path;
    ++shown;
  }
  EXPECT_GE(shown, 4u);
}

}  // namespace
