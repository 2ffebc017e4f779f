// poll, ppoll, select, pselect6: four faces of poll_files.
#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/base/clock.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/poll.h"

namespace guest {
namespace {

constexpr std::int64_t second_ns = ns_per_second;

/// How long a call may wait.
struct Patience {
  bool forever = true;
  std::uint64_t deadline = 0;

  static Patience until(std::uint64_t ns_from_now) {
    std::uint64_t now = monotonic_ns(), deadline = now + ns_from_now;
    return {false, deadline < now ? UINT64_MAX : deadline};
  }
  static Result<Patience> from(std::int64_t seconds, std::int64_t nanoseconds) {
    if (seconds < 0 || nanoseconds < 0 || nanoseconds >= second_ns) return Errno::inval;
    constexpr std::int64_t longest = INT64_MAX / second_ns - 1;
    if (seconds > longest) seconds = longest;
    return until(static_cast<std::uint64_t>(seconds * second_ns + nanoseconds));
  }
  [[nodiscard]] std::uint64_t left() const {
    std::uint64_t now = monotonic_ns();
    return now < deadline ? deadline - now : 0;
  }
};

Result<std::size_t> poll_for(Vec<PollItem>& items, const Patience& patience) {
  bool may_wait = patience.forever || patience.left() > 0;
  auto ready = poll_files(items, may_wait, patience.forever ? 0 : patience.deadline);
  // These calls are never restarted: the time they were given runs on.
  if (!ready.ok() && ready.error() == Errno::restart) return Errno::intr;
  return ready;
}

/// A temporary signal mask; nothing when `address` is null.
Result<> use_signal_mask(UserAddress address, std::uint64_t bytes) {
  if (!address) return {};
  if (bytes != sizeof(SignalSet)) return Errno::inval;
  set_temporary_signal_mask(current_thread(), TRY(get_user<SignalSet>(address)));
  return {};
}

Result<Patience> timespec_argument(UserAddress address) {
  if (!address) return Patience{};
  auto time = TRY(get_user<abi::FileTimespec>(address));
  return Patience::from(time.seconds, time.nanoseconds);
}

// Linux tells what was left of the time. That it cannot be written is no failure of the call.
void put_time_left(UserAddress address, const Patience& patience) {
  if (!address) return;
  auto left = static_cast<std::int64_t>(patience.left());
  static_cast<void>(put_user(address, abi::FileTimespec{left / second_ns, left % second_ns}).ok());
}

// -- poll

Result<std::int64_t> poll_array(UserAddress array, std::uint64_t count, const Patience& patience) {
  if (count > FileTable::limit) return Errno::inval;
  Vec<abi::PollFd> asked;
  Vec<PollItem> items;
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
  std::size_t ready = TRY(poll_for(items, bad ? Patience::until(0) : patience));
  std::size_t item = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (asked[i].fd >= 0 && asked[i].result == 0)
      asked[i].result = static_cast<std::int16_t>(items[item++].ready);
    TRY(put_user(array + (i * sizeof(abi::PollFd) + offsetof(abi::PollFd, result)),
                 asked[i].result));
  }
  return static_cast<std::int64_t>(ready + bad);
}

// -- select

/// One of select's three sets: what it asks for, and which poll bits answer it.
struct SelectSet {
  static constexpr std::size_t words = FileTable::limit / 64;
  UserAddress address;
  std::uint32_t wanted, answers;
  std::uint64_t bits[words] = {};

  Result<> fetch(int count) {
    if (!address) return {};
    return copy_from_user(bits, address, bytes(count));
  }
  Result<> store(int count) const {
    if (!address) return {};
    return copy_to_user(address, bits, bytes(count));
  }
  [[nodiscard]] bool has(int fd) const { return bits[fd / 64] >> (fd % 64) & 1; }
  void remove(int fd) { bits[fd / 64] &= ~(1ull << (fd % 64)); }
  static std::size_t bytes(int count) { return (static_cast<std::size_t>(count) + 63) / 64 * 8; }
};

Result<std::int64_t> select_sets(const Args& args, const Patience& patience) {
  int count = args.i32(0);
  if (count < 0) return Errno::inval;
  if (count > FileTable::limit) count = FileTable::limit;
  SelectSet sets[] = {
      {args.user(1), abi::poll_in | abi::poll_rdnorm,
       abi::poll_in | abi::poll_rdnorm | abi::poll_hup | abi::poll_err},
      {args.user(2), abi::poll_out | abi::poll_wrnorm,
       abi::poll_out | abi::poll_wrnorm | abi::poll_err},
      {args.user(3), abi::poll_pri, abi::poll_pri},
  };
  for (SelectSet& set : sets) TRY(set.fetch(count));

  Vec<PollItem> items;
  for (int fd = 0; fd < count; ++fd) {
    std::uint32_t wanted = 0;
    for (SelectSet& set : sets)
      if (set.has(fd)) wanted |= set.wanted;
    if (wanted) TRY(items.push({TRY(file_argument(fd)), wanted}));
  }
  TRY(poll_for(items, patience));

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
  Patience patience;
  if (args.i32(2) >= 0) patience = Patience::until(std::uint64_t{args.u32(2)} * 1'000'000);
  return poll_array(args.user(0), args.u64(1), patience);
}

Result<std::int64_t> sys_ppoll(const Args& args) {
  Patience patience = TRY(timespec_argument(args.user(2)));
  TRY(use_signal_mask(args.user(3), args.u64(4)));
  auto ready = poll_array(args.user(0), args.u64(1), patience);
  put_time_left(args.user(2), patience);
  return ready;
}

Result<std::int64_t> sys_select(const Args& args) {
  Patience patience;
  UserAddress timeout = args.user(4);
  if (timeout) {
    auto time = TRY(get_user<abi::FileTimeval>(timeout));
    // Too many microseconds carry over, as on Linux.
    if (time.seconds < 0 || time.microseconds < 0) return Errno::inval;
    std::int64_t seconds;
    if (__builtin_add_overflow(time.seconds, time.microseconds / 1'000'000, &seconds))
      return Errno::inval;
    patience = TRY(Patience::from(seconds, time.microseconds % 1'000'000 * 1000));
  }
  auto ready = select_sets(args, patience);
  if (timeout) {
    auto left = static_cast<std::int64_t>(patience.left());
    static_cast<void>(
        put_user(timeout, abi::FileTimeval{left / second_ns, left % second_ns / 1000}).ok());
  }
  return ready;
}

Result<std::int64_t> sys_pselect6(const Args& args) {
  struct MaskArgument {
    std::uint64_t address, bytes;
  };
  Patience patience = TRY(timespec_argument(args.user(4)));
  if (args.user(5)) {
    auto mask = TRY(get_user<MaskArgument>(args.user(5)));
    TRY(use_signal_mask(UserAddress{mask.address}, mask.bytes));
  }
  auto ready = select_sets(args, patience);
  put_time_left(args.user(4), patience);
  return ready;
}

}  // namespace guest
