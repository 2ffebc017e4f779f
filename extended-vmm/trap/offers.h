// Offers of call sites to the guest kernel (vmi::TextOffer) that it has not answered yet. An offer
// keeps all that was judged of its site, for what is known of sites may be replaced meanwhile. Used
// by sites.cpp; unit tests.
#pragma once

#include "extended-vmm/trap/site_table.h"
#include "vmi/trap_frame.h"

namespace extended {

class Offers {
 public:
  /// In place of the oldest, if as many are out already.
  vmi::TextOffer make(const Site& site) {
    const vmi::TextOffer offer{++made_, site.load_at()};
    out_[offer.id % most] = {offer.id, site};
    return offer;
  }
  /// The site of an offer that is out, which it is no more. False: it was never made, not for this
  /// address, was answered before, or is too old.
  bool take(const vmi::TextOffer& offer, Site& site) {
    Out& out = out_[offer.id % most];
    if (offer.id == 0 || out.id != offer.id || out.site.load_at() != offer.va) return false;
    site = out.site;
    out.id = 0;
    return true;
  }

  static constexpr std::uint64_t most = 8;

 private:
  struct Out {
    std::uint64_t id;  // 0: none
    Site site;
  };
  Out out_[most];
  std::uint64_t made_;
};

}  // namespace extended
