// Directory blocks: looking a name up, entering one, taking one out. Blocks are searched in order.
// A directory with a hash index reads the same way, since index blocks look empty; it loses its
// index when it is changed.
#include "guest/abi/file_flags.h"
#include "guest/fs/ext2/node.h"

namespace guest::ext2 {
namespace {

std::string_view name_at(const Block& block, std::uint32_t offset) {
  return {block.at<char>(offset + sizeof(EntryHead)), block.at<EntryHead>(offset)->name_length};
}

void write_entry(const Block& block, std::uint32_t offset, std::uint32_t length,
                 std::string_view name, std::uint32_t inode, std::uint8_t type) {
  *block.at<EntryHead>(offset) = {inode, static_cast<std::uint16_t>(length),
                                  static_cast<std::uint8_t>(name.size()), type};
  __builtin_memcpy(block.data() + offset + sizeof(EntryHead), name.data(), name.size());
  block.changed();
}

}  // namespace

Result<Block> Node::directory_block(std::uint32_t index) {
  std::uint32_t number = TRY(map(index, 1)).first;
  if (number == 0) return fs_.corrupt("hole in directory", number_);
  return fs_.block(number);
}

Result<> Node::check_entry(const Block& block, std::uint32_t offset) {
  std::uint32_t left = fs_.block_size() - offset;
  if (left >= entry_bytes(1)) {
    const auto* head = block.at<EntryHead>(offset);
    bool sound = head->length >= entry_bytes(1) && head->length % 4 == 0 && head->length <= left &&
                 entry_bytes(head->name_length) <= head->length &&
                 head->inode <= fs_.inode_count() && (head->inode == 0 || head->name_length > 0);
    if (sound) return {};
  }
  return fs_.corrupt("entry in directory", number_);
}

Result<Node::Place> Node::find_entry(std::string_view name) {
  for (std::uint32_t i = 0; i < directory_blocks(); ++i) {
    Block block = TRY(directory_block(i));
    std::uint32_t previous = 0;
    for (std::uint32_t offset = 0; offset < fs_.block_size();) {
      TRY(check_entry(block, offset));
      const auto* head = block.at<EntryHead>(offset);
      if (head->inode && name_at(block, offset) == name)
        return Place{std::move(block), offset, previous};
      previous = offset;
      offset += head->length;
    }
  }
  return Errno::noent;
}

Result<bool> Node::add_in_block(const Block& block, std::string_view name, Node& node) {
  std::uint32_t needed = entry_bytes(name.size());
  std::uint8_t type = fs_.entry_type(node.mode());
  for (std::uint32_t offset = 0; offset < fs_.block_size();) {
    TRY(check_entry(block, offset));
    auto* head = block.at<EntryHead>(offset);
    std::uint32_t length = head->length, used = head->inode ? entry_bytes(head->name_length) : 0;
    if (length - used >= needed) {
      if (used) head->length = static_cast<std::uint16_t>(used);
      write_entry(block, offset + used, length - used, name, node.number_, type);
      return true;
    }
    offset += length;
  }
  return false;
}

Result<> Node::add_entry(std::string_view name, Node& node) {
  TRY(not_indexed_any_more());
  for (std::uint32_t i = 0; i < directory_blocks(); ++i) {
    Block block = TRY(directory_block(i));
    if (TRY(add_in_block(block, name, node))) return touch();
  }
  std::uint32_t next = directory_blocks();
  if (next >= fs_.block_count()) return Errno::nospc;
  auto allocated = map_or_allocate(next, 1);
  auto enter = [&]() -> Result<> {
    Block block = TRY(fs_.fresh_block(TRY(std::move(allocated)).first));
    std::uint8_t type = fs_.entry_type(node.mode());
    write_entry(block, 0, fs_.block_size(), name, node.number_, type);
    return {};
  };
  auto entered = enter();
  if (!entered.ok()) {
    if (!fs_.read_only()) (void)free_blocks_from(next);
    (void)store();
    return entered;
  }
  size_ += fs_.block_size();
  return touch();
}

// The room goes to the entry before it, or waits as an unused entry.
Result<> Node::remove_entry(const Place& place) {
  TRY(not_indexed_any_more());
  EntryHead& head = place.head();
  if (place.offset == 0) {
    head.inode = 0;
  } else {
    auto* before = place.block.at<EntryHead>(place.previous);
    before->length = static_cast<std::uint16_t>(before->length + head.length);
  }
  place.block.changed();
  return touch();
}

Result<> Node::point_entry(const Place& place, Node& node) {
  place.head().inode = node.number_;
  place.head().type = fs_.entry_type(node.mode());
  place.block.changed();
  return touch();
}

Result<> Node::not_indexed_any_more() {
  TRY(fs_.check_writable());
  raw_.flags &= ~flag_index;
  return {};
}

Result<bool> Node::empty_directory() {
  for (std::uint32_t i = 0; i < directory_blocks(); ++i) {
    Block block = TRY(directory_block(i));
    for (std::uint32_t offset = 0; offset < fs_.block_size();) {
      TRY(check_entry(block, offset));
      auto name = name_at(block, offset);
      if (block.at<EntryHead>(offset)->inode && name != "." && name != "..") return false;
      offset += block.at<EntryHead>(offset)->length;
    }
  }
  return true;
}

Result<> Node::start_directory(Node& parent) {
  std::uint32_t number = TRY(map_or_allocate(0, 1)).first;
  Block block = TRY(fs_.fresh_block(number));
  std::uint8_t type = fs_.entry_type(mode_directory);
  write_entry(block, 0, entry_bytes(1), ".", number_, type);
  write_entry(block, entry_bytes(1), fs_.block_size() - entry_bytes(1), "..", parent.number_, type);
  size_ = fs_.block_size();
  raw_.links = 2;
  return store();
}

Result<> Node::set_parent(Node& parent) {
  Place place = TRY(find_entry(".."));
  return point_entry(place, parent);
}

// A cursor is an offset in the directory. Entries that came and went meanwhile may have moved the
// boundaries, so the way to it is walked from its block's beginning.
Result<DirectoryEntry> Node::entry(std::uint64_t& position) {
  if (!is(mode_directory)) return Errno::notdir;
  std::uint32_t unit = fs_.block_size();
  while (position < size_) {
    auto index = static_cast<std::uint32_t>(position / unit);
    Block block = TRY(directory_block(index));
    for (std::uint32_t offset = 0; offset < unit;) {
      TRY(check_entry(block, offset));
      EntryHead head = *block.at<EntryHead>(offset);
      if (offset >= position % unit && head.inode) {
        position = std::uint64_t{index} * unit + offset + head.length;
        auto name = name_at(block, offset);
        __builtin_memcpy(fs_.listed_name, name.data(), name.size());
        return DirectoryEntry{
            {fs_.listed_name, name.size()}, head.inode, fs_.entry_mode(head.type)};
      }
      offset += head.length;
    }
    position = (std::uint64_t{index} + 1) * unit;
  }
  return Errno::noent;
}

}  // namespace guest::ext2
