// See markers.h.
#include "monitor/guest/markers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace monitor {

void read_markers(const devices::MarkerLog& written, Outcome& outcome) {
  std::string_view log(written.text, std::min(written.bytes, devices::MarkerLog::capacity));
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    Marker marker{};
    const auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), marker.host_ns);
    if (error != std::errc{} || end == line.data() + line.size()) continue;
    marker.text.assign(end + 1, line.data() + line.size());
    outcome.markers.push_back(std::move(marker));
  }
  if (written.lost != 0) {
    outcome.warnings.push_back(
        fmt::format("{} markers were lost: a run holds some hundred", written.lost));
  }
}

}  // namespace monitor
