// MPI behind a flat C interface, for koffi: messages of any length, posted first and waited for later. Nothing here belongs to
// one implementation of MPI. All calls come from one thread; pulse.h has another of its own. Functions return 0, or 1 with a
// text in hmpi_error; arguments that cannot be right are refused so, and hmpi_abort alone ends the process.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

// The C interface alone: the C++ one is gone from newer versions.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include "gpu-memory.h"
#include "pulse.h"
#include "refusals.h"

#define HMPI extern "C" __attribute__((visibility("default")))

namespace {

// Held during every call of MPI.
using Turn = std::lock_guard<std::timed_mutex>;
using pulse::mpi_turn;

MPI_Comm world = MPI_COMM_NULL;
MPI_Comm silent = MPI_COMM_NULL; // nothing is ever sent here: looking for it only moves other messages on
int64_t chunk = int64_t(1) << 30;
// Never destroyed: its thread may still run when the process exits.
pulse::Pulse &signs = *new pulse::Pulse;

// Looks at a batch that only yields the processor, and the sleep between later ones.
constexpr int eager_looks = 200;
constexpr auto nap = std::chrono::microseconds(50);

// Messages that are waited for together.
struct Batch {
  std::vector<MPI_Request> requests;
  // Bytes that each request must bring; -1 where it brings none.
  std::vector<int> expected;
};

// What messages need: processes that were joined, and a batch.
int need(const char *name, const Batch *batch) {
  if (world == MPI_COMM_NULL) return fail(std::string(name) + ": this process has not joined others");
  if (batch == nullptr) return fail(std::string(name) + ": no batch");
  return 0;
}

bool is_rank(int32_t rank) {
  int size = 0;
  return MPI_Comm_size(world, &size) == MPI_SUCCESS && rank >= 0 && rank < size;
}

int need_message(const char *name, const Batch *batch, const void *at, int64_t bytes, int32_t rank, int32_t tag) {
  if (need(name, batch) || need_bytes(name, at, bytes)) return 1;
  if (!is_rank(rank)) return refuse(name, "no rank", rank);
  return tag < 0 ? refuse(name, "a tag of", tag) : 0;
}

// Room for one more request: what MPI has begun must be in its batch.
void make_room(Batch &batch) {
  batch.requests.reserve(batch.requests.size() + 1);
  batch.expected.reserve(batch.expected.size() + 1);
}

// Calls `post(at, bytes)` for each piece of a message that MPI's int counts can say.
template <class Post> int in_chunks(int64_t bytes, Post post) {
  for (int64_t at = 0, count; at < bytes; at += count) {
    count = bytes - at < chunk ? bytes - at : chunk;
    if (post(at, int(count))) return 1;
  }
  return 0;
}

int complete(Batch &batch, std::vector<MPI_Status> &statuses) {
  for (size_t i = 0; i < statuses.size(); i++) {
    if (batch.expected[i] < 0) continue;
    int bytes = 0;
    MPI_Get_count(&statuses[i], MPI_BYTE, &bytes);
    if (bytes != batch.expected[i])
      return fail("a message of " + std::to_string(batch.expected[i]) + " bytes was expected from rank " +
                  std::to_string(statuses[i].MPI_SOURCE) + " and one of " + std::to_string(bytes) + " bytes came");
  }
  return 0;
}

} // namespace

HMPI const char *hmpi_error(void) { return error_text.c_str(); }

// May be called at any time.
HMPI const char *hmpi_version(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) text[0] = 0;
  return text;
}

// Seconds of silence after which a rank is given up, unless the user says otherwise.
HMPI double hmpi_usual_silence(void) { return pulse::Seconds(pulse::usual_silence).count(); }
// Whether messages may lie in the memory of GPUs, which Open MPI 5 knows only when it has started.
HMPI int hmpi_takes_gpu_memory(void) { return takes_gpu_memory(); }

