// The list of observers; see observers.h.
#include "guest/proc/observers.h"

namespace guest {
namespace {

constinit ProcessObservers all;

}  // namespace

void set_process_observers(ProcessObservers observers) {
  all = observers;
}

ProcessObservers process_observers() {
  return all;
}

}  // namespace guest
