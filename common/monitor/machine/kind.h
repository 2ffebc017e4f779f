// A kind of machine that a program can run on, and a configuration: a kind, and a value on each of
// its axes. Each kind is defined beside what runs it (standalone/kind.cpp, baseline-vmm/kind.cpp,
// extended-vmm/kind.cpp) and listed in machines/kinds.cpp, which also finds kinds by their words.
// Everybody else asks a kind for its traits and compares no names: what a value means is known to
// the monitor whose value it is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace monitor {

struct Config;
struct MachineConfig;  // machine_config.h
struct Outcome;

/// A choice that a kind leaves, in the words that flags, results and figures share.
struct Axis {
  std::string_view name;
  std::span<const std::string_view> words;  // the default first; a value is a word's index
};

/// What a host must offer (host/check.h).
enum class Need : std::uint32_t {
  always,      // whatever runs
  namespaces,  // private mounts and processes
  guest,       // a guest-machine process and its memory
  ptrace,
  seccomp,
  huge_window,  // the window is moved at each trap, which is dear in 4 KiB pages
};

/// What is true of one configuration.
struct Traits {
  std::string_view promise;  // what its protection promises: a sentence, printed with every result
  /// A hostile guest program is contained. Where not, it is an upper bound: no verdict rests on it.
  bool contains = true;
  /// How fast it is at traps: the word by which workloads choose their counts.
  std::string_view speed;
  std::span<const Need> needs;
};

struct Kind {
  std::string_view name;
  std::string_view about;      // one line, for --help
  bool is_guest;               // a guest kernel runs there: it can be traced, accounted, debugged
  std::span<const Axis> axes;  // most_axes at most
  Traits (*traits)(const Config&);
  Outcome (*run)(const MachineConfig&);
};
inline constexpr std::size_t most_axes = 4;

struct Config {
  const Kind* kind;
  std::array<std::uint8_t, most_axes> values = {};  // by the kind's axes; the defaults

  /// "standalone", "baseline", "baseline:trap=sysemu", "extended:protect=none": the kind, then the
  /// axes that differ from its defaults. parse_config(name()) gives the same configuration.
  [[nodiscard]] std::string name() const;
  /// All axes spelled out, for results: "trap=sigsys,protect=mprotect,spaces=remap".
  [[nodiscard]] std::string axes() const;
  [[nodiscard]] Traits traits() const { return kind->traits(*this); }
  [[nodiscard]] bool is_guest() const { return kind->is_guest; }
  [[nodiscard]] bool needs(Need need) const;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace monitor
