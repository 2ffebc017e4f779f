// The platform as the kernel image sees it: fixed addresses of the window. Unit tests on the host
// link doubles instead of this file.
#include "guest/platform.h"

namespace guest {

const vmi::Hypercalls& hypercalls() {
  return *reinterpret_cast<const vmi::Hypercalls*>(vmi::resident_base);
}
vmi::SharedInfo& shared_info() {
  return *reinterpret_cast<vmi::SharedInfo*>(vmi::shared_info_base);
}
const vmi::BootInfo& boot_info() {
  return *reinterpret_cast<const vmi::BootInfo*>(vmi::boot_info_base);
}
vmi::Rings& rings() {
  return *reinterpret_cast<vmi::Rings*>(vmi::rings_base);
}

vmi::Accounts& accounts() {
  return *reinterpret_cast<vmi::Accounts*>(vmi::accounts_base);
}

}  // namespace guest
