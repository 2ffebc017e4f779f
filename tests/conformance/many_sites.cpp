// System calls from more places than a monitor has room to patch, a few times each, and from some
// of the last again and again: then it may have to patch anew what it patched before.
#include "site_farm.h"

TEST(calls_from_17000_places) {
  const SiteFarm sites("/tmp/many_sites", 0, 17000);
  CHECK(sites.call_all());
}

TEST(calls_from_2200_places_in_low_memory) {
  const SiteFarm sites("/tmp/many_low_sites", 0x2000'0000, 2200);
  CHECK(sites.call_all());
  bool right = true;
  for (int i = 0; i < 5000; ++i) right = sites.call(2199 - i % 20) && right;
  CHECK(right);
  CHECK(sites.call_all());
}
