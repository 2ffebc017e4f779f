// Result: a value or an errno. The one place where kernel code says "this failed": functions
// return Result, TRY passes failures up, and only syscall/dispatch.cpp turns one into -errno.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "guest/base/errno.h"

namespace guest {

/// Failure in the making: `return Errno::noent;` converts to any Result.
template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(Errno error) : error_(error) {}  // NOLINT(google-explicit-constructor)
  Result(T value) : error_(Errno::ok) {   // NOLINT(google-explicit-constructor)
    new (&storage_) T(std::move(value));
  }
  Result(Result&& other) noexcept : error_(other.error_) {
    if (ok()) new (&storage_) T(std::move(other.value()));
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (ok()) value().~T();
  }

  [[nodiscard]] bool ok() const { return error_ == Errno::ok; }
  [[nodiscard]] Errno error() const { return error_; }
  T& value() { return *std::launder(reinterpret_cast<T*>(&storage_)); }
  const T& value() const { return *std::launder(reinterpret_cast<const T*>(&storage_)); }
  T release() { return std::move(value()); }

 private:
  alignas(T) unsigned char storage_[sizeof(T)];
  Errno error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : error_(Errno::ok) {}
  Result(Errno error) : error_(error) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return error_ == Errno::ok; }
  [[nodiscard]] Errno error() const { return error_; }
  void release() {}

 private:
  Errno error_;
};

}  // namespace guest

/// Unwraps a Result, or returns its error from the enclosing function (a GNU statement expression).
#define TRY(expression)                              \
  ({                                                 \
    auto try_result = (expression);                  \
    if (!try_result.ok()) return try_result.error(); \
    try_result.release();                            \
  })
