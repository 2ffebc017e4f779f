// poll, ppoll, select, pselect6: four faces of poll_files.
#include <algorithm>
#include <bit>

#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/base/clock.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/poll_times.h"
#include "guest/syscall/restart.h"
#include "guest/syscall/time_values.h"

namespace guest {
namespace {

std::uint64_t left_until(std::uint64_t deadline) {
  const std::uint64_t now = monotonic_ns();
  return now < deadline ? deadline - now : 0;
}

/// The end of all but poll. The program's copy of its time becomes what is left of it: a call that
/// is made again finds it there. Where that cannot be written, it is not made again.
template <class Time>
Result<std::int64_t> finish(Result<std::int64_t> ready, UserAddress time, std::uint64_t deadline,
                            Time (*in_its_units)(std::uint64_t)) {
  const bool interrupted = ready.error() == Errno::restart_unless_handled;
  if (!interrupted) end_temporary_signal_mask(current_thread());
  if (!time) return ready;
  const bool told = put_user(time, in_its_units(left_until(deadline))).ok();
  if (interrupted && !told) return Errno::intr;
  return ready;
}

// -- poll

Result<std::int64_t> poll_array(UserAddress array, std::uint64_t count, std::uint64_t deadline) {
  if (count > static_cast<std::uint64_t>(current_process().open_limit())) return Errno::inval;
  Vec<abi::PollFd> asked(HeapKind::file);
  Vec<PollItem> items(HeapKind::file);
  TRY(asked.reserve(count));
  TRY(items.reserve(count));
  std::size_t bad = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto entry = TRY(get_user<abi::PollFd>(array + i * sizeof(abi::PollFd)));
    entry.result = 0;
    if (entry.fd >= 0) {
      auto file = file_argument(entry.fd);
      if (file.ok()) {
        TRY(items.push({file.release(), static_cast<std::uint16_t>(entry.events)}));
      } else {
        entry.result = abi::poll_nval;
        ++bad;
      }
    }
    TRY(asked.push(entry));
  }
  auto ready = poll_files(items, bad ? no_time : deadline);
  if (!ready.ok() && ready.error() != Errno::restart_unless_handled) return ready.error();
  std::size_t item = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (asked[i].fd >= 0 && asked[i].result == 0)
      asked[i].result = static_cast<std::int16_t>(items[item++].ready);
    TRY(put_user(array + (i * sizeof(abi::PollFd) + offsetof(abi::PollFd, result)),
                 asked[i].result));
  }
  if (!ready.ok() && !bad) return ready.error();
  return static_cast<std::int64_t>((ready.ok() ? ready.value() : 0) + bad);
}

/// poll, from where its deadline is known.
Result<std::int64_t> poll_until(const Args& args, std::uint64_t deadline) {
  auto ready = poll_array(args.user(0), args.u64(1), deadline);
  if (ready.error() != Errno::restart_unless_handled) return ready;
  return restart_until(poll_until, args, deadline);
}

// -- select

/// One of select's three sets: what it asks for, and which poll bits answer it.
struct SelectSet {
  UserAddress address;
  std::uint32_t wanted, answers;
  Vec<std::uint64_t> bits;

  Result<> fetch(int count) {
    TRY(bits.reserve(bytes(count) / 8));
    while (bits.size() < bytes(count) / 8) TRY(bits.push(0));
    if (!address) return {};
    return copy_from_user(bits.begin(), address, bytes(count));
  }
  Result<> store(int count) const {
    if (!address) return {};
    return copy_to_user(address, bits.begin(), bytes(count));
  }
  [[nodiscard]] bool has(int fd) const { return bits[fd / 64] >> (fd % 64) & 1; }
  void remove(int fd) { bits[fd / 64] &= ~(1ull << (fd % 64)); }
  static std::size_t bytes(int count) { return (static_cast<std::size_t>(count) + 63) / 64 * 8; }
};

Result<std::int64_t> select_sets(const Args& args, std::uint64_t deadline) {
  int count = args.i32(0);
  if (count < 0) return Errno::inval;
  // As Linux, which looks no further than its table reaches: that doubles as it grows.
  const auto reach = std::bit_ceil(static_cast<unsigned>(current_process().files->end()));
  count = std::min(count, std::max(static_cast<int>(reach), FileTable::limit));
  SelectSet sets[] = {
      {args.user(1),
       abi::poll_in | abi::poll_rdnorm,
       abi::poll_in | abi::poll_rdnorm | abi::poll_hup | abi::poll_err,
       {}},
      {args.user(2),
       abi::poll_out | abi::poll_wrnorm,
       abi::poll_out | abi::poll_wrnorm | abi::poll_err,
       {}},
      {args.user(3), abi::poll_pri, abi::poll_pri, {}},
  };
  for (SelectSet& set : sets) TRY(set.fetch(count));

  Vec<PollItem> items(HeapKind::file);
  for (int fd = 0; fd < count; ++fd) {
    std::uint32_t wanted = 0;
    for (SelectSet& set : sets)
      if (set.has(fd)) wanted |= set.wanted;
    if (wanted) TRY(items.push({TRY(file_argument(fd)), wanted}));
  }
  TRY(poll_files(items, deadline));

  std::int64_t ready = 0;
  std::size_t item = 0;
  for (int fd = 0; fd < count; ++fd) {
    bool asked = false;
    for (SelectSet& set : sets) asked = asked || set.has(fd);
    if (!asked) continue;
    std::uint32_t state = items[item++].ready;
    for (SelectSet& set : sets) {
      if (!set.has(fd)) continue;
      if (state & set.answers)
        ++ready;
      else
        set.remove(fd);
    }
  }
  for (SelectSet& set : sets) TRY(set.store(count));
  return ready;
}

}  // namespace

Result<std::int64_t> sys_poll(const Args& args) {
  return poll_until(args, deadline_in_ms(args.i32(2)));
}

Result<std::int64_t> sys_ppoll(const Args& args) {
  const std::uint64_t deadline = TRY(timespec_deadline(args.user(2)));
  TRY(use_signal_mask(args.user(3), args.u64(4)));
  return finish(poll_array(args.user(0), args.u64(1), deadline), args.user(2), deadline,
                to_timespec);
}

Result<std::int64_t> sys_select(const Args& args) {
  std::uint64_t deadline = 0;
  if (args.user(4)) {
    auto time = TRY(get_user<abi::Timeval>(args.user(4)));
    // Too many microseconds carry over, as on Linux.
    if (time.seconds < 0 || time.microseconds < 0) return Errno::inval;
    if (__builtin_add_overflow(time.seconds, time.microseconds / 1'000'000, &time.seconds))
      return Errno::inval;
    time.microseconds %= 1'000'000;
    deadline = deadline_after(TRY(to_ns(time)));
  }
  return finish(select_sets(args, deadline), args.user(4), deadline, to_timeval);
}

Result<std::int64_t> sys_pselect6(const Args& args) {
  struct MaskArgument {
    std::uint64_t address, bytes;
  };
  const std::uint64_t deadline = TRY(timespec_deadline(args.user(4)));
  if (args.user(5)) {
    auto mask = TRY(get_user<MaskArgument>(args.user(5)));
    TRY(use_signal_mask(UserAddress{mask.address}, mask.bytes));
  }
  return finish(select_sets(args, deadline), args.user(4), deadline, to_timespec);
}

}  // namespace guest
