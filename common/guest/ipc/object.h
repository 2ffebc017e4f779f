// What the three kinds of System V objects have in common: a key by which programs find them, a
// number by which they use them, an owner and a mode. Used by segments, semaphore sets and message
// queues, which are one table each.
#pragma once

#include <utility>

#include "guest/abi/ipc.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/vfs/caller.h"

namespace guest {

/// Who made it, whose it is, and what others may do.
struct IpcOwner {
  int key = abi::ipc_private;
  std::uint32_t uid = 0, gid = 0, creator_uid = 0, creator_gid = 0;
  std::uint32_t mode = 0;  // nine bits

  IpcOwner(int key, std::uint32_t mode, const Caller& maker)
      : key(key),
        uid(maker.uid),
        gid(maker.gid),
        creator_uid(maker.uid),
        creator_gid(maker.gid),
        mode(mode & 0777) {}
  /// `wanted`: bits as a mode has them, in any of the three places. EACCES.
  [[nodiscard]] Result<> check(std::uint32_t wanted, const Caller& caller) const;
  /// To remove or to change it. EPERM.
  [[nodiscard]] Result<> check_owner(const Caller& caller) const;
  /// IPC_SET.
  void change(const abi::IpcPermissions& wanted);
};

inline constexpr std::uint32_t ipc_reads = 0444, ipc_writes = 0222;

/// Seconds since 1970.
std::int64_t ipc_now();

/// The objects of one kind, T, each of which has an `owner` and gets a `number`: its place in the
/// table, and how often that was used before, so that old numbers mean nothing.
template <class T, std::uint32_t most>
class IpcTable {
 public:
  static constexpr std::uint32_t capacity = most;

  /// The object of a key: the one that is there, if `suits` finds nothing wrong with it, or a new
  /// one. ENOENT, EEXIST, EACCES, ENOSPC.
  template <class Suits, class Make>
  Result<int> get(int key, std::uint32_t flags, const Caller& caller, Suits suits, Make make) {
    if (T* found = key == abi::ipc_private ? nullptr : find_key(key)) {
      if ((flags & abi::ipc_creat) && (flags & abi::ipc_excl)) return Errno::exist;
      TRY(suits(*found));
      TRY(found->owner.check(flags & 0777, caller));
      return found->number;
    }
    if (key != abi::ipc_private && !(flags & abi::ipc_creat)) return Errno::noent;
    for (std::uint32_t i = 0; i < most; ++i) {
      Slot& slot = slots_[i];
      if (slot.object) continue;
      Ref<T> made = TRY(make());
      made->number = static_cast<int>(slot.uses << places_shift | i);
      slot.uses = (slot.uses + 1) & (INT32_MAX >> places_shift);
      made->retain();
      slot.object = made.get();
      slot.kept = true;
      return made->number;
    }
    return Errno::nospc;
  }
  /// EINVAL: there is none of this number.
  Result<Ref<T>> find(int number) {
    T* object = number < 0 ? nullptr : at(static_cast<std::uint32_t>(number) & places);
    if (!object || object->number != number) return Errno::inval;
    return Ref<T>(object);
  }
  /// In this place; nullptr.
  T* at(std::uint32_t place) { return place < most ? slots_[place].object : nullptr; }
  /// The last place that is taken; 0 when none is.
  [[nodiscard]] std::uint32_t last() const {
    std::uint32_t place = most;
    while (place > 0 && !slots_[place - 1].object) --place;
    return place ? place - 1 : 0;
  }
  [[nodiscard]] std::uint32_t count() const {
    std::uint32_t count = 0;
    for (const Slot& slot : slots_) count += slot.object != nullptr;
    return count;
  }

  /// No key leads to it any more, and it goes with its last user, who says forget().
  void let_go(T& object) {
    object.owner.key = abi::ipc_private;
    stop_keeping(slots_[place_of(object)], object);
  }
  /// No number leads to it any more.
  void forget(T& object) {
    Slot& slot = slots_[place_of(object)];
    if (slot.object != &object) return;
    slot.object = nullptr;
    stop_keeping(slot, object);
  }

 private:
  static constexpr std::uint32_t places_shift = 15, places = (1u << places_shift) - 1;
  static_assert(most <= places + 1);
  struct Slot {
    T* object = nullptr;
    bool kept = false;  // this table holds a reference
    std::uint32_t uses = 0;
  };
  static void stop_keeping(Slot& slot, T& object) {
    if (std::exchange(slot.kept, false) && object.release()) delete &object;
  }
  static std::uint32_t place_of(const T& object) {
    return static_cast<std::uint32_t>(object.number) & places;
  }
  T* find_key(int key) {
    for (Slot& slot : slots_)
      if (slot.object && slot.object->owner.key == key) return slot.object;
    return nullptr;
  }
  Slot slots_[most];
};

/// For IPC_STAT.
abi::IpcPermissions permissions_of(const IpcOwner& owner, int number);

}  // namespace guest
