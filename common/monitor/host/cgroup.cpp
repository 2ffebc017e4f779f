// Where a controller's hierarchy is mounted, and which part of it, is in mountinfo; where in it
// this process is, in /proc/self/cgroup. In a container either may be all that one sees of the
// host.
#include "monitor/host/cgroup.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace monitor {
namespace {

namespace fs = std::filesystem;

/// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t no_limit = 1ull << 62;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

bool lists(const std::string& words, const std::string& word) {
  const auto all = split(words, ',');
  return std::find(all.begin(), all.end(), word) != all.end();
}

/// A number alone in a file; nothing when it is "max", or there is no such file.
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

/// A field of memory.stat.
std::optional<std::uint64_t> field_in(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  for (std::string word; file >> word >> value;) {
    if (word == name) return value;
  }
  return std::nullopt;
}

/// A hierarchy as this process sees it: version 2's, or version 1's with that controller.
struct Hierarchy {
  bool unified;
  fs::path top;   // where it is mounted
  fs::path here;  // the folder of this process's group, at or below the top
};

std::string group_of(const std::string& root, const std::string& controller, bool unified) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool right = unified ? line.starts_with("0::") : lists(controllers, controller);
    if (right) return line.substr(second + 1);
  }
  return "";
}

/// The part of a group's path that lies below the mounted part of the hierarchy.
fs::path below(const std::string& group, const std::string& mounted) {
  const fs::path relative = fs::path(group).lexically_relative(mounted);
  // Where the container has no namespace of its own for groups, the path may be the host's.
  return relative.empty() || *relative.begin() == ".." ? "." : relative;
}

std::vector<Hierarchy> hierarchies(const std::string& root, const std::string& controller) {
  std::vector<Hierarchy> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // 35 31 0:32 ROOT MOUNTPOINT OPTIONS [FIELDS...] - TYPE SOURCE SUPEROPTIONS
    const auto words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (!unified && !(dash[1] == "cgroup" && lists(dash[3], controller))) continue;
    const std::string group = group_of(root, controller, unified);
    if (group.empty()) continue;
    const fs::path top = root + words[4];
    found.push_back({unified, top, (top / below(group, words[3])).lexically_normal()});
  }
  return found;
}

/// From this process's group up to the top of what is mounted.
std::vector<fs::path> levels(const Hierarchy& hierarchy) {
  std::vector<fs::path> all;
  std::string at = hierarchy.here, top = hierarchy.top;
  while (at.size() > top.size() && at.back() == '/') at.pop_back();
  for (; at.size() > top.size(); at = fs::path(at).parent_path()) all.emplace_back(at);
  all.emplace_back(top);
  return all;
}

/// Of a limit, less what cannot be taken back.
std::uint64_t left_of(std::uint64_t limit, const fs::path& folder, bool unified) {
  const std::string prefix = unified ? "" : "total_";
  const std::uint64_t used =
      number_in(folder / (unified ? "memory.current" : "memory.usage_in_bytes")).value_or(0);
  std::uint64_t cache = 0;
  for (const char* kind : {"active_file", "inactive_file"}) {
    cache += field_in(folder / "memory.stat", prefix + kind).value_or(0);
  }
  const std::uint64_t kept = used - std::min(used, cache);
  return limit - std::min(limit, kept);
}

}  // namespace

std::optional<CgroupMemory> cgroup_memory(const std::string& root) {
  std::optional<CgroupMemory> tightest;
  const auto consider = [&](std::optional<std::uint64_t> limit, const fs::path& file,
                            const Hierarchy& hierarchy) {
    if (!limit || *limit >= no_limit) return;
    const std::uint64_t left = left_of(*limit, file.parent_path(), hierarchy.unified);
    if (!tightest || left < tightest->left) tightest = CgroupMemory{file, *limit, left};
  };
  for (const Hierarchy& hierarchy : hierarchies(root, "memory")) {
    for (const fs::path& folder : levels(hierarchy)) {
      const fs::path file = folder / (hierarchy.unified ? "memory.max" : "memory.limit_in_bytes");
      consider(number_in(file), file, hierarchy);
    }
    // Version 1 also tells the least limit of groups above what is mounted here.
    const fs::path stat = hierarchy.here / "memory.stat";
    if (!hierarchy.unified) consider(field_in(stat, "hierarchical_memory_limit"), stat, hierarchy);
  }
  return tightest;
}

double cgroup_cpus(const std::string& root) {
  double least = INFINITY;
  for (const Hierarchy& hierarchy : hierarchies(root, "cpu")) {
    for (const fs::path& folder : levels(hierarchy)) {
      double quota = 0, period = 0;
      if (hierarchy.unified) {
        std::ifstream file(folder / "cpu.max");
        if (!(file >> quota >> period)) continue;  // "max"
      } else {
        quota = static_cast<double>(number_in(folder / "cpu.cfs_quota_us").value_or(0));
        period = static_cast<double>(number_in(folder / "cpu.cfs_period_us").value_or(0));
      }
      if (quota > 0 && period > 0) least = std::min(least, quota / period);
    }
  }
  return least;
}

}  // namespace monitor
