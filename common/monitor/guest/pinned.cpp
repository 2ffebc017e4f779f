// See pinned.h.
#include "monitor/guest/pinned.h"

#include <string>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

int last_of(const cpu_set_t& set) {
  int cpu = CPU_SETSIZE - 1;
  while (cpu > 0 && !CPU_ISSET(cpu, &set)) --cpu;
  return cpu;
}

}  // namespace

Pinned::Pinned(int cpu) {
  if (sched_getaffinity(0, sizeof before_, &before_) != 0) throw_errno("cannot list the CPUs");
  if (cpu < 0) cpu = last_of(before_);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    throw_errno("cannot run on CPU " + std::to_string(cpu), "choose a CPU this process may use");
}

Pinned::~Pinned() {
  sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace monitor
