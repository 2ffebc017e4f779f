// /dev/marker: one write(2) is one line for the host's clock ("start NAME COUNT GUEST_NS" or
// "stop NAME GUEST_NS"), stamped by the marker device at the commit. Opened by workloads only.
#include "guest/abi/file_flags.h"
#include "guest/drivers/device_files.h"
#include "guest/drivers/ring.h"
#include "guest/heap/make.h"
#include "guest/platform.h"

namespace guest {
namespace {

constexpr std::size_t max_line = 256;  // what the device takes

class MarkerFile final : public File {
 public:
  using File::File;
  Result<std::size_t> read(UserAddress, std::size_t) override { return std::size_t{0}; }
  Result<std::size_t> write(Source from, std::size_t bytes) override {
    if (bytes == 0) return std::size_t{0};
    if (bytes > max_line) return Errno::inval;
    TRY(ring_put(rings().marker, from, bytes));
    hypercalls().device_write(vmi::marker_place.bus_base + vmi::marker_commit, 0);
    return bytes;
  }
  [[nodiscard]] bool seekable() const override { return false; }
};

}  // namespace

Result<Ref<File>> open_marker(Ref<Inode> inode, std::uint32_t flags) {
  return Ref<File>(TRY(make_ref<MarkerFile>(std::move(inode), flags)));
}

}  // namespace guest
