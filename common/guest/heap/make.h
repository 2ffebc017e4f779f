// make_ref: a shared kernel object on the heap, or ENOMEM. The one place that says `new` for them,
// so that no caller can forget the check.
#pragma once

#include <new>
#include <utility>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"

namespace guest {

template <class T, class... A>
Result<Ref<T>> make_ref(A&&... arguments) {
  T* object = new (std::nothrow) T(std::forward<A>(arguments)...);
  if (!object) return Errno::nomem;
  return Ref<T>(object);
}

}  // namespace guest
