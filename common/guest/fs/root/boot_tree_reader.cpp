// BootTreeReader: see the header. Runs once, at boot, on the boot stack.
#include "guest/fs/root/boot_tree_reader.h"

#include "guest/abi/file_flags.h"
#include "guest/base/log.h"
#include "guest/base/panic.h"
#include "guest/platform.h"

namespace guest {
namespace {

constexpr std::uint32_t max_entries = 1u << 20;

}  // namespace

void BootTreeReader::refuse(const char* format, std::uint64_t value) {
  char what[128], line[192];
  // The formats are this file's and boot_mount's own, with one %lu each.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  format_text(what, sizeof what, format, static_cast<unsigned long>(value));
#pragma GCC diagnostic pop
  format_text(line, sizeof line, "boot tree: %s; launcher and guest kernel do not match", what);
  panic(line);
}

BootTreeReader::BootTreeReader(FrameRun tree) : first_(tree.first), frames_(tree.count) {
  if (!frames_) refuse("%lu frames: there is none", 0);
  const std::uint32_t all = frames_total().number;
  if (first_ > all || frames_.number > all - first_)
    refuse("it ends beyond guest RAM (%lu frames)", frames_.number);
  hypercalls().peek_frame(first_, {}, &header_, Bytes(sizeof header_));
  check_header();
}

void BootTreeReader::check_header() {
  const std::uint64_t bytes = bytes_of(frames_).number;
  if (header_.magic != vmi::BootTreeHeader::magic_value) refuse("magic is %lx", header_.magic);
  if (header_.version != vmi::vmi_version) refuse("version is %lu", header_.version);
  if (header_.total_bytes > bytes)
    refuse("%lu bytes are more than its frames", header_.total_bytes);
  if (header_.entries == 0 || header_.entries > max_entries)
    refuse("%lu entries make no sense", header_.entries);
  std::uint64_t table_end =
      sizeof(vmi::BootTreeHeader) + std::uint64_t{header_.entries} * sizeof(vmi::BootTreeEntry);
  if (table_end > bytes) refuse("%lu entries do not fit into it", header_.entries);
  if (header_.strings_offset < table_end || header_.strings_offset > bytes ||
      header_.strings_bytes > bytes - header_.strings_offset)
    refuse("strings at offset %lu do not fit into it", header_.strings_offset);
  if (header_.argc == 0 || header_.argc > vmi::boot_words_max)
    refuse("%lu program arguments make no sense", header_.argc);
  if (header_.envc > vmi::boot_words_max) refuse("%lu environment strings", header_.envc);
}

vmi::BootTreeEntry BootTreeReader::entry(std::uint32_t index) {
  std::uint32_t begin = index - index % batch_entries;
  if (begin != batch_begin_) {
    std::uint32_t count = header_.entries - begin;
    if (count > batch_entries) count = batch_entries;
    hypercalls().peek_frame(first_, Bytes(sizeof header_ + begin * sizeof(vmi::BootTreeEntry)),
                            batch_, Bytes(count * sizeof(vmi::BootTreeEntry)));
    batch_begin_ = begin;
  }
  return batch_[index - begin];
}

// `max` counts without the NUL.
Result<String> BootTreeReader::string_at(std::uint64_t offset, std::uint64_t max) {
  String text;
  for (std::uint64_t at = offset;;) {
    char chunk[256];
    if (at >= header_.strings_bytes) refuse("string at offset %lu has no end", offset);
    std::uint64_t bytes = header_.strings_bytes - at;
    if (bytes > sizeof chunk) bytes = sizeof chunk;
    hypercalls().peek_frame(first_, Bytes(header_.strings_offset + at), chunk, Bytes(bytes));
    std::uint64_t length = 0;
    while (length < bytes && chunk[length]) ++length;
    TRY(text.append({chunk, length}));
    if (text.size() > max) refuse("string at offset %lu is too long", offset);
    if (length < bytes) return text;
    at += length;
  }
}

Result<String> BootTreeReader::name(const vmi::BootTreeEntry& entry) {
  String name = TRY(string_at(entry.name, abi::name_max));
  bool bad = name.size() == 0 || name.view() == "." || name.view() == "..";
  for (char c : name.view()) bad = bad || c == '/';
  if (bad) refuse("name at offset %lu is not a file name", entry.name);
  return name;
}

Result<String> BootTreeReader::symlink_target(const vmi::BootTreeEntry& entry) {
  String target = TRY(string_at(entry.data, abi::path_max - 1));
  if (target.size() == 0) refuse("symlink target at offset %lu is empty", entry.data);
  return target;
}

FrameRun BootTreeReader::contents(const vmi::BootTreeEntry& entry) {
  const Pages pages = vmi::pages_for(Bytes(entry.size));
  if (!pages) return {first_, {}};
  std::uint64_t metadata_end = header_.strings_offset + header_.strings_bytes;
  if ((std::uint64_t{entry.data} << vmi::page_shift) < metadata_end ||
      entry.data >= frames_.number || pages > pages_of(frames_) - Pages(entry.data))
    refuse("file contents at frame %lu are not inside it", entry.data);
  return {first_ + entry.data, frames_for(pages)};
}

Result<> BootTreeReader::string_list(std::uint64_t offset, std::uint32_t count, Vec<String>& list) {
  TRY(list.reserve(count));
  for (std::uint32_t i = 0; i < count; ++i) {
    String text = TRY(string_at(offset, vmi::boot_word_bytes_max - 1));
    offset += text.size() + 1;
    TRY(list.push(std::move(text)));
  }
  return {};
}

Result<> BootTreeReader::arguments(Vec<String>& argv, Vec<String>& envp) {
  TRY(string_list(header_.argv_offset, header_.argc, argv));
  return string_list(header_.envp_offset, header_.envc, envp);
}

}  // namespace guest
