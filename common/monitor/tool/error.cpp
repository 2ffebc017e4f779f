// The one place where an errno of the launcher's own host calls becomes a line for a person.
#include "monitor/tool/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace monitor {

void throw_errno(const std::string& what, const std::string& remedy) {
  std::string cause = std::strerror(errno);
  throw HostError(fmt::format("{}: {}{}{}", what, cause, remedy.empty() ? "" : "; ", remedy));
}

}  // namespace monitor
