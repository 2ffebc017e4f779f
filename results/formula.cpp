// Recursive descent to reverse Polish order: sum = product {(+|-) product}, product = atom
// {(*|/) atom}, atom = number | name | (sum).
#include "results/formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "monitor/tool/error.h"

namespace results {

class Formula::Parser {
 public:
  Parser(std::string_view text, std::span<const std::string> names, std::vector<Step>& steps)
      : text_(text), names_(names), steps_(steps) {}

  void whole() {
    sum();
    if (next() != '\0') refuse("an operator is missing");
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    throw monitor::HostError(
        fmt::format("formula '{}': {} before '{}'", text_, what, text_.substr(at_)));
  }
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void push(Step::Kind kind) { steps_.push_back({kind}); }

  void sum() {
    product();
    for (char sign = next(); sign == '+' || sign == '-'; sign = next()) {
      ++at_;
      product();
      push(sign == '+' ? Step::Kind::add : Step::Kind::subtract);
    }
  }
  void product() {
    atom();
    for (char sign = next(); sign == '*' || sign == '/'; sign = next()) {
      ++at_;
      atom();
      push(sign == '*' ? Step::Kind::multiply : Step::Kind::divide);
    }
  }
  void atom() {
    const char first = next();
    if (first == '(') {
      ++at_;
      sum();
      if (next() != ')') refuse("a ')' is missing");
      ++at_;
    } else if (std::isdigit(static_cast<unsigned char>(first)) != 0) {
      number();
    } else {
      name();
    }
  }
  void number() {
    Step step{Step::Kind::number};
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), step.number);
    if (error != std::errc{}) refuse("no number");
    at_ = static_cast<std::size_t>(end - text_.data());
    steps_.push_back(step);
  }
  void name() {
    std::size_t end = at_;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_')) {
      ++end;
    }
    const auto found = std::find(names_.begin(), names_.end(), text_.substr(at_, end - at_));
    if (found == names_.end()) refuse("neither a number nor one of what it needs");
    at_ = end;
    steps_.push_back({Step::Kind::name, 0, static_cast<std::size_t>(found - names_.begin())});
  }

  std::string_view text_;
  std::span<const std::string> names_;
  std::vector<Step>& steps_;
  std::size_t at_ = 0;
};

Formula::Formula(std::string_view text, std::span<const std::string> names) {
  Parser(text, names, steps_).whole();
}

double Formula::operator()(std::span<const double> values) const {
  std::vector<double> stack;
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::number || step.kind == Step::Kind::name) {
      stack.push_back(step.kind == Step::Kind::name ? values[step.name] : step.number);
      continue;
    }
    const double right = stack.back();
    stack.pop_back();
    double& left = stack.back();
    switch (step.kind) {
      case Step::Kind::add:
        left += right;
        break;
      case Step::Kind::subtract:
        left -= right;
        break;
      case Step::Kind::multiply:
        left *= right;
        break;
      default:
        left /= right;
    }
  }
  return stack.back();
}

bool Formula::uses(std::size_t name) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.kind == Step::Kind::name && step.name == name;
  });
}

}  // namespace results
