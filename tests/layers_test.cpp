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

const Rooms& order() {
  static const Rooms rooms = {
      {"common/vmi"},  // what guest kernel and monitors agree on

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
      {"common/guest/fs/pipe"},
      {"common/guest/fs/ram"},
      {"common/guest/drivers"},
      {"common/guest/fs/ext2"},
      {"common/guest/fs/proc"},  // shows all of the above
      {"common/guest/fs/root"},  // which of them is mounted where
      {"common/guest/exec"},
      {"common/guest/syscall"},
      {"common/guest/trap"},
      {"common/guest/boot"},
  };
  return rooms;
}

/// These folders must keep to it.
const std::vector<std::string> held = {"common/vmi", "common/guest"};

/// Includes that are still wrong. Not for new ones.
const std::map<std::string, std::set<std::string>> known_faults = {
    {"common/guest/sched/scheduler.cpp",
     {"common/guest/mm/address_space.h", "common/guest/proc/process.h",
      "common/guest/trap/upcall.h"}},
    {"common/guest/sched/thread.cpp",
     {"common/guest/mm/user.h", "common/guest/proc/process.h", "common/guest/trap/upcall.h"}},
    {"common/guest/sched/thread.h", {"common/guest/proc/signal.h"}},
};

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

/// What is wrong with the includes of `sources`, one line each.
std::vector<std::string> faults(const Rooms& rooms, const Sources& sources) {
  std::set<std::string> names;
  for (const Source& source : sources) names.insert(source.name);
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
      const std::size_t to = room_of(target, rooms);
      if (target.empty() || to == rooms.size() || may_include(rooms, from, to)) continue;
      wrong.push_back(source.name + " includes " + target + ", but " + rooms[from].name +
                      (to > from ? " lies below " : " must not know ") + rooms[to].name);
    }
  }
  for (std::size_t i = 0; i < rooms.size(); ++i)
    if (!used[i]) wrong.push_back(rooms[i].name + " is in the table and nowhere else");
  return wrong;
}

/// Headers that include themselves by way of others: within a room the table does not see it.
std::vector<std::string> cycles(const Sources& sources) {
  std::set<std::string> names;
  std::map<std::string, std::set<std::string>> reached;  // by one include, then by several
  for (const Source& source : sources) names.insert(source.name);
  for (const Source& source : sources)
    for (const std::string& include : source.includes)
      if (auto target = meant(source.name, include, names); !target.empty())
        reached[source.name].insert(target);
  for (bool more = true; more;) {
    more = false;
    for (auto& [name, targets] : reached)
      for (const std::string& target : std::set<std::string>(targets))
        for (const std::string& next : reached[target]) more |= targets.insert(next).second;
  }
  std::vector<std::string> found;
  for (const auto& [name, targets] : reached)
    if (targets.count(name)) found.push_back(name);
  return found;
}

Source read_source(const fs::path& path) {
  static const std::regex include("\\s*#\\s*include\\s+[\"<]([^\">]+)[\">].*");
  Source source{fs::relative(path, TYPETWO_SOURCE), {}};
  std::ifstream file(path);
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (std::regex_match(line, match, include)) source.includes.push_back(match[1]);
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
  Sources sources = read_sources();
  ASSERT_GT(sources.size(), 100u);
  for (Source& source : sources) {
    auto known = known_faults.find(source.name);
    if (known == known_faults.end()) continue;
    auto& includes = source.includes;
    includes.erase(std::remove_if(includes.begin(), includes.end(),
                                  [&](const std::string& include) {
                                    return known->second.count("common/" + include) != 0;
                                  }),
                   includes.end());
  }
  EXPECT_THAT(faults(order(), sources), IsEmpty());
}

TEST(Layers, NoHeaderIncludesItself) {
  EXPECT_THAT(cycles(read_sources()), IsEmpty());
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

TEST(LayersTest, OnlyMeansOnly) {
  const auto wrong = faults(low_and_high, made_up("high/x.cpp", "middle/b.h"));
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_THAT(wrong[0], HasSubstr("high must not know middle"));
}

TEST(LayersTest, EachOfTwoRoomsThatIncludeOneAnotherIsSeen) {
  Sources sources = made_up("low/x.h", "middle/y.h");
  sources.push_back({"middle/y.h", {"low/x.h"}});
  EXPECT_EQ(faults(low_and_high, sources).size(), 1u);
  EXPECT_EQ(cycles(sources), (std::vector<std::string>{"low/x.h", "middle/y.h"}));
}

TEST(LayersTest, CyclesWithinARoomAreSeen) {
  Sources sources = {
      {"low/a.h", {"b.h"}}, {"low/b.h", {"c.h"}}, {"low/c.h", {"low/a.h"}}, {"low/d.h", {"a.h"}}};
  EXPECT_EQ(cycles(sources), (std::vector<std::string>{"low/a.h", "low/b.h", "low/c.h"}));
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
      faults(rooms, {{"low/plain.cpp", {"b.h", "middle/b.h"}}, {"middle/b.h", {}}, {"low/x.h", {}}})
          .size(),
      1u);
}

}  // namespace
