// Reads /proc: see process_list.h.
#include "tests/support/process_list.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace support {
namespace {

/// "PID (NAME) STATE PPID …"; the name may contain anything, so it ends at the last ')'.
bool read_process(const std::string& pid, Process& process) {
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string line(std::istreambuf_iterator<char>(file), {});
  const auto open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  process.pid = std::stoi(pid);
  process.name = line.substr(open + 1, close - open - 1);
  std::istringstream rest(line.substr(close + 1));
  rest >> process.state >> process.parent;
  std::string skipped;
  for (int field = 5; field < 14; ++field) rest >> skipped;  // as proc(5) numbers them
  return static_cast<bool>(rest >> process.user_ticks);
}

}  // namespace

std::vector<Process> all_processes() {
  std::vector<Process> list;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    Process process;
    if (std::isdigit(static_cast<unsigned char>(name[0])) && read_process(name, process)) {
      list.push_back(process);
    }
  }
  return list;
}

std::vector<Process> descendants(pid_t ancestor) {
  const auto all = all_processes();
  std::vector<Process> found;
  std::vector<pid_t> parents = {ancestor};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const auto& process : all) {
      if (process.parent != parent) continue;
      found.push_back(process);
      parents.push_back(process.pid);
    }
  }
  return found;
}

std::vector<std::string> memory_map(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace support
