// See races.h. Words of four bytes of shared memory, and bytes of the device's, have a cell each with those who used them last.
#include "races.h"
#include "emulate.h"
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;

constexpr u16 nobody = 0xffff;
constexpr int named_barriers = 16;

bool watched, barriers;
int threads;
const char *shared_from, *shared_to;

// ---- Which accesses of a block are ordered ---------------------------------------------------------------------------
// Barriers of the whole block order all; between two of them (an epoch) each thread counts the named ones that it came to, and knows of
// every other thread how far that was when word of it last came.
u32 epoch;
bool any_named;                 // in this epoch
std::vector<u32> arrivals;      // by thread, counted from 1
std::vector<u32> knows;         // [thread][other]
struct Round {
  std::vector<u32> told; // by thread
  std::vector<int> waiting;
};
Round rounds[named_barriers];

bool ordered(int other, u32 arrival) {
  const int self = int(em.thread.x);
  return other == self || (any_named && knows[size_t(self) * threads + other] > arrival);
}

void new_epoch() {
  epoch++;
  if (any_named) std::fill(knows.begin(), knows.end(), 0u);
  any_named = false;
  for (Round &round : rounds) round.told.clear(), round.waiting.clear();
}

// ---- Shared memory -----------------------------------------------------------------------------------------------------
struct Use {
  u16 thread = nobody;
  u32 arrival = 0;
};
struct SharedCell {
  u32 epoch = 0;
  Use write, reads[2]; // the last reader, and the last one before it that is another thread
};
std::vector<SharedCell> shared_cells;
constexpr int word = 4;

void tell(const char *where, long long byte, bool writes, bool other_wrote, const char *who, long long number) {
  char text[256];
  std::snprintf(text, sizeof text, "a race: %s byte %lld of %s, which %s %lld %s, and nothing orders the two", writes ? "writes" : "reads",
                byte, where, who, number, other_wrote ? "writes" : "reads");
  em_fault(text);
}

void use_shared(const char *at, bool writes) {
  SharedCell &cell = shared_cells[size_t(at - shared_from) / word];
  const auto clashes = [&](const Use &use) { return use.thread != nobody && !ordered(use.thread, use.arrival); };
  if (cell.epoch != epoch) cell = SharedCell(), cell.epoch = epoch;
  if (clashes(cell.write)) return tell("shared memory", at - shared_from, writes, true, "thread", cell.write.thread);
  const Use self = {u16(em.thread.x), arrivals[em.thread.x]};
  if (!writes) {
    if (cell.reads[0].thread != self.thread) cell.reads[1] = cell.reads[0];
    cell.reads[0] = self;
    return;
  }
  for (const Use &read : cell.reads)
    if (clashes(read)) return tell("shared memory", at - shared_from, writes, false, "thread", read.thread);
  cell.write = self;
}

// ---- Memory of the device -----------------------------------------------------------------------------------------------
// Who used a byte in this launch: blocks, or threads of all blocks where no barrier orders those of a block; counted from 1.
struct DeviceCell {
  u32 launch = 0, writer = 0, reader = 0;
  bool readers = false; // more than one
};
constexpr std::uintptr_t page_bytes = 1 << 12;
struct Region {
  const char *from, *to;
  std::unordered_map<std::uintptr_t, std::vector<DeviceCell>> pages;
};
std::map<const char *, Region> regions; // by their end
Region *last_region;
std::uintptr_t last_page;
std::vector<DeviceCell> *last_cells;
u32 launch;

Region *region_of(const char *at) {
  if (last_region && at >= last_region->from && at < last_region->to) return last_region;
  const auto found = regions.upper_bound(at);
  if (found == regions.end() || at < found->second.from) return nullptr;
  last_cells = nullptr;
  return last_region = &found->second;
}

