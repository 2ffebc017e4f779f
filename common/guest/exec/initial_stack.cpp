// write_initial_stack: see the header. Called by load_program with the new space current.
#include "guest/exec/initial_stack.h"

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

constexpr std::uint64_t most_bytes = stack_limit / 4;
constexpr std::uint64_t longest_string = 128 * 1024;
constexpr std::uint64_t signal_frame_bytes = 1024;  // ucontext, siginfo and slack, without xsave

/// Pushes bytes downwards from stack_top.
class StackWriter {
 public:
  Result<std::uint64_t> push(const void* bytes, std::size_t size) {
    if (size > longest_string || stack_top - (at_ - size) > most_bytes) return Errno::toobig;
    at_ -= size;
    TRY(copy_to_user({at_}, bytes, size));
    return at_;
  }
  Result<std::uint64_t> push_string(std::string_view text) {
    TRY(push("", 1));
    return push(text.data(), text.size());
  }
  [[nodiscard]] std::uint64_t position() const { return at_; }
  void align_for(std::size_t bytes) { at_ = ((at_ - bytes) & ~15ull) + bytes; }

 private:
  std::uint64_t at_ = stack_top - 8;  // as on Linux, a zero word ends the stack
};

/// Where the strings lie in memory, the first one lowest.
Result<MemoryRange> push_pointers(StackWriter& stack, const Strings& strings,
                                  Vec<std::uint64_t>& words) {
  const std::uint64_t end = stack.position();
  std::size_t first = words.size();
  for (std::size_t i = 0; i < strings.size(); ++i) TRY(words.push(0));
  TRY(words.push(0));
  for (std::size_t i = strings.size(); i-- > 0;) {
    words[first + i] = TRY(stack.push_string(strings[i]));
  }
  return MemoryRange{stack.position(), end};
}

struct Addresses {
  std::uint64_t exec_path, platform, random;
};

Result<> push_auxiliary(Vec<std::uint64_t>& words, const ElfImage& image,
                        const Companions& companions, const Addresses& addresses,
                        const Credentials& who) {
  const vmi::BootInfo& boot = boot_info();
  const std::uint64_t vector[][2] = {
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
      {at_secure, who.euid != who.uid || who.egid != who.gid},
      {at_random, addresses.random},
      {at_hwcap2, boot.hwcap2},
      {at_execfn, addresses.exec_path},
      {at_platform, addresses.platform},
      {at_minsigstksz, boot.xsave_bytes + signal_frame_bytes},
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
                                          const Strings& argv, const Strings& envp,
                                          std::string_view exec_path, const Credentials& who) {
  StackWriter stack;
  Addresses addresses;
  addresses.exec_path = TRY(stack.push_string(exec_path));
  Vec<std::uint64_t> environment, words;
  auto& strings = AddressSpace::current()->program_strings;
  strings.environment = TRY(push_pointers(stack, envp, environment));
  TRY(words.push(argv.size()));
  strings.arguments = TRY(push_pointers(stack, argv, words));
  for (std::uint64_t pointer : environment) TRY(words.push(pointer));
  addresses.platform = TRY(stack.push_string("x86_64"));
  unsigned char random[16];
  fill_random(random, sizeof random);
  addresses.random = TRY(stack.push(random, sizeof random));
  TRY(push_auxiliary(words, image, companions, addresses, who));

  std::size_t bytes = words.size() * sizeof(std::uint64_t);
  stack.align_for(bytes);
  return stack.push(words.begin(), bytes);
}

}  // namespace guest
