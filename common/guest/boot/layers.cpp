// Lower layers declare interfaces where they must call up; here they get what implements them, all
// of it in sight. See tests/layers_test.cpp for the order of layers.
#include "guest/boot/layers.h"

#include "guest/drivers/device_files.h"
#include "guest/drivers/terminal.h"
#include "guest/fs/root/disk.h"
#include "guest/ipc/semaphores.h"
#include "guest/net/outside/unsent.h"
#include "guest/proc/observers.h"
#include "guest/syscall/trace.h"

namespace guest {

void connect_layers() {
  // Tracing first: its lines still come out when the terminal or the disk is given up.
  static ProcessObserver* const observers[] = {&trace_observer(), &semaphore_observer(),
                                               &terminal_observer(), &disk_observer(),
                                               &unsent_observer()};
  set_process_observers(observers);
  set_device_drivers(device_drivers());
}

}  // namespace guest
