// write_initial_stack: see the header. Called by load_program with the new space current.
#include "guest/exec/initial_stack.h"

#include <algorithm>

#include "guest/drivers/entropy.h"
#include "guest/mm/address_space.h"
#include "guest/mm/user.h"
#include "guest/platform.h"

namespace guest {

namespace {

/// Types of the auxiliary vector, as the ABI numbers them.
enum Auxiliary : std::uint64_t {
  at_null = 0,
  at_phdr = 3,
  at_phent = 4,
  at_phnum = 5,
  at_pagesz = 6,
  at_base = 7,
  at_flags = 8,
  at_entry = 9,
  at_uid = 11,
  at_euid = 12,
  at_gid = 13,
  at_egid = 14,
  at_platform = 15,
  at_hwcap = 16,
  at_clktck = 17,
  at_secure = 23,
  at_random = 25,
  at_hwcap2 = 26,
  at_execfn = 31,
  at_sysinfo_ehdr = 33,
  at_minsigstksz = 51,
};

/// What a signal frame needs, and no less than sigaltstack takes: ucontext, siginfo and slack, and
/// the vector state.
std::uint64_t signal_stack_bytes(std::uint64_t xsave_bytes) {
  return std::max(xsave_bytes + 1024, abi::minimum_signal_stack);
}

/// Writes words upwards, some at a time.
class WordWriter {
 public:
  explicit WordWriter(std::uint64_t to) : to_(to) {}
  Result<> push(std::uint64_t word) {
    words_[used_++] = word;
    return used_ == size ? flush() : Result<>();
  }
  Result<> flush() {
    TRY(copy_to_user({to_}, static_cast<const void*>(words_), used_ * sizeof words_[0]));
    to_ += used_ * sizeof words_[0];
    used_ = 0;
    return {};
  }

 private:
  static constexpr std::size_t size = 64;
  std::uint64_t to_;
  std::uint64_t words_[size];
  std::size_t used_ = 0;
};

/// The strings as they lie in the new memory, from `begin` up.
class StringArea {
 public:
  explicit StringArea(const Given& given) : given_(given) {
    for (const String& text : given.in_front) bytes_ += text.size() + 1;
    bytes_ += given.strings.bytes();
  }
  /// They end here. What is skipped of them is left out, at their beginning.
  Result<> write_below(std::uint64_t end) {
    skipped_ = given_.without_first() ? TRY(first_bytes()) : 0;
    begin_ = at_ = end - (bytes_ - skipped_);
    for (const String& text : given_.in_front) TRY(put({text.c_str(), text.size() + 1}));
    std::uint64_t left_out = skipped_;
    return given_.strings.for_each_piece([&](std::string_view piece) {
      const std::uint64_t part = std::min<std::uint64_t>(piece.size(), left_out);
      left_out -= part;
      return put(piece.substr(part));
    });
  }
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t arguments() const {
    return given_.arguments + given_.in_front.size() - given_.without_first();
  }
  [[nodiscard]] std::uint64_t variables() const {
    return given_.strings.count() - given_.arguments - 1;
  }
  /// The last string: how the program was named.
  [[nodiscard]] std::uint64_t exec_path() const { return exec_path_; }

  /// The pointers to them, a zero behind each kind. Tells where which lie.
  Result<> push_pointers(WordWriter& words, AddressSpace& space) {
    auto& told = space.program_strings;
    std::uint64_t index = 0, at = begin_;
    TRY(words.push(arguments()));
    told.arguments.begin = at;
    auto begins = [&](std::uint64_t string) -> Result<> {
      if (index == arguments()) {
        TRY(words.push(0));
        told.arguments.end = told.environment.begin = string;
      }
      if (index == arguments() + variables()) {
        TRY(words.push(0));
        told.environment.end = exec_path_ = string;
      } else {
        TRY(words.push(string));
      }
      ++index;
      return {};
    };
    for (const String& text : given_.in_front) {
      TRY(begins(at));
      at += text.size() + 1;
    }
    std::uint64_t left_out = skipped_;
    bool new_one = true;
    return given_.strings.for_each_piece([&](std::string_view piece) -> Result<> {
      const std::uint64_t part = std::min<std::uint64_t>(piece.size(), left_out);
      left_out -= part;
      for (char c : piece.substr(part)) {
        if (new_one) TRY(begins(at));
        new_one = c == '\0';
        ++at;
      }
      return {};
    });
  }

