// One request, from host check to report.
#pragma once

#include "machines/request.h"

namespace cli {

/// Returns the exit status: the program's, or the machine's own. With a terminal the guest has it
/// to itself, raw, as long as it runs.
int run_request(const machines::Request&, bool on_terminal);

}  // namespace cli
