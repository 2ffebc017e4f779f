// The context block of results: all that one must know of host and build to read the numbers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace harness {

nlohmann::json gather_context();

/// Host CPUs this process may use, in order.
std::vector<int> allowed_cpus();

/// Now, UTC: "2026-11-22T08:15:00Z".
std::string utc_now();

}  // namespace harness
