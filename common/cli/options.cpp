// Parsing shared by the subcommands.
#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "monitor/guest/memory.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "monitor/tool/nearest.h"

namespace cli {

using monitor::UsageError;

namespace {

void print_help(const options::options_description& visible, const Help& help) {
  std::ostringstream text;
  text << "usage: " << help.usage << "\n\n" << visible;
  if (!help.after.empty()) text << '\n' << help.after;
  monitor::print("{}", text.str());
}

std::string unknown_option(const std::string& word, const options::options_description& visible) {
  std::vector<std::string> names;
  for (const auto& option : visible.options()) names.push_back("--" + option->long_name());
  const auto near = monitor::nearest(word, {names.begin(), names.end()});
  if (near.empty()) return fmt::format("unknown option '{}'; see --help", word);
  return fmt::format("unknown option '{}': did you mean {}?", word, monitor::one_of(near));
}

}  // namespace

std::optional<options::variables_map> parse(const Words& words,
                                            options::options_description visible, const Help& help,
                                            const std::string& positional) {
  visible.add_options()("help,h", "this text");
  options::options_description all;
  all.add(visible);
  options::positional_options_description places;
  if (!positional.empty()) {
    all.add_options()(positional.c_str(), options::value<std::vector<std::string>>());
    places.add(positional.c_str(), -1);
  }
  // No guessing: an abbreviation that works today would break when an option is added.
  using namespace options::command_line_style;
  int style = unix_style & ~allow_guessing;
  try {
    options::variables_map values;
    options::store(
        options::command_line_parser(words).options(all).positional(places).style(style).run(),
        values);
    if (values.contains("help")) {
      print_help(visible, help);
      return std::nullopt;
    }
    options::notify(values);
    return values;
  } catch (const options::unknown_option& error) {
    throw UsageError(unknown_option(error.get_option_name(), visible));
  } catch (const options::too_many_positional_options_error&) {
    throw UsageError("there are words that belong to no option; see --help");
  } catch (const options::error& error) {
    throw UsageError(fmt::format("{}; see --help", error.what()));
  }
}

std::uint64_t parse_size(const std::string& text, const std::string& option) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string suffix(end, text.data() + text.size());
  unsigned shift = 64;
  if (suffix.empty()) shift = 0;
  if (suffix == "K" || suffix == "k") shift = 10;
  if (suffix == "M" || suffix == "m") shift = 20;
  if (suffix == "G" || suffix == "g") shift = 30;
  bool valid = error == std::errc{} && shift < 64 && number != 0 && number <= UINT64_MAX >> shift;
  if (!valid) {
    throw UsageError(fmt::format("{} '{}' is no size: write 512M or 1G", option, text));
  }
  return number << shift;
}

std::uint64_t parse_memory(const std::string& text) {
  const std::uint64_t bytes = parse_size(text, "--memory");
  if (!monitor::is_ram_size(bytes)) {
    throw UsageError(
        fmt::format("--memory {} is not possible: a guest has {} to {} MiB, in whole "
                    "pages of 4 KiB",
                    text, vmi::ram_min >> 20, vmi::ram_max >> 20));
  }
  return bytes;
}

double parse_seconds(const std::string& text, const std::string& option) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !std::isfinite(number) || number <= 0 || number > 1e9) {
    throw UsageError(fmt::format("{} '{}' is no number of seconds above 0", option, text));
  }
  return number;
}

}  // namespace cli
