// The order of the source tree, and whether the includes keep to it. One table says it all: rooms
// from the lowest to the highest, and a file includes only files of its own room and of rooms
// above it in the table. So there is no upward include and no cycle, not even by a detour.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

/// A folder, or what a name's files are called without their extensions. The longest name that fits
/// is a file's room.
struct Room {
  std::string name;
  std::vector<std::string> only = {};  // if any: of the rooms before, those below these
};
using Rooms = std::vector<Room>;

const std::vector<std::string> resident = {
    "common/vmi", "common/devices", "common/monitor/resident", "common/monitor/guest/process_fd"};
std::vector<std::string> with(std::vector<std::string> more, std::vector<std::string> than) {
  than.insert(than.end(), more.begin(), more.end());
  return than;
}
const std::vector<std::string> baseline_resident = with({"baseline-vmm/resident_header"}, resident);
const std::vector<std::string> extended_resident =
    with({"extended-vmm/axes", "extended-vmm/resident", "extended-vmm/trap", "extended-vmm/protect",
          "extended-vmm/spaces"},
         resident);
const std::vector<std::string> extended = {"common/vmi", "common/devices", "common/monitor",
                                           "extended-vmm"};
const std::vector<std::string> launchers = {"common/vmi", "common/monitor"};
const std::vector<std::string> guest_side = {"common/vmi", "common/monitor",
                                             "common/devices/marker_log"};
// What the tests' observer allows is not made from the filter that it checks.
const std::vector<std::string> written_apart = {"common/vmi", "common/monitor",
                                                "extended-vmm/trap/host_call_sites"};

