// System calls that describe the machine: its names, its memory, its age.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/frames.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/system_name.h"
#include "guest/syscall/handlers.h"

namespace guest {

namespace {

template <std::size_t N>
void set_text(char (&field)[N], const char* text) {
  for (std::size_t i = 0; i + 1 < N && *text != '\0'; ++i) field[i] = *text++;
}

}  // namespace

Result<std::int64_t> sys_uname(const Args& args) {
  abi::SystemName name{};
  set_text(name.system, system_type);
  set_text(name.node, system_node);
  set_text(name.release, system_release);
  set_text(name.version, system_version);
  set_text(name.machine, "x86_64");
  set_text(name.domain, "(none)");
  TRY(put_user(args.user(0), name));
  return 0;
}

Result<std::int64_t> sys_sysinfo(const Args& args) {
  abi::SystemInfo info{};
  info.uptime_seconds = static_cast<std::int64_t>(monotonic_ns() / ns_per_second);
  info.total_ram = frames_total().number;
  info.free_ram = frames_free().number;
  constexpr std::uint64_t scale = 1 << 16;
  for (int span = 0; span < LoadAverage::spans; ++span)
    info.loads[span] = scheduler.load_average(span) * scale / LoadAverage::one;
  info.unit_bytes = vmi::page_size;
  info.processes = static_cast<std::uint16_t>(processes.count());
  TRY(put_user(args.user(0), info));
  return 0;
}

}  // namespace guest
