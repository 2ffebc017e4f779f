// User memory from kernel code: see user.h. Called by system calls, program loading and signal
// delivery, in the context of the process whose memory is current.
#include "guest/mm/user.h"

#include <algorithm>

#include "guest/mm/address_space.h"
#include "guest/mm/user_copy.h"
#include "guest/platform.h"

namespace guest {

namespace {

/// Serves faults between attempts. A fault that was served and still comes back at the same place,
/// again and again, is no page fault: give up rather than hang.
class Faults {
 public:
  Result<> serve(std::uint64_t va, std::uint64_t error_code) {
    if (va == last_va_ && ++repeats_ > 8) return Errno::fault;
    if (va != last_va_) repeats_ = 0;
    last_va_ = va;
    AddressSpace* space = AddressSpace::current();
    if (!space) return Errno::fault;
    auto served = space->fault(va, error_code);
    if (served.ok() || served.error() == Errno::nomem) return served;
    return Errno::fault;
  }

 private:
  std::uint64_t last_va_ = 0;
  int repeats_ = 0;
};

/// Runs `attempt(done)`, which returns the bytes left after `done`, until none are. `access_kind`:
/// fault_write when it writes to user memory; a monitor may be unable to tell.
template <class Attempt>
Result<> copy_with_faults(std::uint64_t va, std::size_t bytes, std::uint64_t access_kind,
                          Attempt attempt) {
  if (!vmi::is_user_range(va, bytes)) return bytes == 0 ? Result<>() : Errno::fault;
  Faults faults;
  std::size_t left = bytes;
  while (left && (left = attempt(bytes - left, left)) != 0) {
    const vmi::UserAccess& access = shared_info().user_access;
    TRY(faults.serve(access.fault_address, access.error_code | access_kind));
  }
  return {};
}

/// The same for the frame hypercalls, which say how far they came but not why they stopped.
template <class Attempt>
Result<> move_with_faults(std::uint64_t va, std::size_t bytes, std::uint64_t error_code,
                          Attempt attempt) {
  if (!vmi::is_user_range(va, bytes)) return bytes == 0 ? Result<>() : Errno::fault;
  Faults faults;
  for (std::size_t done = 0; (done += attempt(done)) < bytes;) {
    TRY(faults.serve(va + done, error_code));
  }
  return {};
}

}  // namespace

Result<> copy_from_user(void* to, UserAddress from, std::size_t bytes) {
  return copy_with_faults(from.value, bytes, 0, [&](std::size_t done, std::size_t left) {
    return user_copy_in(static_cast<char*>(to) + done, from.value + done, left,
                        &shared_info().user_access);
  });
}

Result<> copy_to_user(UserAddress to, const void* from, std::size_t bytes) {
  return copy_with_faults(
      to.value, bytes, vmi::fault_write, [&](std::size_t done, std::size_t left) {
        return user_copy_out(to.value + done, static_cast<const char*>(from) + done, left,
                             &shared_info().user_access);
      });
}

Result<> zero_user(UserAddress to, std::size_t bytes) {
  return copy_with_faults(to.value, bytes, vmi::fault_write,
                          [&](std::size_t done, std::size_t left) {
                            return user_clear(to.value + done, left, &shared_info().user_access);
                          });
}

Result<String> string_from_user(UserAddress from, std::size_t max) {
  String text;
  char piece[128];
  for (std::size_t size = 0; size < max;) {
    // Never beyond the page that the string is known to reach.
    std::uint64_t at = from.value + size;
    std::size_t in_page = vmi::page_size - at % vmi::page_size;
    std::size_t bytes = std::min({sizeof piece, in_page, max - size});
    TRY(copy_from_user(piece, {at}, bytes));
    std::size_t length = 0;
    while (length < bytes && piece[length]) ++length;
    TRY(text.append({piece, length}));
    if (length < bytes) return text;
    size += bytes;
  }
  return Errno::nametoolong;
}

Result<> frame_to_user(vmi::Frame frame, std::uint64_t offset, UserAddress to, std::size_t bytes) {
  return move_with_faults(
      to.value, bytes, vmi::fault_write | vmi::fault_user, [&](std::size_t done) {
        return hypercalls().copy_frame_to_user(frame, offset + done, to.value + done, bytes - done);
      });
}

Result<> user_to_frame(vmi::Frame frame, std::uint64_t offset, UserAddress from,
                       std::size_t bytes) {
  return move_with_faults(from.value, bytes, vmi::fault_user, [&](std::size_t done) {
    return hypercalls().copy_user_to_frame(frame, offset + done, from.value + done, bytes - done);
  });
}

}  // namespace guest
