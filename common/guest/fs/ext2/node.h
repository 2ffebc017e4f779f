// Node: an ext2 inode in memory: attributes, which blocks hold its contents, and the page frames
// that cache them. One object for each inode number, whoever looks it up. Attributes are stored in
// the inode table's block as soon as they change; contents wait in page frames.
#pragma once

#include "guest/fs/ext2/file_system.h"
#include "guest/fs/pipe/named_pipe.h"
#include "guest/heap/string.h"
#include "guest/vfs/file_runs.h"

namespace guest::ext2 {

class Node final : public Inode {
 public:
  Node(FileSystem& fs, std::uint32_t number) : fs_(fs), number_(number) {}
  /// From the image.
  static Result<Ref<Node>> load(FileSystem& fs, std::uint32_t number);
  /// A new inode, in memory and in the inode table; no name leads to it yet.
  static Result<Ref<Node>> make(FileSystem& fs, std::uint32_t number, std::uint32_t mode);
  ~Node() override;

  Stat stat() override;
  [[nodiscard]] std::uint32_t mode() const override { return raw_.mode; }
  Result<> set_mode(std::uint32_t mode) override;
  Result<> set_owner(std::uint32_t uid, std::uint32_t gid) override;
  Result<> set_times(std::uint64_t atime_ns, std::uint64_t mtime_ns) override;
  void accessed() override;
  Result<FileSystemSpace> space() override { return fs_.space(); }
  Result<Ref<File>> open(std::uint32_t flags) override;
  void closed(std::uint32_t flags) override;
  Result<String> target() override;
  [[nodiscard]] const void* file_system() const override { return &fs_; }
  Result<> check_writable() override { return fs_.check_writable(); }

  // -- Contents of regular files (contents.cpp).
  Result<std::size_t> read(std::uint64_t at, UserAddress to, std::size_t bytes) override;
  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<std::size_t> peek(std::uint64_t at, void* to, std::size_t bytes) override;
  Result<> truncate(std::uint64_t size) override;
  Result<FrameRun> pages(std::uint64_t page, Frames max) override;
  [[nodiscard]] bool has_page(std::uint64_t page) const override;
  Result<> sync() override;
  // -- Holes (holes.cpp).
  Result<std::uint64_t> next(bool data, std::uint64_t at) override;
  Result<> punch(std::uint64_t begin, std::uint64_t end) override;
  // -- Shared mappings (sharing.cpp).
  [[nodiscard]] bool grants_writes() const override { return true; }
  Result<> share_pages(std::uint64_t page, Frames count) override;

