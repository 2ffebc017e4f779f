// Entered in machines/kinds.cpp.
#include "monitor/standalone/kind.h"

#include "monitor/machine/machine_config.h"

namespace monitor {
namespace {

constexpr Need needs[] = {Need::always, Need::namespaces};

Traits traits(const Config&) {
  return {.promise = "no virtual machine: the host's own protection",
          .contains = true,
          .speed = "standalone",
          .needs = needs};
}

}  // namespace

constinit const Kind standalone_kind = {.name = "standalone",
                                        .about = "the host itself",
                                        .is_guest = false,
                                        .axes = {},
                                        .traits = traits,
                                        .run = run_standalone};

}  // namespace monitor
