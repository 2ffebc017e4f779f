// Directories as they were, for the guest program of the system-call fuzzer: whatever its workers
// have made is removed again.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fuzz {

/// Removes all below the directory that `keep` does not name, and regular files that took the place
/// of what it names (it names none). False: something stays.
inline bool remove_all(int at, const char* name, const char* (*keep)[64]) {
  const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  DIR* directory = fd < 0 ? nullptr : fdopendir(fd);
  if (!directory) return true;
  bool all = true;
  while (dirent* entry = readdir(directory)) {
    bool kept = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    for (int i = 0; keep && (*keep)[i]; ++i) kept |= !strcmp(entry->d_name, (*keep)[i]);
    struct stat now;
    if (kept && fstatat(fd, entry->d_name, &now, AT_SYMLINK_NOFOLLOW) == 0)
      kept = !S_ISREG(now.st_mode);
    if (kept || unlinkat(fd, entry->d_name, 0) == 0) continue;
    remove_all(fd, entry->d_name, nullptr);
    all &= unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0;
  }
  closedir(directory);
  return all;
}

/// What was in a directory at first, and again after each episode.
struct Kept {
  const char* path;
  const char* names[64];
  void note() {
    DIR* directory = opendir(path);
    int count = 0;
    while (dirent* entry = directory ? readdir(directory) : nullptr)
      if (count < 63) names[count++] = strdup(entry->d_name);
    if (directory) closedir(directory);
  }
  /// False: a name cannot be removed.
  bool restore() { return remove_all(AT_FDCWD, path, &names); }
};

}  // namespace fuzz
