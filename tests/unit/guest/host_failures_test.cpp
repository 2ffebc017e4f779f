// A host that refuses: every hypercall of every scenario fails once, and from there on, having done
// nothing, a part or all of what it was asked; and every allocation of the kernel heap. No process
// ever has more than its page table says, and no call that fails changes anything.
#include <functional>
#include <random>

#include "tests/unit/guest/modelled_world.h"

namespace guest_test {
namespace {

using World = ModelledWorld;
constexpr std::uint32_t read_only = vmi::prot_read, read_write = World::read_write;

void store_all(World& world, std::uint64_t first, std::uint64_t count, std::uint8_t value) {
  for (std::uint64_t i = first; i < first + count; ++i)
    world.store(i, static_cast<std::uint8_t>(value + i));
}
void load_all(World& world, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = first; i < first + count; ++i) world.load(i);
}

struct Scenario {
  const char* name;
  void (*run)(World&);
};

constexpr Scenario scenarios[] = {
    {"map and unmap",
     [](World& world) {
       if (!world.map(0, 20) || !world.map(20, 4, read_only)) return;
       store_all(world, 0, 20, 1);
       load_all(world, 20, 4);
       world.unmap(3, 4);
       world.unmap(0, 24);
     }},
    {"map over",
     [](World& world) {
       if (!world.map(0, 8)) return;
       store_all(world, 0, 8, 1);
       world.map(2, 3);
       load_all(world, 0, 8);
       world.map_file(4, 2, read_write, false);
       load_all(world, 0, 8);
     }},
    {"protect, then fork",
     [](World& world) {
       if (!world.map(0, 8)) return;
       store_all(world, 0, 8, 1);
       world.protect(2, 2, read_only);
       world.protect(5, 1, vmi::prot_read | vmi::prot_exec);
       if (!world.fork()) return;
       store_all(world, 0, 2, 100);
       if (world.protect(0, 8, read_write)) store_all(world, 0, 8, 50);
       world.switch_to(1);
       load_all(world, 0, 8);
     }},
    {"protect in one call what lies in several regions",
     [](World& world) {
       if (!world.map(0, 4) || !world.map(4, 4, read_only) || !world.map(8, 4)) return;
       store_all(world, 0, 4, 1);
       load_all(world, 4, 4);
       store_all(world, 8, 4, 1);
       world.protect(1, 10, vmi::prot_none);
       world.protect(0, 12, read_write);
       if (world.fork()) store_all(world, 0, 12, 60);
     }},
    {"copy on write",
     [](World& world) {
       if (!world.map(0, 40)) return;
       store_all(world, 0, 40, 1);
       if (!world.fork()) return;
       store_all(world, 5, 10, 100);
       world.switch_to(1);
       store_all(world, 0, 40, 200);
       world.switch_to(0);
       load_all(world, 0, 40);
     }},
    {"written again when the other is gone",
     [](World& world) {
       if (!world.map(0, 8)) return;
       store_all(world, 0, 8, 1);
       if (!world.fork()) return;
       world.exit();
       store_all(world, 2, 3, 30);
       if (world.fork()) store_all(world, 0, 8, 90);
     }},
    {"generations",
     [](World& world) {
       if (!world.map(0, 6)) return;
       store_all(world, 0, 6, 1);
       if (!world.fork()) return;
       world.switch_to(1);
       store_all(world, 0, 2, 40);
       if (!world.fork()) return;
       world.switch_to(2);
       store_all(world, 1, 4, 80);
       world.exit();
       load_all(world, 0, 6);
     }},
    {"move several runs",
     [](World& world) {
       if (!world.map(0, 16)) return;
       for (std::uint64_t i : {12, 8, 4, 0}) store_all(world, i, 2, 1);
       world.discard(8, 1);
       world.remap(0, 16, 32, 24);
       world.map(0, 4);
       world.remap(0, 2, 33, 2);
     }},
    {"move shared pages after fork",
     [](World& world) {
       if (!world.map(0, 12)) return;
       store_all(world, 0, 12, 1);
       if (!world.fork()) return;
       store_all(world, 3, 1, 100);
       if (world.remap(0, 12, 20, 6)) store_all(world, 20, 6, 100);
       world.switch_to(1);
       load_all(world, 0, 12);
     }},
    {"break",
     [](World& world) {
       world.space().start_brk(World::base);
       if (world.set_break(10)) store_all(world, 0, 10, 1);
       if (world.set_break(4)) load_all(world, 0, 4);
       if (world.set_break(8)) load_all(world, 0, 8);
     }},
    {"discard",
     [](World& world) {
       if (!world.map(0, 16)) return;
       store_all(world, 0, 16, 1);
       world.discard(3, 5);
       load_all(world, 0, 16);
     }},
    {"shared memory",
     [](World& world) {
       if (!world.map(0, 6, read_write, true)) return;
       store_all(world, 0, 3, 1);
       if (!world.fork()) return;
       store_all(world, 0, 6, 20);
       world.switch_to(1);
       load_all(world, 0, 6);
       world.protect(0, 3, read_only);
       world.unmap(0, 2);
     }},
    {"files",
     [](World& world) {
       if (!world.map_file(0, 8, read_write, false) || !world.map_file(10, 8, read_write, true))
         return;
       load_all(world, 0, 8);
       store_all(world, 2, 3, 1);
       load_all(world, 10, 8);
       store_all(world, 16, 2, 7);
       if (world.fork()) store_all(world, 4, 2, 9);
       world.remap(10, 8, 20, 8);
       world.discard(2, 2);
     }},
    {"another program",
     [](World& world) {
       if (!world.map(0, 8)) return;
       store_all(world, 0, 8, 1);
       if (!world.fork()) return;
       world.switch_to(1);
       if (!world.exec() || !world.map(4, 4)) return;
       store_all(world, 4, 4, 100);
       world.exit();
       store_all(world, 0, 8, 50);
     }},
};

/// A world in which something fails. `begin` says what.
bool refused(const Scenario& scenario, bool pool, const std::function<void(FakePlatform&)>& begin) {
  World world(pool);
  begin(world.platform);
  scenario.run(world);
  world.platform.mapping_calls_left = world.platform.heap_allocations_left = -1;
  world.end();
  return world.was_refused();
}

class HostFailures : public testing::TestWithParam<Scenario> {};

TEST_P(HostFailures, NothingIsRefused) {
  for (bool pool : {false, true}) EXPECT_FALSE(refused(GetParam(), pool, [](auto&) {}));
}

TEST_P(HostFailures, AnyCallIsRefused) {
  for (Applied applied : {Applied::nothing, Applied::half, Applied::all, Applied::old_gone}) {
    for (bool lasts : {false, true}) {
      bool again = true;
      for (int n = 0; again && !HasFailure(); ++n) {
        SCOPED_TRACE(testing::Message() << "call " << n << (lasts ? " and all after" : "")
                                        << ", applied " << static_cast<int>(applied));
        again = false;
        for (bool pool : {false, true}) {
          again |= refused(GetParam(), pool, [&](FakePlatform& platform) {
            platform.mapping_calls_left = n;
            platform.applied = applied;
            platform.failure_lasts = lasts;
          });
        }
      }
    }
  }
}

TEST_P(HostFailures, AnyAllocationFails) {
  bool again = true;
  for (int n = 0; again && !HasFailure(); ++n) {
    SCOPED_TRACE(testing::Message() << "allocation " << n);
    again = refused(GetParam(), true,
                    [&](FakePlatform& platform) { platform.heap_allocations_left = n; });
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, HostFailures, testing::ValuesIn(scenarios), [](auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = std::isalpha(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

/// One step that a program might take next, wherever it stands.
void random_step(World& world, std::mt19937& random) {
  constexpr std::uint64_t pages = 48;
  auto below = [&](std::uint64_t end) { return random() % end; };
  const std::uint64_t first = below(pages),
                      count = 1 + below(std::min<std::uint64_t>(12, pages - first));
  auto usable = [&](std::uint64_t index, std::uint32_t wanted) {
    const guest::Region* region = world.space().regions().find(World::at(index));
    return region && (region->source.protection & wanted);
  };
  switch (below(12)) {
    case 0:
      world.map(first, count, below(3) ? read_write : read_only, below(4) == 0);
      break;
    case 1:
      world.map_file(first, std::min<std::uint64_t>(count, 8), read_write, below(2));
      break;
    case 2:
      world.unmap(first, count);
      break;
    case 3:
      if (world.space().check_mapped(World::at(first), count * World::page).ok())
        world.protect(first, count, below(3) ? read_write : read_only);
      break;
    case 4:
      if (world.processes() < 4) world.fork();
      break;
    case 5:
      if (world.processes() > 1 && below(3) == 0) world.exit();
      break;
    case 6:
      world.switch_to(below(world.processes()));
      break;
    case 7: {
      const guest::Region* region = world.space().regions().find(World::at(first));
      if (region && region->anonymous() && region->end >= World::at(first + count))
        world.remap(first, count, pages + first, count + below(3));
      break;
    }
    case 8:
      if (usable(first, vmi::prot_read)) world.load(first);
      break;
    default:
      if (usable(first, vmi::prot_write)) world.store(first, static_cast<std::uint8_t>(below(256)));
  }
}

TEST(HostFailuresAtRandom, NothingIsLostOrGained) {
  for (unsigned seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    World world(seed % 2);
    world.platform.failure_lasts = false;
    for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(testing::Message() << "step " << step);
      if (random() % 4 == 0) {
        world.platform.mapping_calls_left = static_cast<int>(random() % 4);
        world.platform.applied = static_cast<Applied>(random() % 4);
      }
      if (random() % 8 == 0) world.platform.heap_allocations_left = static_cast<int>(random() % 6);
      random_step(world, random);
    }
    world.platform.mapping_calls_left = world.platform.heap_allocations_left = -1;
    world.end();
  }
}

}  // namespace
}  // namespace guest_test
