// What no compiler checks: that every counter is counted, that files open with a word about
// themselves and stay short, and that the guest kernel does not know what it runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

struct Source {
  std::string name, text;
};

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_source(const fs::path& path) {
  static const std::vector<std::string> kinds = {".h", ".cpp", ".S", ".ld", ".cmake"};
  return std::find(kinds.begin(), kinds.end(), path.extension()) != kinds.end() ||
         path.filename() == "CMakeLists.txt";
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    for (const char* room :
         {"common", "baseline-vmm", "extended-vmm", "workloads", "results", "plots", "tests"}) {
      const fs::path folder = fs::path(TYPETWO_SOURCE) / room;
      if (!fs::exists(folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || !is_source(entry.path())) continue;
        found.push_back({fs::relative(entry.path(), TYPETWO_SOURCE), read_file(entry.path())});
      }
    }
    return found;
  }();
  return all;
}

/// Names of all sources that `wrong` says are.
template <class Predicate>
std::vector<std::string> which(Predicate wrong) {
  std::vector<std::string> names;
  for (const auto& source : sources()) {
    if (wrong(source)) names.push_back(source.name);
  }
  return names;
}

bool starts_with_any(const std::string& text, std::initializer_list<const char*> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](const char* start) { return text.rfind(start, 0) == 0; });
}

TEST(Style, SourcesAreFound) {
  EXPECT_GT(sources().size(), 50u);
}

TEST(Style, EveryFileOpensWithAComment) {
  EXPECT_THAT(which([](const Source& s) {
                return !starts_with_any(s.text, {"//", "/*", "#"}) ||
                       starts_with_any(s.text, {"#pragma", "#include"});
              }),
              IsEmpty());
}

TEST(Style, NoFileIsLong) {
  EXPECT_THAT(
      which([](const Source& s) { return std::count(s.text.begin(), s.text.end(), '\n') > 400; }),
      IsEmpty());
}

TEST(Style, NoTabsAndNoTrailingSpaces) {
  static const std::regex bad("\t|[ \r]\n");
  EXPECT_THAT(which([](const Source& s) { return std::regex_search(s.text, bad); }), IsEmpty());
}

TEST(Style, TheGuestKernelDoesNotKnowItsMonitor) {
  // In small letters: SIGSYS is also a signal that guests send one another.
  static const std::regex monitor(
      "[Pp]trace|[Ss]eccomp|sigsys|[Bb]aseline|[Ee]xtended[-_ "
      ":]*([Vv][Mm]{2}|[Mm]onitor)|extended::");
  EXPECT_THAT(which([](const Source& s) {
                return s.name.rfind("common/guest/", 0) == 0 && std::regex_search(s.text, monitor);
              }),
              IsEmpty());
}

TEST(Style, DevicesDoNotKnowTheirMonitor) {
  static const std::regex includes("#include [<\"](baseline-vmm|extended-vmm|monitor|sys/ptrace)");
  EXPECT_THAT(which([](const Source& s) {
                return s.name.rfind("common/devices/", 0) == 0 &&
                       std::regex_search(s.text, includes);
              }),
              IsEmpty());
}

bool is_of_the_machine(const Source& s) {
  return starts_with_any(s.name, {"common/", "baseline-vmm/", "extended-vmm/"});
}
bool is_assembly(const Source& s) {
  const auto kind = fs::path(s.name).extension();
  return is_of_the_machine(s) && (kind == ".S" || kind == ".ld");
}

TEST(Style, AddressesOfTheMachineAreInTheAddressMap) {
  static const std::regex address("0x7fff'?[0-9a-f]{4}'?[0-9a-f]{4}\\b");
  EXPECT_THAT(which([](const Source& s) {
                return is_of_the_machine(s) && s.name != "common/vmi/address_map.h" &&
                       std::regex_search(s.text, address);
              }),
              IsEmpty());
}

TEST(Style, AssemblyTakesOffsetsFromTheCompiler) {
  // Printed constants (common/build/): no number stands for a field, nor for a place.
  static const std::regex offset("[\\s,*+](0x[0-9a-f]+|[0-9]{2,})\\(%r");
  static const std::regex place("\\.org.*0x[0-9a-f]{3}|\\. = 0x");
  EXPECT_THAT(which([](const Source& s) {
                return is_assembly(s) &&
                       (std::regex_search(s.text, offset) || std::regex_search(s.text, place));
              }),
              IsEmpty());
}

