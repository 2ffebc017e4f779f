// TraceLine: a line of a system-call trace in the making. User memory is read as the program would:
// what cannot be read is shown as its address. Overlong lines are cut.
#pragma once

#include <string_view>

#include "guest/base/errno.h"
#include "guest/mm/user.h"

namespace guest {

class TraceLine {
 public:
  [[gnu::format(printf, 2, 3)]] void put(const char* format, ...);
  void put_error(Errno error);
  /// By its letter in trace_arguments.h.
  void put_number(char letter, std::uint64_t value);
  void put_address(std::uint64_t value);

  // -- What lies in user memory.
  void put_bytes(UserAddress from, std::uint64_t bytes);
  void put_string(UserAddress from);
  void put_vector(UserAddress from);
  void put_pair(UserAddress from);
  void put_wait_status(UserAddress from);

  void end();
  [[nodiscard]] std::string_view view() const { return {text_, used_}; }

 private:
  static constexpr std::size_t capacity = 512, most_bytes = 32, most_strings = 8;
  struct FlagName {
    std::uint64_t bits;
    const char* name;
  };
  void put_char(char c);
  void put_quoted(const char* text, std::size_t bytes, bool whole);
  void put_signal(std::uint64_t number);
  void put_open_flags(std::uint64_t value);
  template <std::size_t N>
  void put_flags(const FlagName (&names)[N], std::uint64_t value);

  char text_[capacity];
  std::size_t used_ = 0;
};

}  // namespace guest
