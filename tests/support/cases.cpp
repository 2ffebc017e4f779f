// A topic draws its points by one generator, so that a seed says all.
#include "tests/support/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <random>
#include <sstream>

#include "tests/support/tool.h"

namespace support {
namespace {

constexpr std::size_t others_of_a_topic = 3;

unsigned long seed() {
  const char* given = std::getenv("TYPETWO_TEST_SEED");
  constexpr std::time_t day = 24 * 60 * 60;
  return given != nullptr ? std::strtoul(given, nullptr, 10)
                          : static_cast<unsigned long>(std::time(nullptr) / day);
}

bool is_always_taken(const std::string& point) {
  return point == "baseline" || point == "extended";
}

}  // namespace

std::vector<Case> cases(const std::vector<std::string>& topics,
                        const std::vector<std::string>& points) {
  const bool all = std::getenv("TYPETWO_TEST_ALL") != nullptr;
  if (!all) {
    fmt::print(
        "Every topic at baseline, extended and {} other points, by seed {}: "
        "`typetwo test --seed {}` takes the same ones, `typetwo test --all` every one\n",
        others_of_a_topic, seed(), seed());
  }
  std::mt19937_64 random(seed());
  std::vector<Case> taken;
  for (const auto& topic : topics) {
    std::vector<std::string> others;
    for (const auto& point : points) {
      if (is_always_taken(point)) {
        taken.emplace_back(topic, point);
      } else {
        others.push_back(point);
      }
    }
    std::shuffle(others.begin(), others.end(), random);
    if (!all) others.resize(std::min(others.size(), others_of_a_topic));
    for (auto& point : others) taken.emplace_back(topic, std::move(point));
  }
  return taken;
}

std::vector<std::string> topics_of(const std::string& words) {
  std::istringstream in(words);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string case_name(const Case& one) {
  return test_name(std::get<0>(one) + "_on_" + std::get<1>(one));
}

}  // namespace support
