// Signs of life between processes. A thread beside the program tells rank 0, and every rank that this one has messages with,
// twice a second that it lives and which collective it has come to. A rank that falls silent (killed, stopped, cut off) or
// that runs other collectives than this one ends all, with an error on the terminal, and so does a call of MPI that does not return. The program may compute for as long as
// it likes meanwhile. All calls of MPI, here and in shim.cpp, hold `mpi_turn`: any MPI that takes calls of one thread at a
// time will do.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <mpi.h>

namespace pulse {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::timed_mutex mpi_turn;

// Between two signs.
constexpr auto interval = std::chrono::milliseconds(500);
// Between two looks at the signs of others, and the longest that a look waits for its turn.
constexpr auto look = std::chrono::milliseconds(100);
// After which a rank is given up, unless the user says otherwise.
constexpr auto usual_silence = std::chrono::seconds(5);
// A thread that comes so late was stopped itself, with its process or its machine: then nobody's silence counts.
constexpr auto held = std::chrono::seconds(2);
// What rank 0 has to tell the error before rank 1 does, and rank 1 before the others.
constexpr auto grace = std::chrono::milliseconds(1000);
constexpr int most_graces = 2;
// What the end of all may take until this process ends alone.
constexpr auto abort_limit = std::chrono::seconds(2);

// From a rank's last sign to the end of the last process; docs/mpi.md promises it.
constexpr auto promise = std::chrono::seconds(10);
// Two looks to hear the last sign and wait for the turn, two to see the silence.
static_assert(4 * look + usual_silence + most_graces * grace + abort_limit <= promise, "a silent rank ends all in time");
// Ranks see the same silence as far apart as their looks, and the first is heard by the launcher before the next one speaks.
static_assert(4 * look < grace, "one rank speaks for all");
static_assert(2 * interval < held && held < usual_silence, "a rank that lives is never silent");

// After which rank 0 says for whom it waits, and again after twice as long.
constexpr double first_note = 60;
// Collectives that are remembered, to be compared with what others have come to.
constexpr size_t remembered = 1024;

// A place in the sequence of collectives that all ranks run.
struct Place {
  int64_t number = 0; // how many were begun
  uint64_t hash = 14695981039346656037u; // of the labels of all of them (FNV-1a)
  int32_t waits = 0;
  char label[108] = "start";
};

struct Peer {
  Clock::time_point heard;
  Place last;
  Place sent; // belongs to the message until `sending` is done
  MPI_Request sending = MPI_REQUEST_NULL;
};

// From here on this process ends in time, whatever holds it up.
inline void begin_end() {
  std::signal(SIGALRM, SIG_DFL);
  alarm(unsigned(abort_limit.count()));
}

// Ends all processes, and this one whatever becomes of the others.
inline void end_all(int code) {
  begin_end();
  // Who holds the turn may never give it back.
  if (!mpi_turn.try_lock_for(std::chrono::milliseconds(200))) {}
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

class Pulse {
public:
  // All processes begin together. `silence`: seconds after which a rank is given up.
  int start(MPI_Comm world, double seconds) {
    silence = seconds;
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    int code = MPI_Comm_dup(world, &comm);
    if (code != MPI_SUCCESS) return code;
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    if (rank != 0) near(0);
    else
      for (int other = 1; other < size; other++) near(other);
    thread = std::thread([this] { run(); });
    return MPI_SUCCESS;
  }

  // The program begins a collective.
  void enter(const char *label) {
    std::lock_guard<std::mutex> guard(lock);
    here.number++;
    for (const char *c = label; *c; c++) here.hash = (here.hash ^ uint8_t(*c)) * 1099511628211u;
    here.hash = (here.hash ^ 0xffu) * 1099511628211u;
    std::snprintf(here.label, sizeof here.label, "%s", label);
    history[size_t(here.number) % remembered] = here;
  }

  // The program waits for others, or no longer.
  void wait(bool waits) {
    std::lock_guard<std::mutex> guard(lock);
    if (waits && !here.waits) waiting_since = Clock::now(), next_note = first_note;
    here.waits = waits;
  }

  // Watches another rank, which then watches this one.
  void near(int other) {
    std::lock_guard<std::mutex> guard(lock);
    if (other != rank) peers.try_emplace(other).first->second.heard = Clock::now();
  }

  // All processes leave together; the caller has the turn.
  void finish() {
    if (!thread.joinable()) return;
    {
      std::lock_guard<std::mutex> guard(lock);
      stopped = true;
    }
    wake.notify_all();
    mpi_turn.unlock();
    thread.join();
    mpi_turn.lock();
    // No signs are sent any more; what is still under way is taken in.
    MPI_Barrier(comm);
    receive();
    for (auto &[_, peer] : peers)
      if (peer.sending != MPI_REQUEST_NULL) MPI_Wait(&peer.sending, MPI_STATUS_IGNORE);
    MPI_Comm_free(&comm);
  }

private:
  void run() {
    auto last = Clock::now();
    auto next_sign = last;
    int missed = 0;
    std::unique_lock<std::mutex> guard(lock);
    while (!wake.wait_for(guard, look, [this] { return stopped; })) {
      guard.unlock();
      const bool turn = mpi_turn.try_lock_for(look);
      guard.lock();
      const auto now = Clock::now();
      if (now - last > held) {
        missed = 0;
        for (auto &[_, peer] : peers) peer.heard = now;
      }
      last = now;
      missed = turn ? 0 : missed + 1;
      if (turn) {
        receive();
        if (now >= next_sign) {
          send();
          next_sign = now + interval;
        }
        mpi_turn.unlock();
      }
      note(now);
      const std::string problem = turn ? trouble(now) : stuck(missed);
      if (problem.empty()) continue;
      guard.unlock();
      tell(problem);
    }
  }

  void receive() {
    for (;;) {
      int there = 0;
      MPI_Status status;
      if (MPI_Iprobe(MPI_ANY_SOURCE, 0, comm, &there, &status) != MPI_SUCCESS || !there) return;
      Place place;
      if (MPI_Recv(&place, sizeof place, MPI_BYTE, status.MPI_SOURCE, 0, comm, MPI_STATUS_IGNORE) != MPI_SUCCESS) return;
      Peer &peer = peers[status.MPI_SOURCE];
      peer.heard = Clock::now();
      peer.last = place;
    }
  }

  void send() {
    for (auto &[other, peer] : peers) {
      int done = 1;
      if (peer.sending != MPI_REQUEST_NULL) MPI_Test(&peer.sending, &done, MPI_STATUS_IGNORE);
      if (!done) continue;
      peer.sent = here;
      MPI_Isend(&peer.sent, sizeof peer.sent, MPI_BYTE, other, 0, comm, &peer.sending);
    }
  }

  static std::string said(const Place &place) { return (place.waits ? "in " : "after ") + std::string(place.label); }

  // What ends the run where the program holds the turn: no sign goes out or comes in. Looks are counted, as time passes while a process
  // is stopped, too.
  std::string stuck(int missed) const {
    const double seconds = Seconds(2 * look * missed).count();
    if (seconds <= silence) return "";
    char text[32];
    std::snprintf(text, sizeof text, "%.0f s", seconds);
    return said(here) + ": a call of MPI has not returned for " + text + ". A connection to another rank is lost";
  }

  // What ends the run, or nothing.
  std::string trouble(Clock::time_point now) const {
    for (const auto &[other, peer] : peers) {
      const double seconds = Seconds(now - peer.heard).count();
      const std::string name = "rank " + std::to_string(other);
      if (seconds > silence) {
        char text[32];
        std::snprintf(text, sizeof text, "%.0f s", seconds);
        return said(here) + ": " + name + " has not answered for " + text + "; it was last heard of " + said(peer.last) +
               ". It was stopped or killed, or its connection is lost";
      }
      const Place &mine = history[size_t(peer.last.number) % remembered];
      if (mine.number != peer.last.number || mine.number == 0 || mine.hash == peer.last.hash) continue;
      const std::string number = std::to_string(mine.number);
      if (std::strcmp(mine.label, peer.last.label) != 0)
        return std::string(mine.label) + ": it is collective " + number + " of this rank, and that of " + name + " is " +
               peer.last.label + ". All ranks must run the same collectives in the same order";
      return std::string(mine.label) + ": until this collective, number " + number + ", " + name +
             " has run others than this rank. All ranks must run the same collectives in the same order";
    }
    return "";
  }

  // Says whom rank 0 waits for, when it has done so for long: computing for hours is no error.
  void note(Clock::time_point now) {
    if (rank != 0 || !here.waits) return;
    const double seconds = Seconds(now - waiting_since).count();
    if (seconds < next_note) return;
    next_note *= 2;
    std::string late;
    for (const auto &[other, peer] : peers)
      if (peer.last.number < here.number && late.size() < 400)
        late += (late.empty() ? " for rank " : ", rank ") + std::to_string(other) + " (" + said(peer.last) + ")";
    std::fprintf(stderr, "halomesh: rank 0 has waited %.0f s in %s%s\n", seconds, here.label, late.c_str());
  }

  [[noreturn]] void tell(const std::string &problem) {
    std::this_thread::sleep_for(grace * (rank < most_graces ? rank : most_graces));
    begin_end(); // the terminal may hold up the message
    std::fprintf(stderr, "halomesh: rank %d: %s\n", rank, problem.c_str());
    std::fflush(stderr);
    end_all(1);
    std::abort();
  }

  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0, size = 1;
  double silence = 0;
  std::thread thread;
  std::condition_variable wake;
  // Guards all below; whoever wants the turn too takes that first.
  std::mutex lock;
  bool stopped = false;
  Place here;
  Clock::time_point waiting_since;
  double next_note = first_note;
  std::vector<Place> history = std::vector<Place>(remembered);
  std::map<int, Peer> peers;
};

} // namespace pulse
