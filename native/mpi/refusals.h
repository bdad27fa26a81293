#pragma once
// How the entries of the shim fail: with a text, and never by ending the process.
#include <cstdint>
#include <exception>
#include <mpi.h>
#include <string>

namespace {

std::string error_text;

int fail(const std::string &text) {
  error_text = text;
  return 1;
}

int check(const char *what, int code) {
  if (code == MPI_SUCCESS) return 0;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return fail(std::string(what) + ": " + std::string(text, size_t(length)));
}

// Runs the body of an entry; what it throws becomes its error.
template <class Body> int entry(const char *name, Body body) {
  try {
    return body();
  } catch (const std::exception &problem) {
    return fail(std::string(name) + ": " + problem.what());
  } catch (...) {
    return fail(std::string(name) + ": an unknown exception");
  }
}

int refuse(const char *name, const char *what, int64_t value) {
  return fail(std::string(name) + ": " + what + " " + std::to_string(value));
}

// `bytes` bytes at an address, which do not wrap around.
int need_bytes(const char *name, const void *at, int64_t bytes) {
  if (bytes < 0) return refuse(name, "a number of bytes of", bytes);
  if (bytes > 0 && at == nullptr) return fail(std::string(name) + ": no memory");
  if (uint64_t(bytes) > UINT64_MAX - uint64_t(reinterpret_cast<uintptr_t>(at)))
    return refuse(name, "memory that wraps around, of", bytes);
  return 0;
}

} // namespace
