// System calls on sockets, of which there are none: programs that only ask (bash: "am I a network
// daemon's child?", the C library: "is there a name service?") get the answer of a machine without
// a network, and go on.
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"

namespace guest {

Result<std::int64_t> sys_socket(const Args&) {
  return Errno::afnosupport;
}

Result<std::int64_t> sys_getpeername(const Args& args) {
  TRY(file_argument(args.i32(0)));
  return Errno::notsock;
}

}  // namespace guest
