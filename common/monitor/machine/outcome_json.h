// Outcome as JSON: what `typetwo exec --report FILE` writes and the harness and the integration
// tests read. The names are the members' own.
#pragma once

#include <string>

#include "monitor/machine/machine_config.h"

namespace monitor {

inline constexpr int outcome_schema = 1;

/// `config` and its axes and promise go along, so that a report can be read alone.
std::string outcome_to_json(const Outcome&, const Config&);

/// Throws HostError when the text is no such report, naming what is wrong.
Outcome outcome_from_json(const std::string& text);

/// `path` may be a file or, for a reader of a pipe, /dev/fd/N. Throws HostError.
void write_report(const std::string& path, const Outcome&, const Config&);

}  // namespace monitor
