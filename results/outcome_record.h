// What a results file keeps of a launch's outcome. The file's format is its own (schema.json): a
// change to the monitor's structure changes one line here, and no file.
#pragma once

#include <nlohmann/json.hpp>

#include "monitor/machine/machine_config.h"

namespace results {

/// Named after the configuration, so that it can be read alone.
nlohmann::json outcome_record(const monitor::Outcome&, const monitor::Config&);

/// Of files of all versions. Throws nlohmann::json::exception on missing or mistyped fields, and
/// monitor::HostError for a record of another version.
monitor::Outcome outcome_from_record(const nlohmann::json&);

}  // namespace results
