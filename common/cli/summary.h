// What `typetwo exec` says on stderr after a run.
#pragma once

#include <optional>

#include "monitor/machine/machine_config.h"

namespace cli {

/// What a person must know without asking: failure, timeout, warnings, unknown system calls.
void print_notes(const monitor::Outcome&, std::optional<double> timeout_seconds);

/// Times, counters and the rest, readably (--summary).
void print_summary(const monitor::Outcome&, const monitor::Config&);

}  // namespace cli
