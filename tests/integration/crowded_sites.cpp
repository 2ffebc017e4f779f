// A guest program with more call sites in low memory than have room, which then calls one of the
// last so often that room must be made for it.
#include "../conformance/site_farm.h"

TEST(a_site_without_room_is_called_long) {
  const SiteFarm sites("/tmp/crowded_sites", 0x2000'0000, 2200);
  CHECK(sites.call_all());
  bool right = true;
  for (int i = 0; i < 150'000; ++i) right = sites.call(2199) && right;
  CHECK(right);
  CHECK(sites.call_all());
}
