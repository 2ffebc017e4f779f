// Device interrupts: who serves which line. The scheduler serves the timer's itself; a driver says
// once, when it starts, which function serves its own.
#pragma once

#include "vmi/shared_info.h"

namespace guest {

/// `handler` runs in kernel mode whenever the line is pending, on whatever stack is current.
void serve_interrupt(vmi::Irq line, void (*handler)());

/// Serves what SharedInfo::pending says: on the way out of the kernel, and while idle.
void take_interrupts();

}  // namespace guest
