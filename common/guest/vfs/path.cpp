// The walk: see path.h. One loop over components; a symlink puts its target in front of what is
// left of the path and the loop goes on.
#include "guest/vfs/path.h"

#include "guest/abi/file_flags.h"
#include "guest/vfs/mounts.h"

namespace guest {
namespace {

constexpr int max_symlinks = 40;

/// What is left of a path.
struct Rest {
  std::string_view text;

  void skip_slashes() {
    while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  }
  std::string_view next_component() {
    std::size_t length = 0;
    while (length < text.size() && text[length] != '/') ++length;
    std::string_view component = text.substr(0, length);
    text.remove_prefix(length);
    return component;
  }
};

bool follows(Last last, bool is_final, bool trailing_slash) {
  if (!is_final) return true;
  if (last == Last::entry) return false;
  return last != Last::no_follow || trailing_slash;
}

bool may_be_missing(Last last) {
  return last == Last::entry || last == Last::follow_or_create;
}

Result<Ref<Inode>> dot_dot(const Ref<Inode>& directory, const Ref<Inode>& root) {
  if (directory == root) return directory;
  return parent_through_mounts(*directory);
}

}  // namespace

Result<PathResult> walk_path(const PathStart& start, String path, Last last) {
  if (path.size() == 0) return Errno::noent;
  PathResult result;
  result.storage[0] = std::move(path);
  Rest rest{result.storage[0].view()};
  Ref<Inode> directory = rest.text.front() == '/' ? start.root : start.base;
  int symlinks = 0;

  auto finish = [&](std::string_view name, Ref<Inode> inode, bool slash) {
    result.directory = directory;
    result.last = name;
    result.inode = std::move(inode);
    result.trailing_slash = slash;
    return Result<PathResult>(std::move(result));
  };

  for (;;) {
    rest.skip_slashes();
    if (!directory->is(mode_directory)) return Errno::notdir;
    if (rest.text.empty()) return finish(".", directory, true);
    TRY(check_access(*directory, may_execute, start.caller));
    std::string_view name = rest.next_component();
    bool slash = !rest.text.empty();
    rest.skip_slashes();
    bool is_final = rest.text.empty();
    if (name.size() > abi::name_max) return Errno::nametoolong;

    if (name == "." || name == "..") {
      Ref<Inode> to = name == "." ? directory : TRY(dot_dot(directory, start.root));
      if (is_final) return finish(name, to, slash);
      directory = to;
      continue;
    }

    auto found = lookup_through_mounts(*directory, name);
    if (!found.ok()) {
      if (found.error() == Errno::noent && is_final && may_be_missing(last))
        return finish(name, {}, slash);
      return found.error();
    }
    Ref<Inode> child = found.release();

    if (child->is(mode_symlink) && follows(last, is_final, slash)) {
      if (++symlinks > max_symlinks) return Errno::loop;
      auto jumped = child->jump();
      if (!jumped.ok() && jumped.error() != Errno::inval) return jumped.error();
      if (jumped.ok()) {
        result.elsewhere = jumped.value().directory;
        if (is_final && !slash) return finish(name, jumped.value().inode, false);
        result.elsewhere = {};
        directory = jumped.value().inode;
        continue;
      }
      String longer = TRY(child->target());
      if (longer.size() == 0) return Errno::noent;
      if (slash) TRY(longer.append("/"));
      TRY(longer.append(rest.text));
      result.storage[1] = std::move(longer);  // `rest` lay in the old one, and is done with
      rest.text = result.storage[1].view();
      if (rest.text.front() == '/') directory = start.root;
      continue;
    }
    if (is_final) {
      if (slash && !child->is(mode_directory)) return Errno::notdir;
      return finish(name, child, slash);
    }
    directory = child;
  }
}

}  // namespace guest