// Joins the other processes. Messages longer than `chunk_bytes` (below 2^31) travel in several pieces. A rank that is silent for
// `silence` seconds is given up; 0: none ever is.
HMPI int hmpi_start(int64_t chunk_bytes, double silence) {
  return entry("hmpi_start", [&] {
    if (chunk_bytes < 1 || chunk_bytes > INT32_MAX) return refuse("hmpi_start", "chunks of", chunk_bytes);
    if (!(silence >= 0 && silence <= 1e9)) return fail("hmpi_start: a silence of " + std::to_string(silence) + " seconds");
    if (world != MPI_COMM_NULL) return fail("hmpi_start: this process has joined others already");
    int ended = 0;
    MPI_Finalized(&ended);
    if (ended) return fail("hmpi_start: this process has left the others");
    chunk = chunk_bytes;
    int begun = 0, provided = 0;
    MPI_Initialized(&begun);
    if (!begun && check("MPI_Init_thread", MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided))) return 1;
    if (!begun && provided < MPI_THREAD_SERIALIZED) return fail("this MPI does not run in a program with threads");
    // Messages of other libraries in this process stay apart.
    if (check("MPI_Comm_dup", MPI_Comm_dup(MPI_COMM_WORLD, &world))) return 1;
    if (check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN))) return 1;
    if (check("MPI_Comm_dup", MPI_Comm_dup(world, &silent))) return 1;
    return silence > 0 ? check("MPI_Comm_dup", signs.start(world, silence)) : 0;
  });
}

// This process begins a collective, as all do, in the same order.
HMPI int hmpi_enter(const char *label) {
  return entry("hmpi_enter", [&] {
    if (label == nullptr) return fail("hmpi_enter: no label");
    signs.enter(label);
    return 0;
  });
}

// Another rank has messages with this one: they watch each other.
HMPI int hmpi_near(int32_t rank) {
  return entry("hmpi_near", [&] {
    if (world == MPI_COMM_NULL) return fail("hmpi_near: this process has not joined others");
    if (!is_rank(rank)) return refuse("hmpi_near", "no rank", rank);
    signs.near(rank);
    return 0;
  });
}

namespace {
void poll() {
  if (!mpi_turn.try_lock()) return; // the other thread is at it
  int found = 0;
  // Kernels may still run when this process has left the others.
  if (silent != MPI_COMM_NULL) MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, silent, &found, MPI_STATUS_IGNORE);
  mpi_turn.unlock();
}
} // namespace

// Address of a function that lets messages under way move on: MPI may only do so while it is called. It never waits.
HMPI uint64_t hmpi_poll(void) { return uint64_t(reinterpret_cast<uintptr_t>(&poll)); }

// 0 for a process that has not joined others.
HMPI int hmpi_rank(void) {
  int rank = 0;
  if (world != MPI_COMM_NULL) MPI_Comm_rank(world, &rank);
  return rank;
}

HMPI int hmpi_size(void) {
  int size = 1;
  if (world != MPI_COMM_NULL) MPI_Comm_size(world, &size);
  return size;
}