void use_device(Region &region, const char *at, bool writes) {
  const auto page = reinterpret_cast<std::uintptr_t>(at) / page_bytes;
  if (!last_cells || page != last_page) {
    last_cells = &region.pages[page], last_page = page;
    if (last_cells->empty()) last_cells->resize(page_bytes);
  }
  DeviceCell &cell = (*last_cells)[reinterpret_cast<std::uintptr_t>(at) % page_bytes];
  if (cell.launch != launch) cell = DeviceCell(), cell.launch = launch;
  const u32 self = 1 + (barriers ? em.block.x : em.block.x * u32(threads) + em.thread.x);
  const char *const who = barriers ? "block" : "thread";
  if (cell.writer && cell.writer != self) return tell("the device's memory", at - region.from, writes, true, who, (long long)cell.writer - 1);
  if (!writes) {
    cell.readers |= cell.reader && cell.reader != self;
    cell.reader = self;
    return;
  }
  if (cell.readers || (cell.reader && cell.reader != self)) return tell("the device's memory", at - region.from, writes, false, who, (long long)cell.reader - 1);
  cell.writer = self;
}

} // namespace

void races_launch(bool of_this, int count, bool with_barriers, const char *shared, long long shared_bytes) {
  watched = of_this;
  if (!watched) return;
  threads = count, barriers = with_barriers;
  shared_from = shared, shared_to = shared + shared_bytes;
  launch++;
  arrivals.assign(size_t(threads), 1);
  knows.assign(size_t(threads) * threads, 0);
  any_named = false;
  if (shared_cells.size() < size_t(shared_bytes)) shared_cells.resize(size_t(shared_bytes));
}

void races_block() {
  if (watched) new_epoch();
}

void races_barrier() {
  if (watched) new_epoch();
}

void races_arrive(int barrier, bool waits, bool completes) {
  if (!watched) return;
  const int self = int(em.thread.x);
  Round &round = rounds[barrier];
  any_named = true;
  if (round.told.empty()) round.told.assign(size_t(threads), 0);
  u32 *const own = &knows[size_t(self) * threads];
  own[self] = ++arrivals[size_t(self)];
  for (int t = 0; t < threads; t++) round.told[size_t(t)] = round.told[size_t(t)] > own[t] ? round.told[size_t(t)] : own[t];
  if (waits) round.waiting.push_back(self);
  if (!completes) return;
  for (const int other : round.waiting)
    for (int t = 0; t < threads; t++) {
      u32 &known = knows[size_t(other) * threads + t];
      known = known > round.told[size_t(t)] ? known : round.told[size_t(t)];
    }
  round.told.clear(), round.waiting.clear();
}

void races_access(const void *from, long long bytes, bool writes) {
  if (!watched) return;
  const char *const at = static_cast<const char *>(from);
  if (at >= shared_from && at < shared_to) {
    if ((at - shared_from) % word || bytes % word) return em_fault("a part of a word of shared memory, which races are not looked for in");
    for (long long i = 0; i < bytes; i += word) use_shared(at + i, writes);
    return;
  }
  if (Region *region = region_of(at))
    for (long long i = 0; i < bytes; i++) use_device(*region, at + i, writes);
}

void races_allocated(const void *at, long long bytes) {
  const char *const from = static_cast<const char *>(at);
  last_region = nullptr;
  regions[from + bytes] = Region{from, from + bytes, {}};
}

void races_freed(const void *at) {
  last_region = nullptr, last_cells = nullptr;
  const auto found = regions.upper_bound(static_cast<const char *>(at));
  if (found != regions.end() && found->second.from == at) regions.erase(found);
}

// What the compiler calls before every access.
#define HM_TOLD(bytes)                                                                                \
  void __tsan_read##bytes(void *at) { races_access(at, bytes, false); }                               \
  void __tsan_write##bytes(void *at) { races_access(at, bytes, true); }                               \
  void __tsan_unaligned_read##bytes(void *at) { races_access(at, bytes, false); }                     \
  void __tsan_unaligned_write##bytes(void *at) { races_access(at, bytes, true); }
extern "C" {
HM_TOLD(1)
HM_TOLD(2)
HM_TOLD(4)
HM_TOLD(8)
HM_TOLD(16)
void __tsan_read_range(void *at, size_t bytes) { races_access(at, (long long)bytes, false); }
void __tsan_write_range(void *at, size_t bytes) { races_access(at, (long long)bytes, true); }
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void **, void *) {}
}