const Rooms& order() {
  static const Rooms rooms = {
      {"common/vmi"},                    // what guest kernel and monitors agree on
      {"common/build", {"common/vmi"}},  // numbers for assembly and linker scripts

      // The guest kernel. Where a lower room must call up, it declares an interface, and
      // boot/layers.cpp puts the two together.
      {"common/guest/platform"},
      {"common/guest/base"},                                      // results, lists, log, clock
      {"common/guest/heap"},                                      // and what grows on it
      {"common/guest/abi"},                                       // plain structures of Linux's ABI
      {"common/guest/vdso", {"common/vmi", "common/guest/abi"}},  // runs in user mode
      {"common/guest/sched"},                                     // threads, waiting, timers
      {"common/guest/mm"},                                        // knows files as PageSource only
      {"common/guest/vfs"},   // inodes, open files, paths, mounts
      {"common/guest/proc"},  // processes, signals and their frames
      {"common/guest/ipc"},   // System V: segments, semaphores, messages
      {"common/guest/fs/pipe"},
      {"common/guest/fs/events"},  // what is only there to be waited for
      {"common/guest/net"},        // sockets; names of local ones lie in any file system
      {"common/guest/fs/ram"},
      {"common/guest/drivers"},
      {"common/guest/fs/ext2"},
      {"common/guest/fs/proc"},  // shows all of the above
      {"common/guest/fs/root"},  // which of them is mounted where
      {"common/guest/exec"},
      {"common/guest/syscall"},
      {"common/guest/trap"},
      {"common/guest/boot"},

      {"common/devices/marker_log", {"common/vmi"}},
      {"common/devices", {"common/vmi", "common/devices"}},  // know no monitor

      // What runs inside a guest-machine process knows nothing of the launchers.
      {"common/monitor/guest/process_fd"},
      {"common/monitor/resident", resident},
      {"baseline-vmm/resident_header", {"common/vmi"}},
      {"baseline-vmm/resident", baseline_resident},
      {"baseline-vmm/constants", with({"common/build"}, baseline_resident)},
      {"extended-vmm/axes", resident},
      {"extended-vmm/protect/policy", resident},
      {"extended-vmm/resident/image", extended_resident},
      {"extended-vmm/trap", extended_resident},
      {"extended-vmm/protect", extended_resident},
      {"extended-vmm/spaces", extended_resident},
      {"extended-vmm/resident", extended_resident},
      {"extended-vmm/constants", with({"common/build"}, extended_resident)},

      // The launchers, and what they share.
      {"common/monitor/tool", {"common/vmi", "common/monitor/tool"}},
      {"common/monitor/host/cgroup", {"common/monitor/tool"}},
      {"common/monitor/host/probe", {"common/vmi", "common/monitor/tool"}},
      {"common/monitor/root", launchers},  // the guest's files
      {"common/monitor/outside/host_address", {"common/vmi"}},
      {"common/monitor/outside/rules",
       {"common/vmi", "common/monitor/tool", "common/monitor/outside/host_address"}},
      {"common/monitor/machine", launchers},  // what is asked for, what came of it
      {"common/monitor/guest", guest_side},   // its memory and processes
      {"common/monitor/outside", launchers},  // the guest's sockets on the host
      {"common/monitor/host", launchers},     // can it run that?
      {"common/monitor/standalone", launchers},
      {"common/monitor/gdb", launchers},
      {"baseline-vmm", {"common/vmi", "common/devices", "common/monitor", "baseline-vmm"}},
      {"extended-vmm/trap/call_site", extended},
      {"extended-vmm/trap/host_call_sites", extended_resident},
      {"extended-vmm/trap/host_calls", extended},
      {"extended-vmm/trap/filter", extended},
      {"extended-vmm/allowed_calls", written_apart},
      {"extended-vmm/spaces/children", extended},
      {"extended-vmm/spaces/members", extended},
      {"extended-vmm", extended},

      // All kinds of machine, and what is asked of one.
      {"common/machines"},

      // Measuring.
      {"results", {"common/monitor", "common/machines"}},
      {"plots", {"results", "common/monitor/tool"}},
      {"workloads/micro", {"workloads/micro"}},  // programs of the guest
      {"workloads/macro", {"workloads/macro"}},
      {"workloads/image", {"common/monitor"}},
      {"workloads/harness",
       {"common/monitor", "common/machines", "results", "plots", "workloads/image"}},
      {"common/cli"},

      {"tests/support"},
      {"tests/conformance", {"tests/support"}},  // programs of the guest, but for the driver
      {"tests/hostile", {"common/vmi", "tests/conformance", "tests/support"}},
      {"tests/unit"},
      {"tests/integration"},
      {"tests/fuzz"},
      {"tests/unit/hosted"},  // on the fuzzers' hosted machine
      {"tests"},
  };
  return rooms;
}

/// These folders must keep to it.
const std::vector<std::string> held = {"common", "baseline-vmm", "extended-vmm", "results",
                                       "plots",  "workloads",    "tests"};

/// Headers made by the build, of the same name as others.
const std::set<std::string> made = {"vmi/constants.h", "baseline-vmm/constants.h",
                                    "extended-vmm/constants.h"};

struct Source {
  std::string name;                   // from the repository's root
  std::vector<std::string> includes;  // as written
};
using Sources = std::vector<Source>;

bool is_below(const std::string& file, const std::string& room) {
  return file.rfind(room, 0) == 0 && (file[room.size()] == '/' || file[room.size()] == '.');
}

/// Index of a file's room; rooms.size(): it has none.
std::size_t room_of(const std::string& file, const Rooms& rooms) {
  std::size_t best = rooms.size();
  for (std::size_t i = 0; i < rooms.size(); ++i)
    if (is_below(file, rooms[i].name) &&
        (best == rooms.size() || rooms[i].name.size() > rooms[best].name.size()))
      best = i;
  return best;
}

/// The file that an include means; empty: none of ours.
std::string meant(const std::string& from, const std::string& include,
                  const std::set<std::string>& names) {
  const fs::path own = fs::path(from).parent_path();
  for (const fs::path& folder : {own, fs::path("common"), fs::path()}) {
    const std::string name = (folder / include).lexically_normal();
    if (names.count(name)) return name;
  }
  return "";
}

