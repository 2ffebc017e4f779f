// ProgramStrings: the arguments and the environment of a program on their way from the old memory
// to the new: all strings one after the other, each with its NUL. They may be megabytes, so all but
// the last page of them lie in page frames, and no string costs memory of its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "guest/mm/frames.h"
#include "guest/mm/user.h"

namespace guest {

class ProgramStrings {
 public:
  /// `most` bytes, with the pointers to them.
  explicit ProgramStrings(std::uint64_t most) : left_(most) {}
  ProgramStrings(const ProgramStrings&) = delete;
  ProgramStrings& operator=(const ProgramStrings&) = delete;
  ~ProgramStrings();

  /// E2BIG: too long, or more than there may be; ENOMEM.
  Result<> push(std::string_view text);
  Result<> push(const Vec<String>& texts);
  /// A NULL-terminated array of pointers; NULL is an empty one, as Linux takes it. EFAULT.
  Result<> push_array(UserAddress array);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_of(frames_).number + tail_.size(); }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// Calls `take(std::string_view)` for all of it, in pieces of a page at most, until one fails.
  template <class Take>
  Result<> for_each_piece(Take take) const {
    char page[256];
    for (const FrameRun& run : runs_)
      for (Frame frame = run.first; frame < run.end(); ++frame)
        for (std::uint64_t at = 0; at < vmi::page_size; at += sizeof page) {
          peek(frame, at, page, sizeof page);
          TRY(take(std::string_view(page, sizeof page)));
        }
    return take(std::string_view(tail_.begin(), tail_.size()));
  }

 private:
  static void peek(Frame frame, std::uint64_t at, char* to, std::uint64_t bytes);
  Result<> push_from_user(UserAddress text);
  Result<> append(std::string_view bytes);
  Result<> store_page();

  std::uint64_t left_;
  std::uint64_t count_ = 0;
  Vec<FrameRun> runs_;
  Frames frames_;
  Vec<char> tail_;  // less than a page
};

}  // namespace guest
