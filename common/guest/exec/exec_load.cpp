// load_program: see the header. Called by execve and once at boot, in process context.
#include "guest/exec/exec_load.h"

#include <algorithm>

#include "guest/exec/elf_image.h"
#include "guest/exec/initial_stack.h"
#include "guest/exec/vdso.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/vfs/fs_context.h"

namespace guest {

namespace {

constexpr int deepest_interpreter = 4;

Result<> check_executable(Inode& file, const Caller& caller) {
  return file.is(mode_regular) ? check_access(file, may_execute, caller) : Errno::acces;
}

/// A "#!" line: interpreter and at most one argument, which may contain blanks.
struct ScriptLine {
  char text[256];
  std::string_view interpreter = {}, argument = {};
};

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// False when the file is no script. ENOEXEC: a script that names no interpreter.
Result<bool> read_script_line(Inode& file, ScriptLine& line) {
  std::size_t bytes = TRY(file.peek(0, line.text, sizeof line.text));
  std::string_view text(line.text, bytes);
  if (bytes < 2 || text[0] != '#' || text[1] != '!') return false;
  text.remove_prefix(2);
  std::size_t length = 0;
  while (length < text.size() && text[length] != '\n' && text[length] != '\0') ++length;
  if (length == text.size() && bytes == sizeof line.text) return Errno::noexec;  // cut off
  text = trim({text.data(), length});
  length = 0;
  while (length < text.size() && text[length] != ' ' && text[length] != '\t') ++length;
  line.interpreter = {text.data(), length};
  line.argument = trim({text.data() + length, text.size() - length});
  return line.interpreter.empty() ? Result<bool>(Errno::noexec) : Result<bool>(true);
}

/// Follows "#!" lines to the ELF file, putting interpreters in front of the arguments.
class ScriptChain {
 public:
  Result<> resolve(const Place& file, std::string_view path, const Caller& caller) {
    file_ = file;
    for (int depth = 0;; ++depth) {
      TRY(check_executable(*file_.inode, caller));
      ScriptLine line;
      if (!TRY(read_script_line(*file_.inode, line))) {
        program_ = TRY(Program::create(file_, last_part(path)));
        return arrange();
      }
      if (depth == deepest_interpreter) return Errno::loop;
      // The path takes argv[0]'s place behind the interpreter.
      TRY(keep(path));
      if (!line.argument.empty()) TRY(keep(line.argument));
      interpreter_ = TRY(String::from(line.interpreter));
      file_ = TRY(current_process().fs->find(interpreter_.view(), caller));
      path = interpreter_.view();
    }
  }
  [[nodiscard]] const Ref<Program>& program() const { return program_; }
  /// What takes the place of argv[0]; empty where the file is no script.
  [[nodiscard]] const Vec<String>& in_front() const { return in_front_; }

 private:
  Result<> keep(std::string_view text) { return kept_.push(TRY(String::from(text))); }
  Result<> arrange() {
    if (kept_.empty()) return {};
    TRY(in_front_.push(std::move(interpreter_)));
    for (std::size_t i = kept_.size(); i-- > 0;) TRY(in_front_.push(std::move(kept_[i])));
    return {};
  }

