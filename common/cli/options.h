// What the subcommands share: parsing with Boost.Program_options, whose complaints become one-line
// usage errors, and the forms of values.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/commands.h"

namespace cli {

namespace options = boost::program_options;

/// Help of one subcommand: usage lines above the options, prose below.
struct Help {
  const char* usage;
  std::string after;
};

/// Parses; prints the help and returns nothing when --help was asked. `positional` names the option
/// that takes the words without dashes ("" : there are none). Throws monitor::UsageError.
std::optional<options::variables_map> parse(const Words&, options::options_description visible,
                                            const Help&, const std::string& positional = "");

/// "1G", "256M", "65536K", "67108864".
std::uint64_t parse_size(const std::string& text, const std::string& option);

/// The same for --memory: one that a guest can have.
std::uint64_t parse_memory(const std::string& text);

/// A positive number of seconds.
double parse_seconds(const std::string& text, const std::string& option);

}  // namespace cli
