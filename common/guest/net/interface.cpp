// See interface.h.
#include "guest/net/interface.h"

#include <string_view>

#include "guest/abi/sockets.h"
#include "guest/mm/user.h"

namespace guest {

constinit LoopbackTraffic loopback_traffic;

namespace {

enum Request : std::uint32_t {
  get_name = 0x8910,
  get_list = 0x8912,
  get_flags = 0x8913,
  set_flags = 0x8914,
  get_address = 0x8915,
  get_broadcast = 0x8919,
  get_mask = 0x891b,
  get_metric = 0x891d,
  get_mtu = 0x8921,
  get_hardware = 0x8927,
  get_index = 0x8933,
  get_queue_length = 0x8942,
};

/// struct ifreq
struct InterfaceRequest {
  char name[16];
  union {
    abi::InternetAddress address;
    std::int32_t number;
    std::uint8_t all[24];
  };
};
static_assert(sizeof(InterfaceRequest) == 40);

/// struct ifconf
struct InterfaceList {
  std::int32_t bytes;
  std::uint32_t padding;
  std::uint64_t at;
};

constexpr char name[] = "lo";
constexpr std::uint16_t hardware_loopback = 772;  // ARPHRD_LOOPBACK

abi::InternetAddress internet_address(std::uint8_t first, std::uint8_t last) {
  return {abi::af_inet, 0, {first, 0, 0, last}, {}};
}

Result<> put_request(std::uint64_t at, const InterfaceRequest& request) {
  std::uint8_t bytes[sizeof request];
  __builtin_memcpy(bytes, &request, sizeof request);
  return copy_to_user(UserAddress{at}, static_cast<const void*>(bytes), sizeof bytes);
}

InterfaceRequest loopback() {
  InterfaceRequest request = {};
  __builtin_memcpy(request.name, name, sizeof name);
  return request;
}

Result<std::int64_t> list(std::uint64_t argument) {
  auto wanted = TRY(get_user<InterfaceList>(UserAddress{argument}));
  const auto room = wanted.bytes;
  wanted.bytes = !wanted.at || room >= static_cast<std::int32_t>(sizeof(InterfaceRequest))
                     ? static_cast<std::int32_t>(sizeof(InterfaceRequest))
                     : 0;
  if (wanted.at && wanted.bytes) {
    InterfaceRequest one = loopback();
    one.address = internet_address(127, 1);
    TRY(put_request(wanted.at, one));
  }
  TRY(put_user(UserAddress{argument}, wanted));
  return 0;
}

Result<> answer(std::uint32_t what, InterfaceRequest& request) {
  __builtin_memset(request.all, 0, sizeof request.all);
  switch (what) {
    case get_flags:
      request.number = loopback_flags;
      return {};
    case get_address:
      request.address = internet_address(127, 1);
      return {};
    case get_mask:
      request.address = internet_address(255, 0);
      return {};
    case get_broadcast:
      request.address = internet_address(0, 0);
      return {};
    case get_mtu:
      request.number = loopback_mtu;
      return {};
    case get_index:
      request.number = loopback_index;
      return {};
    case get_queue_length:
      request.number = 1000;
      return {};
    case get_hardware:
      request.address.family = hardware_loopback;
      return {};
    case get_metric:
      return {};
    default:
      return Errno::notty;
  }
}

}  // namespace

Result<std::int64_t> interface_ioctl(std::uint32_t what, std::uint64_t argument) {
  if (what == get_list) return list(argument);
  if (what < get_name || what > get_queue_length) return Errno::notty;
  auto request = TRY(get_user<InterfaceRequest>(UserAddress{argument}));
  if (what == get_name) {
    if (request.number != loopback_index) return Errno::nodev;
    __builtin_memcpy(request.name, name, sizeof name);
  } else {
    request.name[sizeof request.name - 1] = '\0';
    if (std::string_view(request.name) != name) return Errno::nodev;
    if (what == set_flags) return Errno::perm;  // it is up, and stays so
    TRY(answer(what, request));
  }
  TRY(put_request(argument, request));
  return 0;
}

}  // namespace guest
