// User memory, from kernel code: the only way in. A UserAddress cannot be dereferenced; these
// copies check the range, serve page faults of the current process on the way, and fail with
// EFAULT where a program would get SIGSEGV: as a whole, or, where they return a count, only if not
// one byte has moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "vmi/address_map.h"

namespace guest {

struct UserAddress {
  std::uint64_t value = 0;
  UserAddress operator+(std::uint64_t bytes) const { return {value + bytes}; }
  explicit operator bool() const { return value != 0; }
};

Result<> copy_from_user(void* to, UserAddress from, std::size_t bytes);
Result<> copy_to_user(UserAddress to, const void* from, std::size_t bytes);  // structures: put_user
Result<> zero_user(UserAddress to, std::size_t bytes);
/// A NUL-terminated string of at most `max` bytes with its NUL; ENAMETOOLONG beyond.
Result<String> string_from_user(UserAddress from, std::size_t max = 4096);

// -- Transfers: they return how many bytes have moved.
Result<std::size_t> move_from_user(void* to, UserAddress from, std::size_t bytes);
Result<std::size_t> move_to_user(UserAddress to, const void* from, std::size_t bytes);
Result<std::size_t> move_zeros_to_user(UserAddress to, std::size_t bytes);
/// Frame contents to and from user memory without passing through the kernel.
Result<std::size_t> frame_to_user(vmi::Frame frame, std::uint64_t offset, UserAddress to,
                                  std::size_t bytes);
/// Whoever must know how much has moved before a fault in the middle is served: serving it may need
/// what the moved bytes are a part of.
class MoveWatcher {
 public:
  virtual void have_moved(std::size_t bytes) = 0;

 protected:
  ~MoveWatcher() = default;
};
Result<std::size_t> user_to_frame(vmi::Frame frame, std::uint64_t offset, UserAddress from,
                                  std::size_t bytes, MoveWatcher* watcher = nullptr);

template <class T>
Result<T> get_user(UserAddress from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  TRY(copy_from_user(&value, from, sizeof value));
  return value;
}
/// What a program may be shown as it lies in memory: without bytes that belong to no member, which
/// initialisers leave as they are. Layouts that have such bytes name them.
template <class T>
concept Showable = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;
template <Showable T>
Result<> put_user(UserAddress to, const T& value) {
  return copy_to_user(to, static_cast<const void*>(&value), sizeof value);
}
template <class T>
requires(std::is_class_v<T> ||
         std::is_union_v<T>) Result<> copy_to_user(UserAddress to, const T* from, std::size_t bytes)
= delete;

}  // namespace guest
