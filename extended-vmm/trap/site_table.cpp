// See site_table.h. Kernel mode.
#include "extended-vmm/trap/site_table.h"

namespace extended {

Site* SiteTable::find(std::uint64_t return_address, const SiteCode& code) {
  auto& set = sites_[(return_address * 0x9e3779b97f4a7c15 >> 40) % sets];
  for (Site& site : set)
    if (site.return_address == return_address && site.code == code) return &site;
  for (std::uint32_t i = 0; i < ways; ++i) {
    Site& site = set[turn_++ % ways];
    if (site.state == Site::asked) continue;
    site = {};
    site.return_address = return_address;
    site.code = code;
    return &site;
  }
  return nullptr;
}

void SiteTable::make_room() {
  for (auto& set : sites_)
    for (Site& site : set)
      if (site.state == Site::crowded) site.state = Site::good;
}

}  // namespace extended
