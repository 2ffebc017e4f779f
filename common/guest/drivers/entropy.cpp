// The random generator: ChaCha20 with fast key erasure (each block's first half becomes the next
// key, so what was given out cannot be recomputed from the state). Seeded at the first use from
// the launcher's seed and the entropy device. /dev/random and /dev/urandom are the same here.
#include "guest/drivers/entropy.h"

#include "guest/drivers/device_files.h"
#include "guest/heap/make.h"
#include "guest/platform.h"
#include "guest/sched/pausing.h"

namespace guest {
namespace {

constexpr std::size_t key_words = 8, block_words = 16;
constexpr std::size_t chunk_bytes = (block_words - key_words) * 4;

struct Generator {
  std::uint32_t key[key_words];
  std::uint64_t blocks;  // 0: not seeded yet
} generator;

std::uint32_t rotate(std::uint32_t x, int bits) {
  return (x << bits) | (x >> (32 - bits));
}

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
  a += b, d = rotate(d ^ a, 16);
  c += d, b = rotate(b ^ c, 12);
  a += b, d = rotate(d ^ a, 8);
  c += d, b = rotate(b ^ c, 7);
}

void chacha20_block(const Generator& g, std::uint32_t (&out)[block_words]) {
  const std::uint32_t in[block_words] = {0x61707865,
                                         0x3320646e,
                                         0x79622d32,
                                         0x6b206574,  // "expand 32-byte k"
                                         g.key[0],
                                         g.key[1],
                                         g.key[2],
                                         g.key[3],
                                         g.key[4],
                                         g.key[5],
                                         g.key[6],
                                         g.key[7],
                                         static_cast<std::uint32_t>(g.blocks),
                                         static_cast<std::uint32_t>(g.blocks >> 32),
                                         0,
                                         0};
  std::uint32_t x[block_words];
  for (std::size_t i = 0; i < block_words; ++i) x[i] = in[i];
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
    for (int i = 0; i < 4; ++i)
      quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
  }
  for (std::size_t i = 0; i < block_words; ++i) out[i] = x[i] + in[i];
}

void seed() {
  const std::uint8_t* given = boot_info().entropy_seed;
  for (std::size_t i = 0; i < key_words / 2; ++i) {
    std::uint64_t fresh = hypercalls().device_read(vmi::entropy_place.bus_base + vmi::entropy_data);
    for (std::size_t byte = 0; byte < 8; ++byte)
      fresh ^= static_cast<std::uint64_t>(given[8 * i + byte]) << (8 * byte);
    generator.key[2 * i] = static_cast<std::uint32_t>(fresh);
    generator.key[2 * i + 1] = static_cast<std::uint32_t>(fresh >> 32);
  }
}

/// 32 fresh bytes.
void next_chunk(std::uint32_t (&out)[block_words - key_words]) {
  if (generator.blocks == 0) seed();
  ++generator.blocks;
  std::uint32_t block[block_words];
  chacha20_block(generator, block);
  for (std::size_t i = 0; i < key_words; ++i) generator.key[i] = block[i];
  for (std::size_t i = key_words; i < block_words; ++i) out[i - key_words] = block[i];
}

class RandomFile final : public File {
 public:
  using File::File;
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override {
    return random_to_user(to, bytes);
  }
  Result<std::size_t> write(Source, std::size_t bytes) override { return bytes; }
};

}  // namespace

void fill_random(void* to, std::size_t bytes) {
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t done = 0; done < bytes;) {
    std::uint32_t chunk[block_words - key_words];
    next_chunk(chunk);
    for (std::size_t i = 0; i < chunk_bytes && done < bytes; ++i)
      out[done++] = static_cast<std::uint8_t>(chunk[i / 4] >> (8 * (i % 4)));
  }
}

Result<std::size_t> random_to_user(UserAddress to, std::size_t bytes) {
  std::uint8_t buffer[512];
  return in_parts_with_pauses(bytes, [&](std::size_t done) {
    std::size_t part = bytes - done < sizeof buffer ? bytes - done : sizeof buffer;
    fill_random(buffer, part);
    return move_to_user(to + done, buffer, part);
  });
}

Result<Ref<File>> open_random(Ref<Inode> inode, std::uint32_t flags) {
  return Ref<File>(TRY(make_ref<RandomFile>(std::move(inode), flags)));
}

}  // namespace guest