  // -- Directories (directory.cpp: one entry; names.cpp: what the names mean).
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<Ref<Inode>> create(std::string_view name, std::uint32_t mode, std::uint64_t rdev) override;
  Result<Ref<Inode>> create_unnamed(std::uint32_t mode) override;
  Result<Ref<Inode>> symlink(std::string_view name, std::string_view target) override;
  Result<> link(std::string_view name, Inode& inode) override;
  Result<> unlink(std::string_view name) override;
  Result<> rmdir(std::string_view name) override;
  Result<> rename(std::string_view name, Inode& to, std::string_view new_name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;
  Result<Ref<Inode>> parent() override;

  // -- For FileSystem.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] bool idle() const { return held && references() == 1; }
  Result<> write_back();
  /// Lets go of up to `most` cached pages that nobody else holds, written back before if need be.
  /// Returns how many.
  std::uint32_t drop_pages(std::uint32_t most);
  Node *older = nullptr, *newer = nullptr, *next_in_bucket = nullptr;
  bool held = false;  // the list's own reference

 private:
  friend class FileSystem;

  struct Place {  // of a directory entry
    Block block;
    std::uint32_t offset = 0;
    std::uint32_t previous = 0;  // entry before it in its block; == offset: none
    [[nodiscard]] EntryHead& head() const { return *block.at<EntryHead>(offset); }
  };
  struct DirtyRange {
    std::uint32_t first, end;
  };

  // -- Attributes.
  Result<> check_loaded();
  Result<> store();
  Result<> touch();  // contents changed now
  Result<> note_change();
  void set_time(std::uint32_t& seconds, std::uint32_t& extra, std::uint64_t ns) const;
  [[nodiscard]] std::uint64_t time(std::uint32_t seconds, std::uint32_t extra) const;
  [[nodiscard]] std::uint64_t device_number() const;
  [[nodiscard]] bool is_fast_symlink() const;
  Result<> drop_link(std::uint32_t count = 1);
  void hold();  // in memory though nobody uses it
  void free_all();
  Result<> free_attributes();

  // -- Blocks (block_map.cpp).
  /// Which blocks of the image hold blocks [block, block + max) of the file: the longest run.
  Result<BlockRun> map(std::uint32_t block, std::uint32_t max);
  /// The same, giving blocks to holes.
  Result<BlockRun> map_or_allocate(std::uint32_t block, std::uint32_t max);
  /// Frees all blocks from `keep` on.
  Result<> free_blocks_from(std::uint64_t keep) { return free_blocks(keep, ~0ull); }
  Result<> free_blocks(std::uint64_t begin, std::uint64_t end);
  Result<> free_tree(std::uint32_t& slot, int depth, std::uint64_t first, std::uint64_t begin,
                     std::uint64_t end);
  Result<Block> leaf_table(std::uint32_t block, std::uint32_t& index, bool make);
  Result<std::uint32_t> allocate_table(std::uint32_t goal);
  Result<std::uint32_t> goal_for(std::uint32_t block);
  void count_blocks(std::int64_t blocks);
  [[nodiscard]] std::uint64_t max_size() const;

  // -- Page cache.
  [[nodiscard]] std::uint32_t blocks_per_page() const {
    return static_cast<std::uint32_t>(vmi::page_size / fs_.block_size());
  }
  [[nodiscard]] std::uint32_t pages_in_size() const {
    return static_cast<std::uint32_t>((size_ + vmi::page_size - 1) >> vmi::page_shift);
  }
  Result<FileRuns::Span> cached(std::uint32_t page, std::uint32_t wanted);
  Result<> fill(std::uint32_t page, std::uint32_t wanted);
  Result<> read_page_run(std::uint32_t page, FrameRun& frames);
  Result<FrameRun> take_frames(std::uint32_t page, Frames wanted);
  Result<std::size_t> append_pages(std::uint64_t at, Source from, std::size_t bytes);
  Result<std::size_t> write_page(std::uint64_t at, Source from, std::size_t bytes);
  Result<std::uint32_t> insert_copy(std::uint32_t page, std::uint32_t wanted, Source from,
                                    std::size_t bytes);
  Result<bool> replaces(std::uint64_t at, std::size_t bytes);
  Result<bool> punch_page(std::uint64_t at, std::uint64_t bytes);
  Result<> blocks_for(std::uint64_t at, std::uint64_t end);
  Result<> clear_tail(std::uint64_t from, std::uint64_t to);
  Result<> open_tail(std::uint64_t to);
  Result<> mark_dirty(std::uint32_t page, std::uint32_t count);
  void forget_dirty_from(std::uint32_t page);
  Result<> keep_mapped_dirty();
  Result<> write_range(std::uint32_t first, std::uint32_t end);

  // -- Directory entries.
  [[nodiscard]] std::uint32_t directory_blocks() const {
    return static_cast<std::uint32_t>(size_ / fs_.block_size());
  }
  Result<Block> directory_block(std::uint32_t index);
  Result<> check_entry(const Block& block, std::uint32_t offset);
  Result<Place> find_entry(std::string_view name);
  Result<> add_entry(std::string_view name, Node& node);
  Result<bool> add_in_block(const Block& block, std::string_view name, Node& node);
  Result<> remove_entry(const Place& place);
  Result<> point_entry(const Place& place, Node& node);
  Result<bool> empty_directory();
  Result<> set_parent(Node& parent);
  Result<> not_indexed_any_more();
  Result<Ref<Node>> make_child(std::uint32_t mode, std::uint64_t rdev);
  Result<> start_directory(Node& parent);
  Result<> check_new_name(std::string_view name);
  Result<> check_move(Node& moved, Node& to, Node* replaced);
  Result<> let_go_of(Node& child);

  FileSystem& fs_;
  std::uint32_t number_;
  DiskInode raw_ = {};
  std::uint64_t size_ = 0;
  FileRuns pages_;
  Vec<DirtyRange> dirty_{HeapKind::inode};  // sorted, apart
  bool shared_ = false;                     // some pages are or were writable by programs directly
  bool lost_ = false;                       // a write-back failed and nobody was told yet
  NamedPipe fifo_;
  Ref<Node> above_;  // of a directory that is removed: its "..", which may be removed, too
};

}  // namespace guest::ext2
