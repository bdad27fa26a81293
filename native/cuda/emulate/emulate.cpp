// Blocks, fibers and rendezvous of emulated launches. One launch at a time, on one thread of the host.
#include "emulate.h"
#include "races.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

EmState em;
char *em_shared_memory;
long long em_shared_bytes;

namespace {

constexpr long long static_shared = 48 << 10; // bytes that a kernel may declare; for more it says how many it wants
constexpr size_t stack_bytes = 64 << 10;
constexpr int warp = 32;
constexpr int named_barriers = 16;

char fault[512];

// ---- Fibers --------------------------------------------------------------------------------------------------------
#if defined(__x86_64__)
struct Context {
  void *stack;
};
extern "C" void em_switch(void **from, void *to);
asm(R"(
  .text
  .globl em_switch
  .hidden em_switch
  .type em_switch, @function
em_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
void change(Context &from, Context &to) { em_switch(&from.stack, to.stack); }
void prepare(Context &context, char *stack, size_t bytes, void (*entry)()) {
  auto top = reinterpret_cast<uintptr_t>(stack + bytes) & ~uintptr_t(15);
  auto *frame = reinterpret_cast<void **>(top) - 8; // six registers, the entry, the place of a return address
  for (int i = 0; i < 6; i++) frame[i] = nullptr;
  frame[6] = reinterpret_cast<void *>(entry);
  frame[7] = nullptr;
  context.stack = frame;
}
#else
struct Context {
  ucontext_t context;
};
void change(Context &from, Context &to) { swapcontext(&from.context, &to.context); }
void prepare(Context &context, char *stack, size_t bytes, void (*entry)()) {
  getcontext(&context.context);
  context.context.uc_stack.ss_sp = stack;
  context.context.uc_stack.ss_size = bytes;
  context.context.uc_link = nullptr;
  makecontext(&context.context, entry, 0);
}
#endif

struct Meeting { // of all threads, of some or of a warp
  int count = 0, generation = 0;
  void *arguments[warp];
};

struct Copy { // to shared memory; from nowhere: zeros
  void *to;
  const void *from;
};

struct Fiber {
  Context context;
  std::vector<char> stack;
  bool done;
  long long shared; // bytes asked for so far
  const Meeting *waits; // until its generation is no longer this one
  int generation;
  std::vector<Copy> copies;    // that have not come
  std::vector<size_t> batches; // how many of them had been asked for at the end of each
};

std::vector<Fiber> fibers;
Context scheduler;
Meeting block_meeting;
Meeting named[named_barriers];
std::vector<Meeting> warps;
long long progress; // steps that any thread made: one comes to a meeting, or ends
void (*kernel_of)(const void *);
const void *args_of;
bool in_fibers;
long long shared_alone; // bytes asked for by the one thread that runs where there are no fibers

void enter() {
  Fiber &self = fibers[em.thread.x];
  kernel_of(args_of);
  if (!self.copies.empty()) em_fault("a thread ends that has not waited for its copies");
  self.done = true, progress++;
  change(self.context, scheduler);
}

// Waits until others have completed a meeting.
void wait_for(const Meeting &meeting, int generation) {
  Fiber &self = fibers[em.thread.x];
  self.waits = &meeting, self.generation = generation;
  change(self.context, scheduler);
  self.waits = nullptr;
}

void start_block(unsigned block) {
  em.block.x = block;
  races_block();
  std::memset(em_shared_memory, 0xff, size_t(em_shared_bytes));
  block_meeting = Meeting();
  for (Meeting &meeting : named) meeting = Meeting();
  for (Meeting &meeting : warps) meeting = Meeting();
}

void run_fibers() {
  for (Fiber &fiber : fibers) {
    fiber.done = false, fiber.shared = 0, fiber.waits = nullptr;
    fiber.copies.clear(), fiber.batches.clear();
    prepare(fiber.context, fiber.stack.data(), fiber.stack.size(), enter);
  }
  for (bool alive = true; alive && !fault[0];) {
    alive = false;
    const long long before = progress;
    int waiting = 0;
    for (unsigned t = 0; t < fibers.size(); t++) {
      Fiber &fiber = fibers[t];
      if (fiber.done) continue;
      alive = true;
      em.thread.x = t;
      if (!fiber.waits || fiber.waits->generation != fiber.generation) change(scheduler, fiber.context);
      waiting += fiber.done ? 0 : 1;
    }
    if (waiting > 0 && before == progress && waiting == int(fibers.size())) em_fault("all threads wait and none comes");
    if (waiting > 0 && before == progress && waiting < int(fibers.size())) em_fault("a barrier that not all threads reach");
  }
}

} // namespace

extern "C" {

void em_fault(const char *text) {
  if (!fault[0]) std::snprintf(fault, sizeof fault, "%s (block %u, thread %u)", text, em.block.x, em.thread.x);
}

void *em_shared(long long bytes) {
  long long &used = in_fibers ? fibers[em.thread.x].shared : shared_alone;
  const long long at = used;
  used = (at + bytes + 15) / 16 * 16;
  if (used > em_shared_bytes) {
    em_fault("more shared memory than a block has");
    return em_shared_memory;
  }
  return em_shared_memory + at;
}

void em_barrier(void) {
  if (!in_fibers) return em_fault("a barrier in a kernel that says it has none");
  const int mine = block_meeting.generation;
  progress++;
  if (++block_meeting.count == int(em.threads.x)) {
    races_barrier();
    block_meeting.count = 0, block_meeting.generation++;
    return;
  }
  wait_for(block_meeting, mine);
}

void em_named(int barrier, int threads, int waits) {
  if (!in_fibers) return em_fault("a barrier in a kernel that says it has none");
  if (barrier < 1 || barrier >= named_barriers || threads % warp != 0 || threads > int(em.threads.x))
    return em_fault("a barrier that a block does not have");
  Meeting &meeting = named[barrier];
  const int mine = meeting.generation;
  progress++;
  meeting.count++;
  races_arrive(barrier, waits != 0, meeting.count == threads);
  if (meeting.count == threads) {
    meeting.count = 0, meeting.generation++;
    return;
  }
  if (waits) wait_for(meeting, mine);
}

void em_warp(void *argument, void (*combine)(void **)) {
  if (!in_fibers) return em_fault("a warp meets in a kernel that says it does not");
  Meeting &meeting = warps[em.thread.x / warp];
  const int mine = meeting.generation;
  meeting.arguments[em.thread.x % warp] = argument;
  progress++;
  if (++meeting.count == warp) {
    meeting.count = 0;
    if (combine) combine(meeting.arguments);
    meeting.generation++;
    return;
  }
  wait_for(meeting, mine);
}

void em_copy_later(void *to, const void *from) {
  if (!in_fibers) return em_fault("a copy to shared memory in a kernel that says it has no barriers");
  races_access(to, 16, true);
  fibers[em.thread.x].copies.push_back({to, from});
}

void em_end_batch(void) {
  if (!in_fibers) return;
  Fiber &self = fibers[em.thread.x];
  self.batches.push_back(self.copies.size());
}

void em_wait_copies(int but) {
  if (!in_fibers) return;
  Fiber &self = fibers[em.thread.x];
  const size_t kept = but < 0 ? 0 : size_t(but), batches = self.batches.size();
  if (but >= 0 && batches <= kept) return;
  const size_t come = but < 0 ? self.copies.size() : self.batches[batches - kept - 1];
  for (size_t i = 0; i < come; i++) {
    const auto [to, from] = self.copies[i];
    if (from) races_access(from, 16, false), std::memcpy(to, from, 16);
    else std::memset(to, 0, 16);
    races_access(to, 16, true);
  }
  self.copies.erase(self.copies.begin(), self.copies.begin() + long(come));
  self.batches.erase(self.batches.begin(), self.batches.begin() + long(but < 0 ? batches : batches - kept));
  for (size_t &end : self.batches) end -= come;
}

void em_read(const void *at, long long bytes) { races_access(at, bytes, false); }

unsigned long long em_atomic_min(unsigned long long *at, unsigned long long x) {
  const unsigned long long was = *at;
  if (x < was) *at = x;
  return was;
}

const char *em_launch(long long blocks, int threads, long long shared, int with_fibers, int watched, void (*kernel)(const void *),
                      const void *args) {
  static std::vector<char> memory;
  const long long room = shared > 0 ? shared : with_fibers ? static_shared : 0;
  fault[0] = 0;
  em.threads.x = unsigned(threads), em.blocks.x = unsigned(blocks);
  memory.resize(size_t(room) + 16);
  em_shared_memory = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(memory.data()) + 15) & ~uintptr_t(15));
  em_shared_bytes = room;
  kernel_of = kernel, args_of = args, in_fibers = with_fibers != 0;
  races_launch(watched != 0, threads, in_fibers, em_shared_memory, room);
  if (in_fibers) {
    fibers.resize(size_t(threads));
    warps.resize(size_t((threads + warp - 1) / warp));
    for (Fiber &fiber : fibers) fiber.stack.resize(stack_bytes);
  }
  for (long long block = 0; block < blocks && !fault[0]; block++) {
    start_block(unsigned(block));
    if (in_fibers) run_fibers();
    else
      for (int t = 0; t < threads && !fault[0]; t++) em.thread.x = unsigned(t), shared_alone = 0, kernel(args);
  }
  return fault[0] ? fault : nullptr;
}
}
