// ProgramStrings: see the header. Filled by execve and for the first process, read by
// write_initial_stack.
#include "guest/exec/program_strings.h"

#include <algorithm>

#include "guest/platform.h"

namespace guest {
namespace {

constexpr std::uint64_t longest_string = 128 * 1024;  // with its NUL

}  // namespace

ProgramStrings::~ProgramStrings() {
  for (const FrameRun& run : runs_) frames_release(run);
}

void ProgramStrings::peek(Frame frame, std::uint64_t at, char* to, std::uint64_t bytes) {
  hypercalls().peek_frame(frame, Bytes(at), to, Bytes(bytes));
}

Result<> ProgramStrings::store_page() {
  TRY(runs_.reserve_more(1));
  const FrameRun run = TRY(frames_allocate(Frames(1)));
  hypercalls().poke_frame(run.first, Bytes(0), tail_.begin(), Bytes(tail_.size()));
  tail_.clear();
  frames_ += run.count;
  return runs_.push(run);
}

Result<> ProgramStrings::append(std::string_view bytes) {
  if (bytes.size() > left_) return Errno::toobig;
  left_ -= bytes.size();
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), vmi::page_size - tail_.size());
    TRY(tail_.reserve_more(part));
    for (char c : bytes.substr(0, part)) TRY(tail_.push(c));
    bytes.remove_prefix(part);
    if (tail_.size() == vmi::page_size) TRY(store_page());
  }
  return {};
}

Result<> ProgramStrings::push(std::string_view text) {
  if (text.size() >= longest_string || left_ < sizeof(std::uint64_t)) return Errno::toobig;
  left_ -= sizeof(std::uint64_t);
  TRY(append(text));
  TRY(append({"", 1}));
  ++count_;
  return {};
}

Result<> ProgramStrings::push(const Vec<String>& texts) {
  for (const String& text : texts) TRY(push(text.view()));
  return {};
}

Result<> ProgramStrings::push_from_user(UserAddress text) {
  if (left_ < sizeof(std::uint64_t)) return Errno::toobig;
  left_ -= sizeof(std::uint64_t);
  char piece[256];
  for (std::uint64_t size = 0; size < longest_string;) {
    // Never beyond the page that the string is known to reach.
    const UserAddress at = text + size;
    const std::size_t bytes =
        std::min({sizeof piece, vmi::page_size - at.value % vmi::page_size, longest_string - size});
    TRY(copy_from_user(piece, at, bytes));
    const std::string_view all(piece, bytes);
    const std::size_t end = all.find('\0');
    TRY(append(all.substr(0, end == all.npos ? bytes : end + 1)));
    if (end != all.npos) {
      ++count_;
      return {};
    }
    size += bytes;
  }
  return Errno::toobig;
}

Result<> ProgramStrings::push_array(UserAddress array) {
  if (!array) return {};
  for (;; array = array + sizeof(std::uint64_t)) {
    const UserAddress text{TRY(get_user<std::uint64_t>(array))};
    if (!text) return {};
    TRY(push_from_user(text));
  }
}

}  // namespace guest
