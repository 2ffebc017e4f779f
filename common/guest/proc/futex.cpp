// Futexes. Called by the futex call and by a thread's end.
#include "guest/proc/futex.h"

#include "guest/mm/address_space.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

// GCC 12 leaves a constinit array of lists, which point to themselves, zero: hence the constructor.
struct WaiterTable {
  static constexpr int bits = 6;
  constexpr WaiterTable() {}
  auto& bucket(const FutexKey& key) {
    constexpr std::uint64_t spread = 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio
    const auto object = reinterpret_cast<std::uint64_t>(key.object);
    return buckets[((object ^ key.offset) * spread) >> (64 - bits)];
  }
  List<FutexWaiter, &FutexWaiter::node> buckets[1 << bits];
};
constinit WaiterTable waiters;

struct FoundKey {
  FutexKey key;
  Ref<PageSource> object;
};

Result<FoundKey> find_key(UserAddress address, FutexScope scope) {
  if (!vmi::is_user_range(address.value, sizeof(std::uint32_t))) return Errno::fault;
  AddressSpace& space = *current_process().space;
  const FutexKey here{&space, address.value};
  if (scope == FutexScope::one_space) return FoundKey{here, {}};
  (void)TRY(get_user<std::uint32_t>(address));
  const Region* region = space.regions().find(address.value);
  if (!region) return Errno::fault;
  const RegionSource& source = region->source;
  if (!source.shared || !source.backing) return FoundKey{here, {}};
  const std::uint64_t offset = source.offset + (address.value - region->va);
  return FoundKey{{source.backing.get(), offset}, source.backing};
}

}  // namespace

// Nothing happens between reading the word and standing on the list: the key is found in no time.
Result<> futex_wait(UserAddress address, FutexScope scope, std::uint32_t expected,
                    std::uint32_t bits, std::uint64_t deadline_ns) {
  const auto value = TRY(get_user<std::uint32_t>(address));
  FoundKey found = TRY(find_key(address, scope));
  if (value != expected) return Errno::again;
  FutexWaiter& waiter = current_thread().futex_waiter;
  waiter.key = found.key;
  waiter.object = std::move(found.object);
  waiter.bits = bits;
  waiter.woken = false;
  waiters.bucket(waiter.key).push_back(waiter);
  Errno slept = Errno::ok;
  while (!waiter.woken && slept == Errno::ok) slept = scheduler.block(deadline_ns).error();
  waiter.node.unlink();
  waiter.object.reset();
  return waiter.woken ? Errno::ok : slept;
}

static void wake(FutexWaiter& waiter) {
  waiter.node.unlink();
  waiter.woken = true;
  scheduler.wake(waiter.thread);
}

Result<int> futex_wake(UserAddress address, FutexScope scope, int most, std::uint32_t bits) {
  const FoundKey found = TRY(find_key(address, scope));
  int count = 0;
  for (FutexWaiter& waiter : waiters.bucket(found.key)) {
    if (!(waiter.key == found.key) || !(waiter.bits & bits)) continue;
    wake(waiter);
    if (++count >= most) break;  // one even if that is 0, as on Linux
  }
  return count;
}

// Those to be moved stand apart until all have been seen: `to` may be in the same bucket.
Result<int> futex_requeue(UserAddress from, UserAddress to, FutexScope scope, int wake_most,
                          int move_most, const std::uint32_t* expected) {
  const FoundKey before = TRY(find_key(from, scope)), after = TRY(find_key(to, scope));
  if (expected && TRY(get_user<std::uint32_t>(from)) != *expected) return Errno::again;
  List<FutexWaiter, &FutexWaiter::node> moved;
  int woken = 0, moving = 0;
  for (FutexWaiter& waiter : waiters.bucket(before.key)) {
    if (!(waiter.key == before.key)) continue;
    if (woken < wake_most) {
      wake(waiter);
      ++woken;
    } else if (moving < move_most) {
      waiter.node.unlink();
      moved.push_back(waiter);
      ++moving;
    } else {
      break;
    }
  }
  while (FutexWaiter* waiter = moved.pop_front()) {
    waiter->key = after.key;
    waiter->object = after.object;
    waiters.bucket(after.key).push_back(*waiter);
  }
  return woken + moving;
}

}  // namespace guest
