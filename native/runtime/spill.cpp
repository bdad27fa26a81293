// A file for tensors that make room for others. One thread moves bytes in the order of the requests, past the system's cache
// where the file system allows it, so that what is spilled takes no memory.
#include "runtime/view.h"
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace hm {
namespace {

constexpr int64_t piece = 16 << 20, page = 4096;

struct Request {
  bool write;
  char *at;
  int64_t bytes, offset;
};

class SpillFile {
public:
  SpillFile(int plain, int direct, int64_t bytes)
      : bytes_(bytes), plain_(plain), direct_(direct), worker_([this] { work(); }) {}

  int64_t bytes() const { return bytes_; }

  ~SpillFile() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    worker_.join();
    if (direct_ >= 0) close(direct_);
    close(plain_);
  }

  int64_t ask(const Request &request) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(request);
    changed_.notify_all();
    return ++asked_;
  }

  // 0: done, 1: failed, 2: not yet.
  int wait(int64_t ticket, int milliseconds) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (ticket < 1 || ticket > asked_)
      return fail("hm_spill_wait: ticket %lld of %lld", (long long)ticket, (long long)asked_);
    changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return done_ >= ticket || !error_.empty(); });
    if (!error_.empty()) return fail("%s", error_.c_str());
    return done_ >= ticket ? 0 : 2;
  }

private:
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      Request request = queue_.front();
      queue_.pop_front();
      bool broken = !error_.empty();
      lock.unlock();
      std::string problem = broken ? "" : moved(request);
      lock.lock();
      if (!problem.empty()) error_ = std::move(problem);
      done_++;
      changed_.notify_all();
    }
  }

  // As move(); nothing that it throws leaves the thread.
  std::string moved(const Request &request) {
    try {
      return move(request);
    } catch (...) {
      return "spill: no memory"; // short enough to need none
    }
  }

  std::string move(Request r) {
    // Direct requests must lie on pages in memory and in the file.
    bool aligned = direct_ >= 0 && (int64_t(r.at) | r.offset | r.bytes) % page == 0;
    while (r.bytes > 0) {
      size_t n = size_t(r.bytes < piece ? r.bytes : piece);
      int file = aligned ? direct_ : plain_;
      ssize_t moved = r.write ? pwrite(file, r.at, n, r.offset) : pread(file, r.at, n, r.offset);
      if (moved < 0 && errno == EINTR) continue;
      if (moved < 0 && errno == EINVAL && aligned) { // the file system asks for more: go through its cache
        aligned = false;
        continue;
      }
      if (moved < 0)
        return std::string("spill file: cannot ") + (r.write ? "write" : "read") + ": " + std::strerror(errno);
      if (moved == 0) return std::string("spill file: ended at byte ") + std::to_string(r.offset);
      r.at += moved, r.offset += moved, r.bytes -= moved;
      if (aligned && moved % page) aligned = false;
    }
    return "";
  }

  const int64_t bytes_;
  int plain_, direct_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> queue_;
  std::string error_;
  int64_t asked_ = 0, done_ = 0;
  bool closing_ = false;
  std::thread worker_;
};

SpillFile *file_of(void *spill, const char *who) {
  if (!spill) fail("%s: the spill file is null", who);
  return static_cast<SpillFile *>(spill);
}

int check_move(const char *who, const void *at, int64_t bytes, int64_t offset, int64_t all) {
  if (!at && bytes > 0) return fail("%s: the memory is null", who);
  if (bytes < 0 || offset < 0 || bytes > all || offset > all - bytes)
    return fail("%s: %lld bytes at offset %lld of a spill file of %lld", who, (long long)bytes, (long long)offset, (long long)all);
  return 0;
}

int64_t ask(void *spill, const char *who, bool write, char *at, int64_t bytes, int64_t offset) {
  SpillFile *s = file_of(spill, who);
  if (!s || check_move(who, at, bytes, offset, s->bytes())) return 0;
  int64_t ticket = 0;
  guarded(who, [&] { return ticket = s->ask({write, at, bytes, offset}), 0; });
  return ticket;
}

// A file that lies in memory would free none.
bool in_memory(int file) {
#if defined(__linux__)
  struct statfs facts;
  if (!fstatfs(file, &facts)) return facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC;
#endif
  (void)file;
  return false;
}

// Space is taken now, so that a full disk is an error before anything runs.
int take_space(int file, int64_t bytes) {
#if defined(__linux__)
  if (!fallocate(file, 0, 0, bytes)) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
#endif
  return ftruncate(file, bytes) ? errno : 0;
}

} // namespace
} // namespace hm

using namespace hm;

static void *open_spill(const char *folder, int64_t bytes) {
  if (!folder || bytes <= 0 || bytes > most_bytes) {
    fail("hm_spill_open: expected a folder and 1 to %lld bytes, got %lld", (long long)most_bytes, (long long)bytes);
    return nullptr;
  }
  std::string name = std::string(folder) + "/halomesh-spill-XXXXXX";
  int plain = mkstemp(&name[0]);
  if (plain < 0) {
    fail("spill folder %s: cannot make a file: %s", folder, std::strerror(errno));
    return nullptr;
  }
  if (in_memory(plain)) {
    unlink(name.c_str());
    close(plain);
    fail("spill folder %s lies in memory; name one on a disk, with --spill-dir", folder);
    return nullptr;
  }
  int direct = -1;
#if defined(O_DIRECT)
  direct = open(name.c_str(), O_RDWR | O_DIRECT);
#elif defined(F_NOCACHE)
  fcntl(plain, F_NOCACHE, 1);
#endif
  unlink(name.c_str()); // gone with the process, however it ends
  if (int error = take_space(plain, bytes)) {
    fail("spill folder %s: cannot take %lld bytes: %s", folder, (long long)bytes, std::strerror(error));
    if (direct >= 0) close(direct);
    close(plain);
    return nullptr;
  }
  try {
    return new SpillFile(plain, direct, bytes);
  } catch (...) { // no memory, or no thread
    if (direct >= 0) close(direct);
    close(plain);
    throw;
  }
}

void *hm_spill_open(const char *folder, int64_t bytes) {
  void *spill = nullptr;
  guarded("hm_spill_open", [&] { return spill = open_spill(folder, bytes), 0; });
  return spill;
}

int64_t hm_spill_write(void *spill, const void *from, int64_t bytes, int64_t offset) {
  return ask(spill, "hm_spill_write", true, static_cast<char *>(const_cast<void *>(from)), bytes, offset);
}

int64_t hm_spill_read(void *spill, void *to, int64_t bytes, int64_t offset) {
  return ask(spill, "hm_spill_read", false, static_cast<char *>(to), bytes, offset);
}

int hm_spill_wait(void *spill, int64_t ticket, int32_t milliseconds) {
  SpillFile *s = file_of(spill, "hm_spill_wait");
  return s ? guarded("hm_spill_wait", [&] { return s->wait(ticket, milliseconds); }) : 1;
}

int hm_spill_close(void *spill) {
  delete static_cast<SpillFile *>(spill);
  return 0;
}
