// See the header.
#include "guest/fs/events/signal_file.h"

#include "guest/abi/file_flags.h"
#include "guest/proc/process.h"

namespace guest {
namespace {

/// struct signalfd_siginfo
struct SignalRecord {
  std::uint32_t number;
  std::int32_t error, code;
  std::uint32_t pid, uid;
  std::int32_t descriptor;
  std::uint32_t timer, band, overruns, trap;
  std::int32_t status, value_int;
  std::uint64_t value, user_time, system_time, address;
  std::uint16_t address_lsb, padding1;
  std::int32_t syscall;
  std::uint64_t call_address;
  std::uint32_t architecture;
  std::uint8_t padding2[28];
};
static_assert(sizeof(SignalRecord) == 128);

SignalRecord record_of(const abi::SigInfo& info) {
  SignalRecord record{};
  record.number = static_cast<std::uint32_t>(info.number);
  record.error = info.error;
  record.code = info.code;
  const auto value = [&](std::uint64_t given) {
    record.value = given;
    record.value_int = static_cast<std::int32_t>(given);
  };
  if (info.code == abi::si_timer) {
    record.timer = static_cast<std::uint32_t>(info.timer.id);
    record.overruns = static_cast<std::uint32_t>(info.timer.overruns);
    value(info.timer.value);
    return record;
  }
  const bool of_fault = info.code > 0 && info.code != abi::si_kernel && info.number != sig_chld;
  if (of_fault) {
    record.address = info.fault.address;
    return record;
  }
  record.pid = static_cast<std::uint32_t>(info.sender.pid);
  record.uid = info.sender.uid;
  if (info.number == sig_chld && info.code > 0) {
    record.status = info.child.status;
    record.user_time = static_cast<std::uint64_t>(info.child.user_time);
    record.system_time = static_cast<std::uint64_t>(info.child.system_time);
  } else if (info.code < 0) {
    value(info.sender.value);
  }
  return record;
}

}  // namespace

// The first one is waited for, and as many more as there are.
Result<std::size_t> SignalFile::read(UserAddress to, std::size_t bytes) {
  if (bytes < sizeof(SignalRecord)) return Errno::inval;
  TRY(wait_for(abi::poll_in));
  Thread& self = current_thread();
  std::size_t done = 0;
  for (; bytes - done >= sizeof(SignalRecord); done += sizeof(SignalRecord)) {
    const SignalSet there = pending_signals(self) & taken_;
    if (!there) break;
    abi::SigInfo info = take_signal(self, there);
    refresh_attention(self);
    auto put = put_user(to + done, record_of(info));
    if (!put.ok()) return done ? Result<std::size_t>(done) : put.error();
  }
  return done;
}

std::uint32_t SignalFile::poll_state() {
  return pending_signals(current_thread()) & taken_ ? abi::poll_in : 0;
}

Result<Ref<File>> make_signal_file(SignalSet taken, std::uint32_t flags) {
  return make_anonymous<SignalFile>("[signalfd]", flags, taken);
}

}  // namespace guest