// Memory for messages, whole pages of it, or null. Pages take room when they are first touched.
HMPI void *hmpi_allocate(int64_t bytes) {
  if (bytes < 1) return nullptr;
  void *at = mmap(nullptr, size_t(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : at;
}

HMPI void hmpi_free(void *at, int64_t bytes) {
  if (at != nullptr && bytes > 0) munmap(at, size_t(bytes));
}

HMPI Batch *hmpi_batch(void) { return new (std::nothrow) Batch; }

HMPI int hmpi_send(Batch *batch, const void *from, int64_t bytes, int32_t to, int32_t tag) {
  return entry("hmpi_send", [&] {
    if (need_message("hmpi_send", batch, from, bytes, to, tag)) return 1;
    return in_chunks(bytes, [&](int64_t at, int count) {
      MPI_Request request;
      const char *data = static_cast<const char *>(from) + at;
      make_room(*batch);
      Turn turn(mpi_turn);
      if (check("MPI_Isend", MPI_Isend(data, count, MPI_BYTE, to, tag, world, &request))) return 1;
      batch->requests.push_back(request);
      batch->expected.push_back(-1);
      return 0;
    });
  });
}

HMPI int hmpi_receive(Batch *batch, void *to, int64_t bytes, int32_t from, int32_t tag) {
  return entry("hmpi_receive", [&] {
    if (need_message("hmpi_receive", batch, to, bytes, from, tag)) return 1;
    return in_chunks(bytes, [&](int64_t at, int count) {
      MPI_Request request;
      make_room(*batch);
      Turn turn(mpi_turn);
      if (check("MPI_Irecv", MPI_Irecv(static_cast<char *>(to) + at, count, MPI_BYTE, from, tag, world, &request))) return 1;
      batch->requests.push_back(request);
      batch->expected.push_back(count);
      return 0;
    });
  });
}

HMPI int hmpi_barrier(Batch *batch) {
  return entry("hmpi_barrier", [&] {
    if (need("hmpi_barrier", batch)) return 1;
    make_room(*batch);
    MPI_Request request;
    Turn turn(mpi_turn);
    if (check("MPI_Ibarrier", MPI_Ibarrier(world, &request))) return 1;
    batch->requests.push_back(request);
    batch->expected.push_back(-1);
    return 0;
  });
}

// Every process gives `bytes` bytes and gets those of all, by rank.
HMPI int hmpi_all_gather(Batch *batch, const void *mine, void *all, int32_t bytes) {
  return entry("hmpi_all_gather", [&] {
    if (need("hmpi_all_gather", batch) || need_bytes("hmpi_all_gather", mine, bytes) ||
        need_bytes("hmpi_all_gather", all, int64_t(bytes) * hmpi_size()))
      return 1;
    make_room(*batch);
    MPI_Request request;
    Turn turn(mpi_turn);
    if (check("MPI_Iallgather", MPI_Iallgather(mine, bytes, MPI_BYTE, all, bytes, MPI_BYTE, world, &request))) return 1;
    batch->requests.push_back(request);
    batch->expected.push_back(-1);
    return 0;
  });
}

// One look at a batch: as hmpi_test.
static int look_at(Batch &batch, std::vector<MPI_Status> &statuses) {
  Turn turn(mpi_turn);
  int done = 0;
  int code = MPI_Testall(int(statuses.size()), batch.requests.data(), &done, statuses.data());
  if (code == MPI_ERR_IN_STATUS)
    for (const MPI_Status &status : statuses)
      if (status.MPI_ERROR != MPI_SUCCESS && status.MPI_ERROR != MPI_ERR_PENDING)
        return check("a message", status.MPI_ERROR);
  if (check("MPI_Testall", code)) return 1;
  return done ? complete(batch, statuses) : 2;
}

// Waits up to some milliseconds for all of a batch: 0 when it is done (and gone), 2 when it is not, 1 on an error.
HMPI int hmpi_test(Batch *batch, int32_t milliseconds) {
  return entry("hmpi_test", [&] {
    if (need("hmpi_test", batch)) return 1;
    if (milliseconds < 0) return refuse("hmpi_test", "a wait of", milliseconds);
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
    std::vector<MPI_Status> statuses(batch->requests.size());
    for (int look = 0;; look++) {
      int state = look_at(*batch, statuses);
      if (state != 2) {
        signs.wait(false);
        if (state == 0) delete batch;
        return state;
      }
      if (look == 0 && milliseconds > 0) signs.wait(true); // a mere look is no waiting
      if (Clock::now() >= until) return 2;
      if (look < eager_looks) sched_yield();
      else std::this_thread::sleep_for(nap);
    }
  });
}

// Ends all processes at once.
HMPI void hmpi_abort(int32_t code) { pulse::end_all(code); }

// Leaves; every process must, at the same time.
HMPI int hmpi_finish(void) {
  return entry("hmpi_finish", [&] {
    if (world == MPI_COMM_NULL) return fail("hmpi_finish: this process has not joined others");
    Turn turn(mpi_turn);
    signs.finish();
    if (silent != MPI_COMM_NULL) MPI_Comm_free(&silent);
    if (world != MPI_COMM_NULL) MPI_Comm_free(&world);
    return check("MPI_Finalize", MPI_Finalize());
  });
}