bool may_include(const Rooms& rooms, std::size_t from, std::size_t to) {
  if (from == to) return true;
  if (to > from) return false;
  const auto& only = rooms[from].only;
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& name) {
           return is_below(rooms[to].name + "/", name);
         });
}

std::string last_name(const std::string& path) {
  return fs::path(path).filename();
}

/// What is wrong with the includes of `sources`, one line each.
std::vector<std::string> faults(const Rooms& rooms, const Sources& sources) {
  std::set<std::string> names, last_names;
  for (const Source& source : sources) names.insert(source.name);
  for (const Source& source : sources) last_names.insert(last_name(source.name));
  std::vector<std::string> wrong;
  std::vector<bool> used(rooms.size());
  for (const Source& source : sources) {
    const std::size_t from = room_of(source.name, rooms);
    if (from == rooms.size()) {
      wrong.push_back(source.name + " is in no room");
      continue;
    }
    used[from] = true;
    for (const std::string& include : source.includes) {
      const std::string target = meant(source.name, include, names);
      if (target.empty()) {  // the system's, or made by the build
        if (last_names.count(last_name(include)) && !made.count(include))
          wrong.push_back(source.name + " includes " + include + " by a way that nobody knows");
        continue;
      }
      const std::size_t to = room_of(target, rooms);
      if (to == rooms.size() || may_include(rooms, from, to)) continue;
      wrong.push_back(source.name + " includes " + target + ", but " + rooms[from].name +
                      (to > from ? " lies below " : " must not know ") + rooms[to].name);
    }
  }
  for (std::size_t i = 0; i < rooms.size(); ++i)
    if (!used[i]) wrong.push_back(rooms[i].name + " is in the table and nowhere else");
  return wrong;
}

/// Headers that include themselves by way of others: within a room the table does not see it. Of
/// each cycle one.
class CycleSearch {
 public:
  explicit CycleSearch(const Sources& sources) {
    std::set<std::string> names;
    for (const Source& source : sources) names.insert(source.name);
    for (const Source& source : sources)
      for (const std::string& include : source.includes)
        includes_[source.name].insert(meant(source.name, include, names));
  }
  std::vector<std::string> run() {
    for (const auto& [name, includes] : includes_) visit(name);
    return found_;
  }

 private:
  void visit(const std::string& name) {
    if (!entered_.insert(name).second) {
      if (open_.count(name)) found_.push_back(name);
      return;
    }
    open_.insert(name);
    if (auto here = includes_.find(name); here != includes_.end())
      for (const std::string& next : here->second) visit(next);
    open_.erase(name);
  }

  std::map<std::string, std::set<std::string>> includes_;
  std::set<std::string> entered_, open_;
  std::vector<std::string> found_;
};

bool is_ours(const std::string& include) {
  const fs::path top = TYPETWO_SOURCE;
  return fs::exists(top / include) || fs::exists(top / "common" / include);
}

Source read_source(const fs::path& path) {
  static const std::regex directive("\\s*#\\s*include\\s+([\"<])([^\">]+)[\">].*");
  Source source{fs::relative(path, TYPETWO_SOURCE), {}};
  std::ifstream file(path);
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (line.find("include") != line.npos && std::regex_match(line, match, directive) &&
        (match[1] == "\"" || is_ours(match[2])))
      source.includes.push_back(match[2]);
  return source;
}

Sources read_sources() {
  Sources sources;
  for (const std::string& folder : held)
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(TYPETWO_SOURCE) / folder)) {
      const std::string kind = entry.path().extension();
      if (kind == ".h" || kind == ".cpp" || kind == ".S")
        sources.push_back(read_source(entry.path()));
    }
  return sources;
}

