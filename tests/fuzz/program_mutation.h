// What the program fuzzer is fed with: damaged ELF files and scripts, and root trees of odd names,
// deep folders, loops of links and many files.
#pragma once

#include <elf.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <vector>

#include "monitor/root/tree.h"
#include "monitor/tool/error.h"
#include "tests/fuzz/fuzz.h"

namespace fuzz {

inline std::uint64_t below(Random& random, std::uint64_t bound) {
  return random() % bound;
}

inline std::uint64_t notable(Random& random) {
  static const std::uint64_t values[] = {
      0,          1,          7,           0xfff,      0x1000,
      0x1001,     0x10000,    0x400000,    0x401000,   0x7fffffff,
      0x80000000, 0xffffffff, 0x100000000, 1ul << 47,  0x7ffefffff000,
      1ul << 63,  ~0ul,       ~0xffful,    0x7fff0000, 56};
  return below(random, 6) ? values[below(random, std::size(values))] : random();
}

/// Some bytes of a header become something that may hurt.
inline void damage_word(Random& random, std::string& file, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t bytes = 1u << below(random, 4), value = notable(random);
  std::uint64_t at = begin + below(random, end - begin);
  at -= at % bytes;
  if (at + bytes <= file.size()) std::memcpy(&file[at], &value, bytes);
}

/// A program (a real one) with damaged headers, cut or stretched.
inline std::string damaged_elf(Random& random, std::string file) {
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::uint64_t end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
  for (std::uint64_t i = 1 + below(random, 3); i > 0; --i)
    damage_word(random, file, below(random, 4) ? sizeof header : 16, end);
  if (below(random, 16) == 0) file.resize(below(random, file.size()));
  if (below(random, 16) == 0) file.resize(file.size() + below(random, 100'000));
  return file;
}

inline std::string odd_name(Random& random) {
  static const char* const names[] = {"...",      " ",           "-rf", "a\nb",
                                      "\xff\xfe", "caf\xc3\xa9", "*",   "bin"};
  switch (below(random, 6)) {
    case 0:
      return names[below(random, std::size(names))];
    case 1:
      return std::string(1 + below(random, 255), 'n');
    case 2: {
      std::string name(1 + below(random, 20), ' ');
      for (char& c : name) {
        c = static_cast<char>(1 + below(random, 255));
        if (c == '/') c = 'x';
      }
      return name == "." || name == ".." ? "dots" : name;
    }
    default:
      return "f" + std::to_string(below(random, 30));
  }
}

inline std::string script(Random& random, const std::vector<std::string>& paths) {
  std::string text = below(random, 8) ? "#!" : "#! \t ";
  text += below(random, 4) ? paths[below(random, paths.size())]
                           : std::string(below(random, 300), below(random, 2) ? '/' : 'i');
  if (below(random, 2)) text += " " + std::string(below(random, 200), 'a') + " b";
  if (below(random, 4)) text += "\n";
  return text;
}

/// Folders, files, links and programs made of `programs`, all of it below one another. Returns the
/// paths of all; what the tree refuses (UsageError) is left out.
class TreeMaker {
 public:
  TreeMaker(Random& random, const std::vector<std::string>& programs)
      : random_(random), programs_(programs) {}

  monitor::RootTree make() {
    paths_ = {"/bin/x", "/"};
    tree_.add_file("/bin/x", programs_[0], 0755);
    const std::uint64_t count = below(random_, 8) ? below(random_, 40) : below(random_, 600);
    for (std::uint64_t i = 0; i < count; ++i) try_to([&] { add_one(); });
    if (below(random_, 10) == 0) try_to([&] { add_deep(); });
    return std::move(tree_);
  }
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  /// A tree may have no place for it.
  template <class Add>
  void try_to(Add add) {
    try {
      add();
    } catch (const monitor::UsageError&) {
      ++refused_;
    }
  }

  void add_one() {
    std::string path = folders_[below(random_, folders_.size())] + "/" + odd_name(random_);
    monitor::RootNode node;
    node.uid = static_cast<std::uint32_t>(random_());
    node.mtime_ns = below(random_, 3) ? 1 : random_();
    const std::uint32_t bits = below(random_, 3) ? 0755 : random_() & 07777;
    switch (below(random_, 8)) {
      case 0:
      case 1:
        node.mode = S_IFDIR | bits;
        break;
      case 2:
        node.mode = S_IFLNK | 0777;
        node.content =
            below(random_, 4) ? paths_[below(random_, paths_.size())] : odd_name(random_);
        node.content.resize(
            std::min<std::size_t>(node.content.size(), 4095));  // no host has longer
        break;
      case 3:
        node.mode = S_IFREG | bits;
        node.content = script(random_, paths_);
        break;
      default:
        node.mode = S_IFREG | bits;
        node.content = damaged_elf(random_, programs_[below(random_, programs_.size())]);
    }
    node.size = node.content.size();
    if (tree_.find(path)) return;
    tree_.add_node(path, node);
    if (S_ISDIR(node.mode)) folders_.push_back(path);
    paths_.push_back(path);
  }

  void add_deep() {
    std::string path;
    for (std::uint64_t depth = below(random_, 200); depth > 0; --depth) path += "/d";
    tree_.add_file(path + "/end", "end", 0755);
    paths_.push_back(path + "/end");
  }

  Random& random_;
  const std::vector<std::string>& programs_;
  monitor::RootTree tree_ = monitor::RootTree::system_folders();
  std::vector<std::string> folders_ = {""}, paths_;
  std::uint64_t refused_ = 0;
};

}  // namespace fuzz
