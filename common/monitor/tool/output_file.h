// Files that the tool writes for people and scripts: reports, CSV, figures, images, stamps. Such a
// file appears at its place whole and flushed, or what was there before stays. Used by every
// command; results.jsonl alone grows in place (results/results.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor {

/// All of the text, however many writes that takes. False: errno says why not.
bool write_all(int fd, std::string_view text);

/// HostError "cannot write PATH: CAUSE; REMEDY", from errno.
[[noreturn]] void throw_unwritten(const std::string& path);

/// A folder and those above it. Throws HostError.
void make_folder(const std::string& path);

/// New names in a folder survive a power failure from here on.
void flush_folder(const std::string& path);

/// Throws HostError unless the file system that `path` lies on, or would, has so much room.
void require_room(const std::string& path, std::uint64_t bytes);

/// The path that open(2) would reach by this one: links at its end followed. The last name need not
/// exist.
std::string without_links(const std::string& path);

/// UsageError when an output is one of the inputs or another output: it would destroy that. What is
/// no regular file may be named often; the paths need not exist.
void require_distinct(const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs);

/// What a half-written output is called until it is complete, beside its place: the next run takes
/// over what a killed one left.
std::string unfinished_name(const std::string& output);

/// A regular file is written beside its place and replaces what is there, of which mode and, where
/// we may, owner are kept; links are followed. What is no file (a device, a pipe, our own
/// descriptor by /dev/stdout) has no place to replace: it is opened and written as it is.
class OutputFile {
 public:
  /// Opens, or waits for another run that writes the same output. Throws HostError.
  explicit OutputFile(const std::string& path);
  /// Without commit() nothing was written.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  /// Flushes and puts the file in its place.
  void commit();

  /// For other programs to fill, which then inherit it: a regular file is locked until they end.
  const std::string& share();

  /// Throws what a run that ends by writing so much to `path` would meet: no folder, no permission,
  /// a folder in its place, no room. Opens no pipe.
  static void check(const std::string& path, std::uint64_t bytes);

 private:
  void open_direct(const std::string& target, int own);
  void open_beside();
  [[nodiscard]] bool is_still_there() const;
  void close_file();

  std::string path_;        // as given, for messages
  std::string target_;      // what is replaced
  std::string unfinished_;  // "": written directly, or committed
  int fd_ = -1;
};

/// The whole of a file at once.
void write_file(const std::string& path, std::string_view text);

/// While one lives, writing to a pipe without readers fails with EPIPE and kills nobody.
class BrokenPipesFail {
 public:
  BrokenPipesFail();
  ~BrokenPipesFail();
  BrokenPipesFail(const BrokenPipesFail&) = delete;
  BrokenPipesFail& operator=(const BrokenPipesFail&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace monitor