TEST(Layers, EveryIncludeKeepsToTheOrder) {
  const Sources sources = read_sources();
  ASSERT_GT(sources.size(), 100u);
  EXPECT_THAT(faults(order(), sources), IsEmpty());
}

TEST(Layers, NoHeaderIncludesItself) {
  EXPECT_THAT(CycleSearch(read_sources()).run(), IsEmpty());
}

// -- The test's own test, with made-up includes.

const Rooms low_and_high = {{"low"}, {"middle"}, {"high", {"low"}}};

Sources made_up(const std::string& name, const std::string& include) {
  return {{"low/a.h", {}}, {"middle/b.h", {}}, {"high/c.h", {}}, {name, {include}}};
}

TEST(LayersTest, DownwardIncludesPass) {
  EXPECT_THAT(faults(low_and_high, made_up("middle/x.cpp", "low/a.h")), IsEmpty());
  EXPECT_THAT(faults(low_and_high, made_up("high/x.cpp", "low/a.h")), IsEmpty());
  EXPECT_THAT(faults(low_and_high, made_up("high/x.cpp", "c.h")), IsEmpty());
  EXPECT_THAT(faults(low_and_high, made_up("low/x.cpp", "vector")), IsEmpty());
}

TEST(LayersTest, UpwardIncludesAreRefused) {
  const auto wrong = faults(low_and_high, made_up("low/x.cpp", "high/c.h"));
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0], "low/x.cpp includes high/c.h, but low lies below high");
  EXPECT_EQ(faults(low_and_high, made_up("low/x.cpp", "../high/c.h")), wrong);
}

TEST(LayersTest, NoIncludeIsOverlooked) {
  EXPECT_THAT(faults(low_and_high, made_up("low/x.cpp", "igh/c.h")),
              testing::ElementsAre("low/x.cpp includes igh/c.h by a way that nobody knows"));
}

TEST(LayersTest, OnlyMeansOnly) {
  const auto wrong = faults(low_and_high, made_up("high/x.cpp", "middle/b.h"));
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_THAT(wrong[0], HasSubstr("high must not know middle"));
}

TEST(LayersTest, EachOfTwoRoomsThatIncludeOneAnotherIsSeen) {
  Sources sources = made_up("low/x.h", "middle/y.h");
  sources.push_back({"middle/y.h", {"low/x.h"}});
  EXPECT_EQ(faults(low_and_high, sources).size(), 1u);
  EXPECT_THAT(CycleSearch(sources).run(), testing::ElementsAre("low/x.h"));
}

TEST(LayersTest, CyclesWithinARoomAreSeen) {
  Sources sources = {
      {"low/a.h", {"b.h"}}, {"low/b.h", {"c.h"}}, {"low/c.h", {"low/a.h"}}, {"low/d.h", {"a.h"}}};
  EXPECT_THAT(CycleSearch(sources).run(), testing::ElementsAre("low/a.h"));
}

TEST(LayersTest, FilesWithoutARoomAndRoomsWithoutAFileAreRefused) {
  EXPECT_THAT(faults(low_and_high, made_up("lower/x.cpp", "")),
              testing::ElementsAre("lower/x.cpp is in no room"));
  EXPECT_THAT(faults(low_and_high, {{"low/a.h", {}}, {"high/c.h", {}}}),
              testing::ElementsAre("middle is in the table and nowhere else"));
}

TEST(LayersTest, ARoomMayBeTheFilesOfOneName) {
  const Rooms rooms = {{"low/plain"}, {"middle"}, {"low"}};
  EXPECT_THAT(faults(rooms, {{"low/plain.h", {}},
                             {"middle/b.h", {"low/plain.h"}},
                             {"low/plainly.h", {"middle/b.h"}}}),
              IsEmpty());
  EXPECT_EQ(
      faults(rooms, {{"low/plain.cpp", {"x.h", "middle/b.h"}}, {"middle/b.h", {}}, {"low/x.h", {}}})
          .size(),
      2u);
}

}  // namespace
