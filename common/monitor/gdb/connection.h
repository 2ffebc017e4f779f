// GdbConnection: packets to and from one gdb over a Unix socket, as gdb's remote serial protocol
// frames them: $TEXT#CHECKSUM, each answered by '+'. What the packets say is debug_stub.cpp's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace monitor {

class GdbConnection {
 public:
  /// Makes the socket, waits for gdb to connect, and removes its name again. Throws HostError.
  explicit GdbConnection(const std::string& path);
  ~GdbConnection() { close(); }
  GdbConnection(const GdbConnection&) = delete;
  GdbConnection& operator=(const GdbConnection&) = delete;

  /// Waits for the next packet; nothing when gdb is gone.
  std::optional<std::string> receive();
  void send(std::string_view text);
  /// And closes the connection, but not under gdb's answering '+'.
  void send_last(std::string_view text);
  /// While the guest runs gdb sends no packet, only Ctrl-C's byte: true if it has. Does not wait.
  bool interrupted();
  void close();

 private:
  /// The next byte, -1 when there will be none.
  int byte();
  void send_raw(std::string_view text);

  int fd_ = -1;
};

}  // namespace monitor
