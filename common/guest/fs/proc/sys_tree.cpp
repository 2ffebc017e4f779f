// /sys: see the header. The table below is the whole tree.
#include "guest/fs/proc/sys_tree.h"

#include "guest/drivers/block.h"
#include "guest/fs/proc/text_tree.h"

namespace guest {
namespace {

constexpr std::uint32_t file = mode_regular | 0444, link = mode_symlink | 0777;

Result<String> zero() {
  return number_line(0);
}
Result<String> one() {
  return number_line(1);
}
Result<String> disk_sectors() {
  return number_line(machine_disk()->bytes() / 512);
}
Result<String> disk_read_only() {
  return number_line(machine_disk()->read_only());
}
Result<String> sector_bytes() {
  return number_line(512);
}
template <const char* text>
Result<String> fixed() {
  return line_of(text);
}
template <const char* target>
Result<String> points_to() {
  return String::from(target);
}

constexpr char disk_number[] = "8:0", disk_from_class[] = "../../block/sda",
               disk_event[] = "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk";

constexpr TextEntry tree[] = {
    {""},
    {"devices"},
    {"devices/system"},
    {"devices/system/cpu"},
    {"devices/system/cpu/online", file, zero},
    {"devices/system/cpu/possible", file, zero},
    {"devices/system/cpu/present", file, zero},
    {"devices/system/cpu/kernel_max", file, zero},
    {"devices/system/cpu/cpu0"},
    {"devices/system/cpu/cpu0/online", file, one},
    {"devices/system/cpu/cpu0/topology"},
    {"devices/system/cpu/cpu0/topology/physical_package_id", file, zero},
    {"devices/system/cpu/cpu0/topology/core_id", file, zero},
    {"devices/system/cpu/cpu0/topology/thread_siblings", file, one},
    {"devices/system/cpu/cpu0/topology/thread_siblings_list", file, zero},
    {"devices/system/cpu/cpu0/topology/core_siblings", file, one},
    {"devices/system/cpu/cpu0/topology/core_siblings_list", file, zero},
    {"devices/system/node"},
    {"devices/system/node/online", file, zero},
    {"devices/system/node/possible", file, zero},
    {"devices/system/node/node0"},
    {"devices/system/node/node0/cpumap", file, one},
    {"devices/system/node/node0/cpulist", file, zero},
    {"fs"},
    {"kernel"},
    {"class"},
    {"class/block"},
    {"block"},
    {"dev"},
    {"dev/block"},
    // From here on what is only there with a disk.
    {"class/block/sda", link, points_to<disk_from_class>},
    {"dev/block/8:0", link, points_to<disk_from_class>},
    {"block/sda"},
    {"block/sda/dev", file, fixed<disk_number>},
    {"block/sda/uevent", file, fixed<disk_event>},
    {"block/sda/size", file, disk_sectors},
    {"block/sda/ro", file, disk_read_only},
    {"block/sda/removable", file, zero},
    {"block/sda/queue"},
    {"block/sda/queue/rotational", file, zero},
    {"block/sda/queue/logical_block_size", file, sector_bytes},
    {"block/sda/queue/physical_block_size", file, sector_bytes},
    {"block/sda/queue/hw_sector_size", file, sector_bytes},
};

constexpr std::size_t without_disk = [] {
  std::size_t count = 0;
  while (tree[count].path != "class/block/sda") ++count;
  return count;
}();

}  // namespace

Result<Ref<Inode>> make_sys(Ref<Inode> above) {
  const TextTree::Entries all(tree);
  return Ref<Inode>(TRY(make_ref<TextTree>(std::uint64_t{device_of_sys},
                                           machine_disk() ? all : all.first(without_disk),
                                           std::size_t{0}, std::move(above))));
}

}  // namespace guest
