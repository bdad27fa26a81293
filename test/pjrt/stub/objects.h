// What the plug-in makes: errors, events, devices with a thread each, arrays that may still be computed. They are counted.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "arrays.h"

struct Error {
  int code;
  std::string message;
};

inline std::atomic<long> live_errors, live_events, live_clients, live_buffers, live_executables;

/** Something that is done later, with what went wrong. */
struct State {
  std::mutex lock;
  std::condition_variable change;
  bool ready = false;
  int code = 0;
  std::string message;
  void finish(int new_code = 0, const std::string& text = "") {
    std::lock_guard<std::mutex> held(lock);
    code = new_code;
    message = text;
    ready = true;
    change.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> held(lock);
    change.wait(held, [this] { return ready; });
  }
  void raise() {
    wait();
    if (code != 0) throw Failure(code, message);
  }
};
using StatePtr = std::shared_ptr<State>;

struct Event {
  StatePtr state;
};

/** An array that may still be computed. */
struct Content {
  Type type;
  ArrayPtr array;
  StatePtr state = std::make_shared<State>();
};
using ContentPtr = std::shared_ptr<Content>;

struct Device {
  int id;
  std::thread thread;
  std::mutex lock;
  std::condition_variable change;
  std::deque<std::function<void()>> work;
  bool closing = false;
  void ask(std::function<void()> one) {
    std::lock_guard<std::mutex> held(lock);
    work.push_back(std::move(one));
    change.notify_all();
  }
  void loop() {
    for (;;) {
      std::function<void()> one;
      {
        std::unique_lock<std::mutex> held(lock);
        change.wait(held, [this] { return closing || !work.empty(); });
        if (work.empty()) return;
        one = std::move(work.front());
        work.pop_front();
      }
      one();
    }
  }
};

struct Buffer {
  Device* device;
  ContentPtr content;
  bool donated = false;
};

struct Executable {
  std::shared_ptr<Program> program;
  Device* device;
};

struct Client {
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<Device*> list;
};

inline Error* fail(int code, const std::string& message) {
  live_errors++;
  return new Error{code, message};
}

inline Event* event_of(const StatePtr& state) {
  live_events++;
  return new Event{state};
}

inline Buffer* buffer_of(Device* device, const ContentPtr& content) {
  live_buffers++;
  return new Buffer{device, content};
}

/** Does something, and finishes a state with how it went. */
inline void attempt(const StatePtr& state, const std::function<void()>& work) {
  try {
    work();
    state->finish();
  } catch (const Failure& failure) {
    state->finish(failure.code, failure.what());
  }
}
