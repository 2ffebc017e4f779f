// What /proc says of the machine as a whole, and nobody in it: the tables in tree.cpp and
// sys_tree.cpp name these texts.
#pragma once

#include "guest/heap/string.h"

namespace guest {

// machine.cpp
Result<String> machine_meminfo();
Result<String> machine_uptime();
Result<String> machine_loadavg();
Result<String> machine_stat();
Result<String> machine_vmstat();
Result<String> machine_partitions();
Result<String> machine_diskstats();

// cpuinfo.cpp
Result<String> machine_cpuinfo();

}  // namespace guest
