// See names.h. Called by bind, connect and sendto on local sockets; looking a path up may sleep.
#include "guest/net/unix/names.h"

#include "guest/base/log.h"
#include "guest/proc/process.h"
#include "guest/vfs/fs_context.h"
#include "guest/vfs/new_node.h"

namespace guest {
namespace {

constinit List<UnixEnd, &UnixEnd::bound_node> bound;

/// What follows the family. EINVAL: nothing does, or too much.
Result<std::string_view> name_in(const SocketAddress& address) {
  if (address.bytes <= abi::unix_path_offset ||
      address.bytes > abi::unix_path_offset + abi::unix_path_max ||
      address.family() != abi::af_unix)
    return Errno::inval;
  const char* text = reinterpret_cast<const char*>(address.data) + abi::unix_path_offset;
  std::string_view name(text, address.bytes - abi::unix_path_offset);
  if (name.front() == '\0') return name;
  return name.substr(0, std::min(name.find('\0'), name.size()));
}

Result<PathResult> walk(std::string_view path, Last last) {
  const FsContext& fs = *current_process().fs;
  return walk_path({fs.root, fs.cwd, current_thread().credentials.caller()},
                   TRY(String::from(path, HeapKind::file)), last);
}

UnixEnd* find_abstract(std::string_view name, int type) {
  for (UnixEnd& end : bound)
    if (end.name->abstract() && end.socket.kind.type == type && end.name->path.view() == name)
      return &end;
  return nullptr;
}

Result<UnixEnd*> find_path(std::string_view path, int type) {
  const PathResult found = TRY(walk(path, Last::follow));
  TRY(check_access(*found.inode, may_write, current_thread().credentials.caller()));
  if (!found.inode->is(mode_socket)) return Errno::connrefused;
  for (UnixEnd& end : bound)
    if (end.name->inode == found.inode)
      return end.socket.kind.type == type ? Result<UnixEnd*>(&end) : Errno::prototype;
  return Errno::connrefused;  // whoever made it is gone
}

}  // namespace

SocketAddress UnixName::address() const {
  SocketAddress out;
  const std::uint16_t family = abi::af_unix;
  const std::size_t bytes = path.size() + (abstract() ? 0 : 1);
  __builtin_memcpy(out.data, &family, sizeof family);
  __builtin_memcpy(out.data + abi::unix_path_offset, path.c_str(), bytes);
  out.bytes = static_cast<std::uint32_t>(abi::unix_path_offset + bytes);
  return out;
}

SocketAddress unix_address(const Ref<UnixName>& name) {
  return name ? name->address() : SocketAddress::of(std::uint16_t{abi::af_unix});
}

void UnixEnd::take(Ref<UnixName> taken) {
  name = std::move(taken);
  bound.push_back(*this);
}

Result<> UnixEnd::bind_path(std::string_view path) {
  PathResult at = TRY(walk(path, Last::entry));
  if (at.inode) return Errno::addrinuse;
  if (at.trailing_slash) return Errno::noent;
  if (name) return Errno::inval;
  auto fresh = TRY(make_ref<UnixName>());
  TRY(fresh->path.append(path));
  const std::uint32_t mode = 0777 & ~current_process().fs->umask;
  auto created = make_node(at, mode_socket | mode, 0, current_thread().credentials.caller());
  if (!created.ok()) return created.error() == Errno::exist ? Errno::addrinuse : created.error();
  fresh->inode = created.release();
  take(std::move(fresh));
  return {};
}

Result<> UnixEnd::bind_abstract(std::string_view wanted) {
  if (name) return Errno::inval;
  if (find_abstract(wanted, socket.kind.type)) return Errno::addrinuse;
  auto fresh = TRY(make_ref<UnixName>());
  TRY(fresh->path.append(wanted));
  take(std::move(fresh));
  return {};
}

Result<> UnixEnd::bind_to(const SocketAddress& address) {
  if (address.family() == abi::af_unix && address.bytes == abi::unix_path_offset)
    return bind_to_any();
  const std::string_view wanted = TRY(name_in(address));
  return wanted.front() == '\0' ? bind_abstract(wanted) : bind_path(wanted);
}

Result<> UnixEnd::bind_to_any() {
  static std::uint32_t last = 0;
  for (std::uint32_t tries = 0; !name && tries <= 0xfffff; ++tries) {
    char text[8] = {};
    last = (last + 1) & 0xfffff;
    format_text(text + 1, sizeof text - 1, "%05x", last);
    auto outcome = bind_abstract({text, 6});
    if (!outcome.ok() && outcome.error() != Errno::addrinuse) return outcome;
  }
  return name ? Result<>() : Errno::nospc;
}

Result<UnixEnd*> find_unix(const SocketAddress& address, int type) {
  const std::string_view wanted = TRY(name_in(address));
  if (wanted.front() != '\0') return find_path(wanted, type);
  UnixEnd* found = find_abstract(wanted, type);
  return found ? Result<UnixEnd*>(found) : Errno::connrefused;
}

}  // namespace guest
