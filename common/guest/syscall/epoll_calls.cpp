// The epoll calls. What is behind them is fs/events/epoll.h.
#include "guest/abi/file_flags.h"
#include "guest/abi/structs.h"
#include "guest/fs/events/epoll.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/poll_times.h"

namespace guest {

namespace {

Result<EpollInterest> interest_argument(UserAddress event) {
  return EpollInterest{TRY(get_user<std::uint32_t>(event)),
                       TRY(get_user<std::uint64_t>(event + sizeof(std::uint32_t)))};
}

Result<std::int64_t> wait(const Args& args, std::uint64_t deadline_ns) {
  constexpr std::uint64_t record_bytes = 12;
  const int most = args.i32(2);
  if (most <= 0 || most > INT32_MAX / static_cast<int>(record_bytes)) return Errno::inval;
  const auto count = static_cast<std::uint64_t>(most);
  if (!vmi::is_user_range(args.u64(1), count * record_bytes)) return Errno::fault;
  const Ref<Epoll> epoll = TRY(file_argument_as<Epoll>(args.i32(0)));
  return as_count(epoll->wait(args.user(1), count, deadline_ns));
}

/// Under another signal mask, if one is given.
Result<std::int64_t> wait_masked(const Args& args, std::uint64_t deadline_ns) {
  TRY(use_signal_mask(args.user(4), args.u64(5)));
  auto waited = wait(args, deadline_ns);
  if (waited.error() != Errno::intr) end_temporary_signal_mask(current_thread());
  return waited;
}

}  // namespace

Result<std::int64_t> sys_epoll_create1(const Args& args) {
  if (args.u32(0) & ~abi::o_cloexec) return Errno::inval;
  TRY(check_room_for_files(1));
  return install_file(TRY(make_epoll()), args.u32(0));
}

Result<std::int64_t> sys_epoll_create(const Args& args) {
  if (args.i32(0) <= 0) return Errno::inval;
  return sys_epoll_create1({});
}

Result<std::int64_t> sys_epoll_ctl(const Args& args) {
  enum { add = 1, remove = 2, change = 3 };
  const int operation = args.i32(1), fd = args.i32(2);
  EpollInterest interest;
  if (operation != remove) interest = TRY(interest_argument(args.user(3)));
  Ref<File> watching = TRY(file_argument(args.i32(0)));
  Ref<File> file = TRY(file_argument(fd));
  if (!file->events()) return Errno::perm;
  Epoll* epoll = file_as<Epoll>(*watching);
  if (!epoll || watching == file) return Errno::inval;
  switch (operation) {
    case add:
      return as_zero(epoll->add(*file, fd, interest));
    case remove:
      return as_zero(epoll->remove(*file, fd));
    case change:
      return as_zero(epoll->change(*file, fd, interest));
    default:
      return Errno::inval;
  }
}

Result<std::int64_t> sys_epoll_wait(const Args& args) {
  return wait(args, deadline_in_ms(args.i32(3)));
}

Result<std::int64_t> sys_epoll_pwait(const Args& args) {
  return wait_masked(args, deadline_in_ms(args.i32(3)));
}

Result<std::int64_t> sys_epoll_pwait2(const Args& args) {
  return wait_masked(args, TRY(timespec_deadline(args.user(3))));
}

}  // namespace guest
