// System calls on extended attributes: which names there are, who may use them, and moving them.
// The file systems keep them (Inode); those that keep none list none and refuse the rest.
#include "guest/abi/file_flags.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::string_view of_users = "user.", trusted = "trusted.", security = "security.",
                           of_system = "system.";

// -- Which file: by a path, a path whose last link is not followed, or a descriptor.
using Find = Result<Ref<Inode>> (*)(const Args&);

Result<Ref<Inode>> followed(const Args& args) {
  return TRY(path_argument(abi::at_fdcwd, args.user(0), Last::follow)).inode;
}
Result<Ref<Inode>> not_followed(const Args& args) {
  return TRY(path_argument(abi::at_fdcwd, args.user(0), Last::no_follow)).inode;
}
Result<Ref<Inode>> opened(const Args& args) {
  return TRY(file_argument(args.i32(0)))->inode_ref();
}

Result<String> name_argument(UserAddress from) {
  auto name = string_from_user(from, longest_name + 1);
  if (!name.ok()) return name.error() == Errno::nametoolong ? Errno::range : name.error();
  return name.value().size() ? std::move(name) : Errno::range;
}

/// The caller's own attributes are for files and directories; what is trusted is root's.
Result<> check_name(Inode& inode, std::string_view name, bool writes) {
  const Caller caller = current_caller();
  const auto is = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (is(trusted)) {
    if (!caller.is_root()) return writes ? Errno::perm : Errno::nodata;
  } else if (is(security)) {
    if (writes && !caller.is_root()) return Errno::perm;
  } else if (is(of_system)) {
    return Errno::notsup;
  } else {
    constexpr std::uint32_t sticky = 01000;
    const bool directory = inode.is(mode_directory);
    if (is(of_users) && !inode.is(mode_regular) && !directory)
      return writes ? Errno::perm : Errno::nodata;
    if (is(of_users) && writes && directory && inode.mode() & sticky)
      TRY(check_owner(inode, caller));
    TRY(check_access(inode, writes ? may_write : may_read, caller));
    if (!is(of_users)) return Errno::notsup;
  }
  return name == of_users || name == trusted || name == security ? Errno::inval : Result<>();
}

/// A length of 0 asks how much there is.
Result<std::int64_t> give(std::string_view bytes, UserAddress to, std::uint64_t room) {
  if (room == 0) return static_cast<std::int64_t>(bytes.size());
  if (bytes.size() > room) return Errno::range;
  TRY(copy_to_user(to, static_cast<const void*>(bytes.data()), bytes.size()));
  return static_cast<std::int64_t>(bytes.size());
}

Result<std::int64_t> set(const Args& args, Find find) {
  const std::uint32_t flags = args.u32(4);
  if (flags & ~std::uint32_t{Attributes::must_be_new | Attributes::must_be_there})
    return Errno::inval;
  const String name = TRY(name_argument(args.user(1)));
  const std::uint64_t bytes = args.u64(3);
  if (bytes > Attributes::longest_value) return Errno::toobig;
  Vec<char> value(HeapKind::file);
  TRY(value.reserve(bytes));
  if (bytes) TRY(copy_from_user(value.begin(), args.user(2), bytes));
  Ref<Inode> inode = TRY(find(args));
  TRY(inode->check_writable());
  TRY(check_name(*inode, name.view(), true));
  const auto both = Attributes::must_be_new | Attributes::must_be_there;
  if (flags == both) return inode->attribute(name.view()).ok() ? Errno::exist : Errno::nodata;
  return as_zero(inode->set_attribute(name.view(), {value.begin(), bytes},
                                      static_cast<Attributes::Condition>(flags)));
}

Result<std::int64_t> get(const Args& args, Find find) {
  const String name = TRY(name_argument(args.user(1)));
  Ref<Inode> inode = TRY(find(args));
  TRY(check_name(*inode, name.view(), false));
  const String value = TRY(inode->attribute(name.view()));
  return give(value.view(), args.user(2), args.u64(3));
}

Result<std::int64_t> list(const Args& args, Find find) {
  const String all = TRY(TRY(find(args))->attributes());
  String shown(HeapKind::file);
  for (std::string_view left = all.view(); !left.empty();) {
    const std::string_view name = left.substr(0, left.find('\0') + 1);
    left.remove_prefix(name.size());
    if (name.starts_with(trusted) && !current_caller().is_root()) continue;
    TRY(shown.append(name));
  }
  return give(shown.view(), args.user(1), args.u64(2));
}

Result<std::int64_t> remove(const Args& args, Find find) {
  const String name = TRY(name_argument(args.user(1)));
  Ref<Inode> inode = TRY(find(args));
  TRY(inode->check_writable());
  TRY(check_name(*inode, name.view(), true));
  return as_zero(inode->remove_attribute(name.view()));
}

}  // namespace

Result<std::int64_t> sys_setxattr(const Args& args) {
  return set(args, followed);
}
Result<std::int64_t> sys_lsetxattr(const Args& args) {
  return set(args, not_followed);
}
Result<std::int64_t> sys_fsetxattr(const Args& args) {
  return set(args, opened);
}

Result<std::int64_t> sys_getxattr(const Args& args) {
  return get(args, followed);
}
Result<std::int64_t> sys_lgetxattr(const Args& args) {
  return get(args, not_followed);
}
Result<std::int64_t> sys_fgetxattr(const Args& args) {
  return get(args, opened);
}

Result<std::int64_t> sys_listxattr(const Args& args) {
  return list(args, followed);
}
Result<std::int64_t> sys_llistxattr(const Args& args) {
  return list(args, not_followed);
}
Result<std::int64_t> sys_flistxattr(const Args& args) {
  return list(args, opened);
}

Result<std::int64_t> sys_removexattr(const Args& args) {
  return remove(args, followed);
}
Result<std::int64_t> sys_lremovexattr(const Args& args) {
  return remove(args, not_followed);
}
Result<std::int64_t> sys_fremovexattr(const Args& args) {
  return remove(args, opened);
}

}  // namespace guest