 private:
  Result<> put(std::string_view piece) {
    TRY(copy_to_user({at_}, piece.data(), piece.size()));
    at_ += piece.size();
    return {};
  }
  /// How long the first string is, with its NUL.
  Result<std::uint64_t> first_bytes() {
    std::uint64_t bytes = 0;
    bool ended = false;
    TRY(given_.strings.for_each_piece([&](std::string_view piece) -> Result<> {
      const std::size_t end = ended ? 0 : piece.find('\0');
      if (!ended) bytes += end == piece.npos ? piece.size() : end + 1;
      ended = ended || end != piece.npos;
      return {};
    }));
    return bytes;
  }

  const Given& given_;
  std::uint64_t bytes_ = 0, skipped_ = 0, begin_ = 0, at_ = 0, exec_path_ = 0;
};

constexpr std::size_t auxiliary_entries = 21;

struct Addresses {
  std::uint64_t exec_path, platform, random;
};

Result<> push_auxiliary(WordWriter& words, const ElfImage& image, const Companions& companions,
                        const Addresses& addresses, const Credentials& who) {
  const vmi::BootInfo& boot = boot_info();
  const std::uint64_t vector[auxiliary_entries][2] = {
      {at_hwcap, boot.hwcap},
      {at_pagesz, vmi::page_size},
      {at_clktck, 100},
      {at_phdr, image.headers_va},
      {at_phent, 56},
      {at_phnum, image.header_count},
      {at_base, companions.interpreter_base},
      {at_flags, 0},
      {at_entry, image.entry},
      {at_uid, who.uid},
      {at_euid, who.euid},
      {at_gid, who.gid},
      {at_egid, who.egid},
      {at_secure, who.secure()},
      {at_random, addresses.random},
      {at_hwcap2, boot.hwcap2},
      {at_execfn, addresses.exec_path},
      {at_platform, addresses.platform},
      {at_minsigstksz, signal_stack_bytes(boot.xsave_bytes)},
      {companions.vdso ? at_sysinfo_ehdr : at_null, companions.vdso},
      {at_null, 0},
  };
  for (const auto& [type, value] : vector) {
    TRY(words.push(type));
    TRY(words.push(value));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> write_initial_stack(const ElfImage& image, const Companions& companions,
                                          const Given& given, const Credentials& who) {
  StringArea strings(given);
  TRY(strings.write_below(stack_top - sizeof(std::uint64_t)));  // as on Linux, a zero word ends it
  Addresses addresses;
  unsigned char random[16];
  fill_random(random, sizeof random);
  addresses.random = strings.begin() - sizeof random;
  TRY(copy_to_user({addresses.random}, static_cast<const void*>(random), sizeof random));
  constexpr std::string_view platform("x86_64", sizeof "x86_64");
  addresses.platform = addresses.random - platform.size();
  TRY(copy_to_user({addresses.platform}, platform.data(), platform.size()));

  const std::uint64_t words = 3 + strings.arguments() + strings.variables() + 2 * auxiliary_entries;
  const std::uint64_t stack_pointer =
      (addresses.platform - words * sizeof(std::uint64_t)) & ~std::uint64_t{15};
  WordWriter writer(stack_pointer);
  TRY(strings.push_pointers(writer, *AddressSpace::current()));
  addresses.exec_path = strings.exec_path();
  TRY(push_auxiliary(writer, image, companions, addresses, who));
  TRY(writer.flush());
  return stack_pointer;
}

}  // namespace guest
