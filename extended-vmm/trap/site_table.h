// What is known of call sites: by their address and by all the code that was judged, as another
// program may have other code at the same address. Used by sites.cpp.
#pragma once

#include <cstdint>

#include "extended-vmm/resident/image.h"

namespace extended {

struct Site {
  /// crowded: good, but there is no room for its trampoline.
  enum State : std::uint8_t { unknown, asked, good, refused, crowded };
  std::uint64_t return_address;  // 0: no site
  SiteCode code;
  State state;
  std::uint8_t question;  // index, while asked
  std::uint8_t offers;    // times the guest kernel was asked for the page
  std::uint8_t room;      // once good: behind the return address, for an `xor`

  [[nodiscard]] std::uint64_t load_at() const {
    return return_address - syscall_bytes - code.load_bytes;
  }
};

/// Remembers the sites of late. To forget one costs a question.
class SiteTable {
 public:
  /// The site with this very code, perhaps a new one in place of another. nullptr: all that it
  /// could replace are being asked about.
  Site* find(std::uint64_t return_address, const SiteCode& code);
  /// There is room again for those that found none.
  void make_room();

 private:
  static constexpr std::uint32_t ways = 8, sets = 32;
  Site sites_[sets][ways];
  std::uint32_t turn_;
};

}  // namespace extended