/// The names in an X-macro of common/vmi, which ends where `next` begins.
std::vector<std::string> names_in(const char* file, const std::string& macro, const char* next) {
  const std::string text = read_file(fs::path(TYPETWO_SOURCE) / "common/vmi" / file);
  const std::string head = "#define " + macro + "(X)";
  const auto begin = text.find(head) + head.size(), end = text.find(next);
  const std::string list = text.substr(begin, end - begin);
  static const std::regex name("X\\((\\w+)\\)");
  std::vector<std::string> names;
  for (std::sregex_iterator at(list.begin(), list.end(), name), last; at != last; ++at) {
    names.push_back((*at)[1]);
  }
  return names;
}

TEST(Style, EveryCounterIsCounted) {
  const auto names = names_in("shared_info.h", "VMI_COUNTERS", "struct Counters");
  ASSERT_GT(names.size(), 10u);
  for (const auto& name : names) {
    // `++x.name`, `x.name += n`, or through a pointer to the member.
    const std::regex counted("(\\+\\+[^;\\n]*\\b" + name + "\\b|\\b" + name +
                             "\\s*(\\+=|\\+\\+)|Counters::" + name + "\\b)");
    EXPECT_FALSE(which([&](const Source& s) {
                   return s.name.rfind("tests/", 0) != 0 && std::regex_search(s.text, counted);
                 }).empty())
        << "nobody increments " << name;
  }
}

/// A trap path as told at the top of a file: paths of hops, each a line of file and symbol.
struct Hop {
  int number;
  std::string file, symbol;
};
std::vector<std::vector<Hop>> trap_paths(const std::string& file) {
  const std::string text = read_file(fs::path(TYPETWO_SOURCE) / file);
  static const std::regex line(R"(//   (\d) +(\S+/\S+) +(\w+))");
  std::vector<std::vector<Hop>> paths;
  for (std::sregex_iterator at(text.begin(), text.end(), line), last; at != last; ++at) {
    const Hop hop{std::stoi((*at)[1]), (*at)[2], (*at)[3]};
    if (hop.number == 1) paths.emplace_back();
    if (!paths.empty()) paths.back().push_back(hop);
  }
  return paths;
}

TEST(Style, TheTrapPathIsWhatItsProseSays) {
  static const std::regex comment("//[^\n]*");
  for (const auto& [told_in, count] :
       {std::pair{"extended-vmm/trap/gate.S", 2u}, std::pair{"baseline-vmm/resident/gate.S", 1u}}) {
    const auto paths = trap_paths(told_in);
    EXPECT_EQ(paths.size(), count) << told_in;
    for (const auto& path : paths) {
      std::set<std::string> files;
      int hops = 0;
      for (const Hop& hop : path) {
        EXPECT_EQ(hop.number, ++hops) << told_in;
        files.insert(hop.file);
        const std::string code =
            std::regex_replace(read_file(fs::path(TYPETWO_SOURCE) / hop.file), comment, "");
        EXPECT_TRUE(std::regex_search(code, std::regex("\\b" + hop.symbol + "\\b")))
            << told_in << ": " << hop.file << " has no " << hop.symbol;
      }
      EXPECT_LE(hops, 9) << told_in;
      EXPECT_LE(files.size(), 7u) << told_in;
    }
  }
}

TEST(Style, EveryAccountIsChargedByBothMonitors) {
  const auto names = names_in("accounts.h", "VMI_ACCOUNTS", "enum Account");
  ASSERT_GT(names.size(), 5u);
  for (const auto& name : names) {
    for (const char* monitor : {"baseline-vmm/", "extended-vmm/"}) {
      // By its name, or as what an upcall is charged to (vmi::account_of).
      const bool of_upcalls = name == "system_calls" || name == "page_faults";
      const std::regex charged("\\baccount_" + (of_upcalls ? "of\\(" : name + "\\b"));
      const auto where = which([&](const Source& s) {
        return s.name.rfind(monitor, 0) == 0 && std::regex_search(s.text, charged);
      });
      EXPECT_FALSE(where.empty()) << "nobody in " << monitor << " charges " << name;
    }
  }
}

}  // namespace