  Place file_;
  Ref<Program> program_;
  String interpreter_;
  Vec<String> kept_;  // last first
  Vec<String> in_front_;
};

Result<> map_segment(AddressSpace& space, const Ref<Inode>& file, const ElfSegment& segment) {
  std::uint64_t begin = page_down(segment.va);
  std::uint64_t file_end = segment.file_bytes ? page_up(segment.file_end()) : begin;
  std::uint64_t end = page_up(segment.end());
  if (file_end > begin) {
    TRY(space.map({.address = begin,
                   .bytes = file_end - begin,
                   .protection = segment.protection,
                   .placement = MapRequest::fixed_no_replace,
                   .backing = file,
                   .offset = page_down(segment.file_offset)}));
  }
  if (end > file_end) {
    TRY(space.map({.address = file_end,
                   .bytes = end - file_end,
                   .protection = segment.protection,
                   .placement = MapRequest::fixed_no_replace}));
  }
  // What lies behind the file's bytes in their last page belongs to bss. A segment that cannot be
  // written keeps the file's bytes there, as on Linux.
  bool tail = segment.memory_bytes > segment.file_bytes && segment.file_end() < file_end;
  if (tail && segment.protection & vmi::prot_write) {
    // Served before it happens: a fault of the kernel's own costs a trap.
    TRY(space.fault(segment.file_end(), vmi::fault_user | vmi::fault_write));
    TRY(zero_user({segment.file_end()}, file_end - segment.file_end()));
  }
  return {};
}

Result<> map_image(AddressSpace& space, const Ref<Inode>& file, const ElfImage& image) {
  for (const ElfSegment& segment : image.segments) {
    auto mapped = map_segment(space, file, segment);
    // A program linked to where its interpreter goes.
    if (!mapped.ok()) return mapped.error() == Errno::exist ? Result<>(Errno::noexec) : mapped;
  }
  return {};
}

/// The dynamic linker that a program names: read, but not mapped yet.
struct Interpreter {
  Ref<Inode> file;  // none: the program runs by itself
  ElfImage image;
};

Result<Interpreter> find_interpreter(const ElfImage& program, std::uint64_t mappings_top,
                                     const Caller& caller) {
  Interpreter found;
  if (program.interpreter.size() == 0) return found;
  found.file = TRY(current_process().fs->find(program.interpreter.view(), caller)).inode;
  TRY(check_executable(*found.file, caller));
  auto image = read_elf(*found.file, ElfRole::interpreter, mappings_top);
  if (!image.ok()) return image.error() == Errno::noexec ? Errno::libbad : image.error();
  found.image = image.release();
  return found;
}

/// As whom a program runs. A script's own bits count for nothing, its interpreter's do. Who shares
/// root and working directory with another process could mislead a program of somebody else.
Credentials given_by(Inode& program, const Credentials& who, bool shares_places) {
  constexpr std::uint32_t set_user = 04000, group_program = 02010;
  Credentials given = who;
  const std::uint32_t mode = program.mode();
  if (!who.no_new_privs && (!shares_places || who.euid == 0)) {
    if (mode & set_user) given.euid = program.stat().uid;
    if ((mode & group_program) == group_program) given.egid = program.stat().gid;
  }
  given.suid = given.euid;
  given.sgid = given.egid;
  return given;
}

/// All that a program consists of.
struct Parts {
  Ref<Inode> file;
  ElfImage image;
  Interpreter interpreter;
};

/// Fills the current, empty space. Returns the stack pointer.
Result<std::uint64_t> build(AddressSpace& space, const Parts& parts, const Given& given,
                            const Credentials& who) {
  TRY(map_image(space, parts.file, parts.image));
  Companions companions;
  parts.file->accessed();
  if (parts.interpreter.file) {
    parts.interpreter.file->accessed();
    TRY(map_image(space, parts.interpreter.file, parts.interpreter.image));
    companions.interpreter_base = parts.interpreter.image.bias;
  }
  companions.vdso = TRY(map_vdso(space));
  const ElfSegment& last = parts.image.segments[parts.image.segments.size() - 1];
  space.start_brk(page_up(parts.image.end()), last.file_bytes);
  TRY(space.map_stack(parts.image.executable_stack));
  TRY(space.populate(stack_top - vmi::page_size, vmi::page_size));
  return write_initial_stack(parts.image, companions, given, who);
}

}  // namespace

std::uint64_t most_string_bytes(const Process& process) {
  constexpr std::uint64_t least = 128 * 1024, most = stack_limit / 4;
  return std::clamp(process.limits[abi::limit_stack].current / 4, least, most);
}

std::string_view last_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

Result<LoadedProgram> load_program(const ExecRequest& request, const Credentials& who,
                                   const abi::ResourceLimit* limits) {
  ScriptChain chain;
  TRY(chain.resolve(request.file, request.path, who.caller()));
  Parts parts;
  parts.file = chain.program()->file.inode;
  parts.image = TRY(read_elf(*parts.file));
  const std::uint64_t mappings_top =
      mmap_top_below(limits ? limits[abi::limit_stack].current : stack_limit);
  parts.interpreter = TRY(find_interpreter(parts.image, mappings_top, who.caller()));
  const Given given{request.strings, request.arguments, chain.in_front()};
  Credentials credentials = given_by(*parts.file, who, request.shares_places);

  Ref<AddressSpace> old(AddressSpace::current());
  Ref<AddressSpace> space = TRY(AddressSpace::create());
  space->bind(limits);
  space->start_mappings(mappings_top);
  space->activate();
  auto stack_pointer = build(*space, parts, given, credentials);
  if (!stack_pointer.ok()) {
    if (old) old->activate();
    return stack_pointer.error();
  }
  const ElfImage& first = parts.interpreter.file ? parts.interpreter.image : parts.image;
  return LoadedProgram{std::move(space), first.entry, stack_pointer.value(), chain.program(),
                       std::move(credentials)};
}

}  // namespace guest
