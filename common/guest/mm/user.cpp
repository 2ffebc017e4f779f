// User memory from kernel code: see user.h. Called by system calls, program loading and signal
// delivery, in the context of the process whose memory is current.
#include "guest/mm/user.h"

#include <algorithm>

#include "guest/base/progress.h"
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

/// Runs `attempt(done)`, which returns how many of the bytes from there on it moved, and serves the
/// fault that stopped it, until `done` is `bytes`.
template <class Attempt, class Fault>
Result<> with_faults(std::uint64_t va, std::size_t bytes, std::size_t& done, Attempt attempt,
                     Fault fault) {
  if (!vmi::is_user_range(va, bytes)) return bytes == 0 ? Result<>() : Errno::fault;
  Faults faults;
  while ((done += attempt(done)) < bytes) TRY(fault(faults));
  return {};
}

/// `attempt` is one of user_copy.h, which say what they did not get to and why. `access_kind`:
/// fault_write when it writes to user memory; a monitor may be unable to tell.
template <class Attempt>
Result<> copy_with_faults(std::uint64_t va, std::size_t bytes, std::uint64_t access_kind,
                          std::size_t& done, Attempt attempt) {
  return with_faults(
      va, bytes, done,
      [&](std::size_t begun) { return bytes - begun - attempt(begun, bytes - begun); },
      [&](Faults& faults) {
        const vmi::UserAccess& access = shared_info().user_access;
        return faults.serve(access.fault_address, access.error_code | access_kind);
      });
}

Result<> copy_in(void* to, UserAddress from, std::size_t bytes, std::size_t& done) {
  return copy_with_faults(from.value, bytes, 0, done, [&](std::size_t begun, std::size_t left) {
    return user_copy_in(static_cast<char*>(to) + begun, from.value + begun, left,
                        &shared_info().user_access);
  });
}

Result<> copy_out(UserAddress to, const void* from, std::size_t bytes, std::size_t& done) {
  return copy_with_faults(
      to.value, bytes, vmi::fault_write, done, [&](std::size_t begun, std::size_t left) {
        return user_copy_out(to.value + begun, static_cast<const char*>(from) + begun, left,
                             &shared_info().user_access);
      });
}

Result<> clear(UserAddress to, std::size_t bytes, std::size_t& done) {
  return copy_with_faults(to.value, bytes, vmi::fault_write, done,
                          [&](std::size_t begun, std::size_t left) {
                            return user_clear(to.value + begun, left, &shared_info().user_access);
                          });
}

/// `attempt` is one of the frame hypercalls, which do not say why they stopped.
template <class Attempt>
Result<std::size_t> move_with_faults(std::uint64_t va, std::size_t bytes, std::uint64_t error_code,
                                     MoveWatcher* watcher, Attempt attempt) {
  std::size_t done = 0;
  auto serve = [&](Faults& faults) {
    if (watcher && done) watcher->have_moved(done);
    return faults.serve(va + done, error_code);
  };
  return moved(with_faults(va, bytes, done, attempt, serve), done);
}

}  // namespace

Result<> copy_from_user(void* to, UserAddress from, std::size_t bytes) {
  std::size_t done = 0;
  return copy_in(to, from, bytes, done);
}
Result<> copy_to_user(UserAddress to, const void* from, std::size_t bytes) {
  std::size_t done = 0;
  return copy_out(to, from, bytes, done);
}
Result<> zero_user(UserAddress to, std::size_t bytes) {
  std::size_t done = 0;
  return clear(to, bytes, done);
}

Result<std::size_t> move_from_user(void* to, UserAddress from, std::size_t bytes) {
  std::size_t done = 0;
  return moved(copy_in(to, from, bytes, done), done);
}
Result<std::size_t> move_to_user(UserAddress to, const void* from, std::size_t bytes) {
  std::size_t done = 0;
  return moved(copy_out(to, from, bytes, done), done);
}
Result<std::size_t> move_zeros_to_user(UserAddress to, std::size_t bytes) {
  std::size_t done = 0;
  return moved(clear(to, bytes, done), done);
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

Result<std::size_t> frame_to_user(vmi::Frame frame, std::uint64_t offset, UserAddress to,
                                  std::size_t bytes) {
  return move_with_faults(
      to.value, bytes, vmi::fault_write | vmi::fault_user, nullptr, [&](std::size_t done) {
        return hypercalls()
            .copy_frame_to_user(frame, Bytes(offset + done), to.value + done, Bytes(bytes - done))
            .number;
      });
}

Result<std::size_t> user_to_frame(vmi::Frame frame, std::uint64_t offset, UserAddress from,
                                  std::size_t bytes, MoveWatcher* watcher) {
  return move_with_faults(from.value, bytes, vmi::fault_user, watcher, [&](std::size_t done) {
    return hypercalls()
        .copy_user_to_frame(frame, Bytes(offset + done), from.value + done, Bytes(bytes - done))
        .number;
  });
}

}  // namespace guest
