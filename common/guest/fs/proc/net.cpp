// See net.h. Read by the files of the tree (tree.cpp); columns and widths are Linux's.
#include "guest/fs/proc/net.h"

#include <string_view>

#include "guest/base/log.h"
#include "guest/net/inet/tcp.h"
#include "guest/net/inet/udp.h"
#include "guest/net/interface.h"
#include "guest/net/unix/unix_socket.h"

namespace guest {
namespace {

constexpr std::size_t line_width = 149;

/// A line in the making; tables may be long, so they are no small objects.
class Row {
 public:
  [[gnu::format(printf, 2, 3)]] void put(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    used_ += format_text_list(text_ + used_, sizeof text_ - used_, format, arguments);
    va_end(arguments);
  }
  void put_hex(std::uint64_t value, int digits) {
    while (digits-- > 0 && used_ < sizeof text_)
      text_[used_++] = "0123456789ABCDEF"[value >> (4 * digits) & 0xf];
  }
  /// Words as they lie in memory.
  void put_endpoint(const Endpoint& endpoint, int family) {
    for (std::size_t at = family == abi::af_inet ? 12 : 0; at < sizeof endpoint.ip.bytes; at += 4) {
      std::uint32_t word;
      __builtin_memcpy(&word, endpoint.ip.bytes + at, sizeof word);
      put_hex(word, 8);
    }
    put(":");
    put_hex(endpoint.port, 4);
  }
  void pad(std::size_t width) {
    while (used_ < width) text_[used_++] = ' ';
  }
  Result<> add_to(String& table) {
    TRY(table.append({text_, used_}));
    return table.append("\n");
  }

 private:
  char text_[256];
  std::size_t used_ = 0;
};

struct InetRow {
  const Endpoint& local;
  const Endpoint& remote;
  unsigned state;
  std::uint64_t unsent, unread;
  std::uint32_t uid;
  std::uint64_t inode;
};

void put_inet(Row& row, const InetRow& shown, int family) {
  row.put(": ");
  row.put_endpoint(shown.local, family);
  row.put(" ");
  row.put_endpoint(shown.remote, family);
  row.put(" ");
  row.put_hex(shown.state, 2);
  row.put(" ");
  row.put_hex(shown.unsent, 8);
  row.put(":");
  row.put_hex(shown.unread, 8);
  row.put(" 00:00000000 00000000 %5u %8d %lu ", shown.uid, 0, shown.inode);
}

/// Gathers rows until one does not fit any more.
class Table {
 public:
  explicit Table(std::string_view head) : outcome_(text_.append(head).error()) {}
  template <class Fill>
  void add(Fill fill) {
    if (outcome_ != Errno::ok) return;
    Row row;
    fill(row, count_++);
    outcome_ = row.add_to(text_).error();
  }
  Result<String> finish() {
    if (outcome_ != Errno::ok) return outcome_;
    return std::move(text_);
  }

 private:
  String text_{HeapKind::file};
  Errno outcome_;
  unsigned count_ = 0;
};

Result<String> tcp_table(int family) {
  Table table(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode                                                     \n");
  tcp_ports.each([&](InetEnd& end) {
    if (end.socket.kind.family != family) return;
    const auto now = static_cast<TcpSocket&>(end.socket).shown();
    const Stat stat = end.socket.inode().stat();
    table.add([&](Row& row, unsigned number) {
      row.put("%4u", number);
      put_inet(row,
               {end.local, end.remote, now.state, now.unsent, now.unread, stat.uid, stat.inode},
               family);
      row.put("1 0000000000000000 %s",
              now.state == TcpSocket::listens ? "100 0 0 10 0" : "20 4 30 10 -1");
      row.pad(line_width);
    });
  });
  tcp_ports.each_past([&](const Ports::Past& past) {
    constexpr unsigned time_wait = 6;
    if (past.local.ip.is_v4() != (family == abi::af_inet)) return;
    table.add([&](Row& row, unsigned number) {
      row.put("%4u", number);
      put_inet(row, {past.local, past.remote, time_wait, 0, 0, 0, 0}, family);
      row.put("3 0000000000000000");
      row.pad(line_width);
    });
  });
  return table.finish();
}

Result<String> udp_table(int family) {
  constexpr unsigned connected = 1, unconnected = 7;
  Table table(
      "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode ref pointer drops             \n");
  udp_ports.each([&](InetEnd& end) {
    if (end.socket.kind.family != family) return;
    const Stat stat = end.socket.inode().stat();
    const std::size_t unread = static_cast<UdpSocket&>(end.socket).unread();
    table.add([&](Row& row, unsigned number) {
      row.put("%5u", number);
      put_inet(row,
               {end.local, end.remote, end.remote.port ? connected : unconnected, 0, unread,
                stat.uid, stat.inode},
               family);
      row.put("2 0000000000000000 0");
      row.pad(line_width - 22);
    });
  });
  return table.finish();
}

}  // namespace

Result<String> net_tcp() {
  return tcp_table(abi::af_inet);
}
Result<String> net_tcp6() {
  return tcp_table(abi::af_inet6);
}
Result<String> net_udp() {
  return udp_table(abi::af_inet);
}
Result<String> net_udp6() {
  return udp_table(abi::af_inet6);
}

Result<String> net_unix() {
  Table table("Num       RefCount Protocol Flags    Type St Inode Path\n");
  for (RightsHolder& holder : in_flight.holders()) {
    auto& end = static_cast<UnixEnd&>(holder);
    table.add([&](Row& row, unsigned) {
      row.put("0000000000000000: 00000002 00000000 ");
      row.put_hex(end.shown_listening() ? 0x10000 : 0, 8);
      row.put(" %04x %02x %5lu", static_cast<unsigned>(end.socket.kind.type),
              end.shown_connected() ? 3u : 1u, end.socket.inode().stat().inode);
      if (!end.name) return;
      const std::string_view path = end.name->path.view();
      if (end.name->abstract())
        row.put(" @%.*s", static_cast<int>(path.size() - 1), path.data() + 1);
      else
        row.put(" %.*s", static_cast<int>(path.size()), path.data());
    });
  }
  return table.finish();
}

Result<String> net_if_inet6() {
  return String::from("00000000000000000000000000000001 01 80 10 80       lo\n");
}

Result<String> net_dev() {
  Table table(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
      "drop "
      "fifo colls carrier compressed\n");
  const LoopbackTraffic& both = loopback_traffic;
  table.add([&](Row& row, unsigned) {
    row.put(
        "    lo: %7lu %7lu    0    0    0     0          0         0 %8lu %7lu    0    0    0     0"
        "       0          0",
        both.bytes, both.messages, both.bytes, both.messages);
  });
  return table.finish();
}

Result<String> net_route() {
  return String::from(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
      "                                                       \n");
}

}  // namespace guest
