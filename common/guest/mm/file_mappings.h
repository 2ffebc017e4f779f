// FileMappings: the regions, of all address spaces, that map a file. One that becomes shorter
// is mapped nowhere beyond its new end: not shared, and not what a process has copied for itself.
//
// And one whose contents change is not run any more as it was: a monitor may have copies of text.
//
// The current space is unmapped at once. The mappings of another can only be changed when it is
// current again: its regions remember what they have missed, and AddressSpace::activate makes it
// true before anything runs there. Until then its extents hold the frames that its programs could
// see.
#pragma once

#include <cstdint>

#include "guest/base/result.h"

namespace guest {

struct Region;

class FileMappings {
 public:
  FileMappings() = default;
  FileMappings(const FileMappings&) = delete;
  FileMappings& operator=(const FileMappings&) = delete;

  /// It leaves by itself when it goes.
  void add(Region& region);
  /// How many there are.
  [[nodiscard]] std::uint64_t count() const;
  /// Called by a file system before it makes the file end at `size`, earlier than it did. ENOMEM:
  /// what the current space maps beyond that stays, at least in part.
  Result<> cut(std::uint64_t size);
  /// Does, or may, any of them write to the file?
  [[nodiscard]] bool any_writes() const;
  /// Copies of the file's text are not mapped any more.
  void renew_text();

 private:
  Region* first_ = nullptr;
};

}  // namespace guest
