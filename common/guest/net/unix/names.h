// The names of local sockets: paths, behind which an inode of a file system stands, and abstract
// ones. UnixEnd is what all local sockets have: a name, and descriptors in their queues.
#pragma once

#include "guest/net/socket.h"

namespace guest {

struct UnixName : Counted, Allocated<HeapKind::file> {
  String path{HeapKind::file};  // as bound; an abstract one begins with NUL
  Ref<Inode> inode;             // of a path
  [[nodiscard]] bool abstract() const { return !inode; }
  [[nodiscard]] SocketAddress address() const;
};
/// With the family alone where there is no name.
SocketAddress unix_address(const Ref<UnixName>& name);

class UnixEnd : public RightsHolder {
 public:
  explicit UnixEnd(Socket& socket) : RightsHolder(socket), socket(socket) {}
  ~UnixEnd() { bound_node.unlink(); }

  /// bind's rules. EINVAL: it has a name.
  Result<> bind_to(const SocketAddress& address);
  /// A name that nobody has (autobind), unless it has one.
  Result<> bind_to_any();

  // -- For /proc/net/unix.
  [[nodiscard]] virtual bool shown_listening() const { return false; }
  [[nodiscard]] virtual bool shown_connected() const = 0;

  Socket& socket;
  Ref<UnixName> name;
  ListNode bound_node;

 private:
  Result<> bind_path(std::string_view path);
  Result<> bind_abstract(std::string_view name);
  void take(Ref<UnixName> name);
};

/// Whom an address means, for a socket of that type. ENOENT, ECONNREFUSED, EPROTOTYPE, EINVAL…
Result<UnixEnd*> find_unix(const SocketAddress& address, int type);

}  // namespace guest
