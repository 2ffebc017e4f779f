// Vector state in signal frames, both ways. What comes back was in user memory: a header or MXCSR
// that XRSTOR would refuse must not reach it, because it would fault in the monitor.
#include "guest/proc/x86_64/vector_state.h"

#include <cpuid.h>

#include <cstring>

namespace guest::abi {

namespace {

// Offsets in the XSAVE area, from the processor manuals.
constexpr std::uint32_t fcw_at = 0, fsw_at = 2, mxcsr_at = 24, mxcsr_mask_at = 28;
constexpr std::uint32_t legacy_bytes = 512, header_at = 512, header_bytes = 64;
constexpr std::uint32_t components_at = header_at + header_bytes;
constexpr std::uint64_t legacy_features = 3;  // x87, SSE

// Linux's struct _fpx_sw_bytes, at the end of the legacy part.
struct Description {
  std::uint32_t magic, extended_bytes;
  std::uint64_t features;
  std::uint32_t state_bytes, padding[7];
};
constexpr std::uint32_t description_at = 464, magic1 = 0x46505853, magic2 = 0x46505845;
static_assert(description_at + sizeof(Description) == legacy_bytes);

template <class T>
T load(const unsigned char* area, std::uint32_t at) {
  T value;
  std::memcpy(&value, area + at, sizeof value);
  return value;
}
template <class T>
void store(unsigned char* area, std::uint32_t at, T value) {
  std::memcpy(area + at, &value, sizeof value);
}

bool has_xsave(VectorState vectors) {
  return vectors.bytes >= components_at;
}

// What a program may set: x87, SSE, AVX and the three parts of AVX-512, where the host has them.
// They lie below all others in the standard layout, so one limit tells what to copy. Protection-key
// rights and anything newer keep what the processor had.
struct Settable {
  std::uint64_t features = legacy_features;
  std::uint32_t end = components_at;
};

Settable find_settable(VectorState vectors) {
  Settable settable;
  std::uint32_t low = 0, high = 0, a = 0, b = 0, c = 0, d = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  for (std::uint32_t feature : {2u, 5u, 6u, 7u}) {
    if (!(low & (1u << feature))) continue;
    __cpuid_count(0xd, feature, a, b, c, d);  // a: size, b: offset
    if (b + a > vectors.bytes) continue;
    settable.features |= 1ul << feature;
    if (b + a > settable.end) settable.end = b + a;
  }
  return settable;
}

// CPUID may trap to a hypervisor for microseconds: ask once.
const Settable& settable_state(VectorState vectors) {
  static Settable known;
  static std::uint32_t known_for = 0;
  if (known_for != vectors.bytes) {
    known = find_settable(vectors);
    known_for = vectors.bytes;
  }
  return known;
}

void clear_initial(VectorState vectors) {
  auto mask = load<std::uint32_t>(vectors.area, mxcsr_mask_at);
  std::memset(vectors.area, 0, description_at);
  store<std::uint16_t>(vectors.area, fcw_at, 0x37f);
  store<std::uint32_t>(vectors.area, mxcsr_at, 0x1f80);
  store<std::uint32_t>(vectors.area, mxcsr_mask_at, mask);
}

// Sets the settable features' presence bits to `present`, leaves the other features' alone.
void set_present(VectorState vectors, std::uint64_t present, std::uint64_t settable) {
  auto old = load<std::uint64_t>(vectors.area, header_at);
  store(vectors.area, header_at, (old & ~settable) | (present & settable));
  std::memset(vectors.area + header_at + 8, 0, header_bytes - 8);
}

// Does the frame carry more than the legacy part, laid out as ours? Linux, too, falls back to the
// legacy part when it does not.
Result<bool> is_extended(UserAddress from, VectorState vectors, const Description& description) {
  if (!has_xsave(vectors) || description.magic != magic1) return false;
  if (description.state_bytes < components_at || description.state_bytes > vectors.bytes ||
      description.extended_bytes < description.state_bytes + sizeof magic2)
    return false;
  return TRY(get_user<std::uint32_t>(from + description.state_bytes)) == magic2;
}

Result<> get_extended(UserAddress from, VectorState vectors, std::uint32_t state_bytes) {
  const Settable& settable = settable_state(vectors);
  auto present = TRY(get_user<std::uint64_t>(from + header_at));
  std::uint32_t end = state_bytes < settable.end ? state_bytes : settable.end;
  if (end < settable.end) present &= legacy_features;
  if (end > components_at)
    TRY(copy_from_user(vectors.area + components_at, from + components_at, end - components_at));
  set_present(vectors, present, settable.features);
  return {};
}

}  // namespace

std::uint64_t vector_frame_bytes(VectorState vectors) {
  return vectors.bytes + (has_xsave(vectors) ? sizeof magic2 : 0);
}

Result<> put_vector_frame(UserAddress to, VectorState vectors) {
  TRY(copy_to_user(to, vectors.area, vectors.bytes));
  Description description{};
  if (has_xsave(vectors)) {
    description = {magic1,
                   vectors.bytes + static_cast<std::uint32_t>(sizeof magic2),
                   settable_state(vectors).features,
                   vectors.bytes,
                   {}};
    TRY(put_user(to + vectors.bytes, magic2));
    // The legacy components are always in the frame in full; a reader need not look at the header.
    auto present = load<std::uint64_t>(vectors.area, header_at) | legacy_features;
    TRY(put_user(to + header_at, present));
  }
  return put_user(to + description_at, description);
}

Result<> get_vector_frame(UserAddress from, VectorState vectors) {
  if (!from) {
    clear_initial(vectors);
    if (has_xsave(vectors)) set_present(vectors, 0, settable_state(vectors).features);
    return {};
  }
  if (from.value % 64 != 0) return Errno::fault;
  auto mxcsr_mask = load<std::uint32_t>(vectors.area, mxcsr_mask_at);
  auto description = TRY(get_user<Description>(from + description_at));
  // Not beyond: the bytes of our own area's description are the monitor's.
  TRY(copy_from_user(vectors.area, from, description_at));
  store(vectors.area, mxcsr_mask_at, mxcsr_mask);
  auto mxcsr = load<std::uint32_t>(vectors.area, mxcsr_at);
  store(vectors.area, mxcsr_at, mxcsr & (mxcsr_mask ? mxcsr_mask : 0xffbf));
  if (TRY(is_extended(from, vectors, description)))
    return get_extended(from, vectors, description.state_bytes);
  if (has_xsave(vectors)) set_present(vectors, legacy_features, settable_state(vectors).features);
  return {};
}

std::int32_t float_exception_code(std::uint32_t vector, VectorState vectors) {
  std::uint32_t raised = 0;
  if (vector == vmi::vector_x87) {
    raised = load<std::uint16_t>(vectors.area, fsw_at) & ~load<std::uint16_t>(vectors.area, fcw_at);
  } else {
    auto mxcsr = load<std::uint32_t>(vectors.area, mxcsr_at);
    raised = mxcsr & ~(mxcsr >> 7);
  }
  if (raised & 0x01) return fpe_float_invalid;
  if (raised & 0x04) return fpe_float_divide;
  if (raised & 0x08) return fpe_float_overflow;
  if (raised & 0x12) return fpe_float_underflow;
  if (raised & 0x20) return fpe_float_inexact;
  return si_kernel;
}

}  // namespace guest::abi
