// The kinds of machine, and configurations from words. The one place where all kinds meet: who
// measures, draws or reports knows them from here, by their traits.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "monitor/machine/kind.h"

namespace machines {

using monitor::Config;
using monitor::Kind;

/// The host itself first: all others are compared with it.
std::span<const Kind* const> kinds();

/// What all others are compared with.
Config standalone();

/// Throws UsageError naming the offending word and the words that would do.
Config parse(std::string_view text);

/// "baseline,extended:trap=sigsys,protect=none,standalone": a comma starts a new configuration
/// when a kind's name follows it, else it continues the axes.
std::vector<Config> parse_list(std::string_view text);

/// Every point of a kind's axes, its default first.
std::vector<Config> points(const Kind&);

/// Of every kind its default, then each other value of each axis alone.
std::vector<Config> overview();

}  // namespace machines
