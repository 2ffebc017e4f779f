// A formula over named numbers, as claims state one: names, numbers, + - * / and parentheses.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace results {

class Formula {
 public:
  /// The names that it may use. Throws monitor::HostError naming what cannot be read.
  Formula(std::string_view text, std::span<const std::string> names);

  /// With a value for each of the names, in their order.
  double operator()(std::span<const double> values) const;
  /// Does it use the name of that index?
  [[nodiscard]] bool uses(std::size_t name) const;

 private:
  struct Step {
    enum class Kind { number, name, add, subtract, multiply, divide } kind;
    double number = 0;
    std::size_t name = 0;
  };
  class Parser;

  std::vector<Step> steps_;  // in reverse Polish order
};

}  // namespace results
