#include "binary_heap_reference.h"

#include <cmath>
#include <queue>
#include <vector>

namespace {

// 16 bytes, like the keys that Headroom's queues order: time, then sequence and slot.
struct Key {
  uint64_t time;
  uint64_t word;
};

struct Later {
  bool operator()(const Key &a, const Key &b) const {
    return a.time > b.time || (a.time == b.time && a.word > b.word);
  }
};

// xoshiro256++ of Blackman and Vigna, seeded by SplitMix64, as in Primitives.
struct Generator {
  uint64_t state[4];

  explicit Generator(uint64_t seed) {
    for (auto &word : state) {
      seed += 0x9E3779B97F4A7C15u;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      word = z ^ (z >> 31);
    }
  }

  static uint64_t rotated(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

  uint64_t next() {
    const uint64_t result = rotated(state[0] + state[3], 23) + state[0];
    const uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 45);
    return result;
  }

  uint64_t exponential_nanoseconds() {
    const double uniform = (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53;
    return static_cast<uint64_t>(-std::log(uniform) * 1e9);
  }
};

struct Hold {
  std::priority_queue<Key, std::vector<Key>, Later> queue;
  Generator generator;
  uint64_t sequence = 0;

  explicit Hold(uint64_t seed) : generator(seed) {}

  void push(uint64_t time, uint64_t slot) { queue.push({time, ++sequence << 24 | slot}); }
};

} // namespace

void *binary_heap_hold_create(int64_t pending, uint64_t seed) {
  auto *hold = new Hold(seed);
  for (int64_t slot = 0; slot < pending; ++slot) {
    hold->push(hold->generator.exponential_nanoseconds(), static_cast<uint64_t>(slot));
  }
  return hold;
}

uint64_t binary_heap_hold_run(void *opaque, int64_t steps) {
  auto *hold = static_cast<Hold *>(opaque);
  uint64_t summary = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const Key first = hold->queue.top();
    hold->queue.pop();
    summary = summary * 31 + first.time;
    hold->push(first.time + hold->generator.exponential_nanoseconds(), first.word & 0xFFFFFF);
  }
  return summary;
}

void binary_heap_hold_destroy(void *hold) { delete static_cast<Hold *>(hold); }
