// thread-create: a thread that ends at once, and waiting for it. The check value is how many came
// back with the value that they were given.
#include <pthread.h>

#include "marker.h"

namespace {

constexpr const char* name = "thread-create";

void* give_back(void* value) {
  return value;
}

std::uint64_t create_and_join(std::uint64_t count) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    pthread_t thread;
    void* const given = reinterpret_cast<void*>(i + 1);
    void* result = nullptr;
    if (pthread_create(&thread, nullptr, give_back, given) != 0) {
      micro::fail(name, "pthread_create failed");
    }
    right += pthread_join(thread, &result) == 0 && result == given;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1, create_and_join));
}
