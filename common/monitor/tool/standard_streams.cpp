// See standard_streams.h. A path that was not opened (O_PATH) can be neither read nor written, and
// that flag tells it from whatever the user may have given us.
#include "monitor/tool/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace monitor {

void fill_closed_streams() {
  int fd;
  do {
    fd = open("/", O_PATH);
    if (fd < 0) abort();  // whatever is opened next might be taken for a stream
  } while (fd <= STDERR_FILENO);
  close(fd);
}

bool stream_was_closed(int stream) {
  return (fcntl(stream, F_GETFL) & O_PATH) != 0;
}

}  // namespace monitor
