// Memory that runs out once. Loaded beside the kernels into a process that tests them (test/e2e/failing-memory.ts), it takes the place
// of what they ask for memory (operator new, aligned_alloc, mmap): of the requests that are counted one gets none.
//
// Only the kernels' own table of addresses is changed, so nothing else in the process is touched. Linux, ELF, 64 bits.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr int64_t most_requests = 1 << 20;
std::atomic<int64_t> requests{0}, fail_at{0};
std::atomic<bool> counting{false};
// Where in the code each request was made.
std::atomic<uintptr_t> places[most_requests];

bool none_left(void *place) {
  if (!counting) return false;
  const int64_t number = requests.fetch_add(1) + 1;
  if (number < most_requests) places[number] = uintptr_t(place);
  return number == fail_at.load();
}

void *failing_new(size_t bytes) {
  if (none_left(__builtin_return_address(0))) throw std::bad_alloc();
  return ::operator new(bytes);
}

void *failing_new_nothrow(size_t bytes, const std::nothrow_t &tag) noexcept {
  return none_left(__builtin_return_address(0)) ? nullptr : ::operator new(bytes, tag);
}

void *failing_new_aligned(size_t bytes, std::align_val_t alignment) {
  if (none_left(__builtin_return_address(0))) throw std::bad_alloc();
  return ::operator new(bytes, alignment);
}

void *failing_aligned_alloc(size_t alignment, size_t bytes) { return none_left(__builtin_return_address(0)) ? nullptr : std::aligned_alloc(alignment, bytes); }

void *failing_mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset) {
  return none_left(__builtin_return_address(0)) ? MAP_FAILED : mmap(at, bytes, protection, flags, file, offset);
}

struct Replacement {
  const char *symbol;
  void *function;
};

const Replacement replacements[] = {
    {"_Znwm", (void *)failing_new},
    {"_ZnwmRKSt9nothrow_t", (void *)failing_new_nothrow},
    {"_ZnwmSt11align_val_t", (void *)failing_new_aligned},
    {"aligned_alloc", (void *)failing_aligned_alloc},
    {"mmap", (void *)failing_mmap},
};

bool write_slot(void **slot, void *value) {
  const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE)), start = uintptr_t(slot) & ~(page - 1);
  if (mprotect((void *)start, page, PROT_READ | PROT_WRITE)) return false;
  *slot = value;
  return true;
}

// Puts the functions above into the slots of a library's table; how many.
int replace_in(const dl_phdr_info &library) {
  const ElfW(Sym) *symbols = nullptr;
  const char *names = nullptr;
  const ElfW(Rela) *tables[2] = {};
  size_t bytes[2] = {};
  for (int i = 0; i < library.dlpi_phnum; i++) {
    if (library.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    for (auto *entry = (const ElfW(Dyn) *)(library.dlpi_addr + library.dlpi_phdr[i].p_vaddr); entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRTAB) names = (const char *)entry->d_un.d_ptr;
      if (entry->d_tag == DT_JMPREL) tables[0] = (const ElfW(Rela) *)entry->d_un.d_ptr;
      if (entry->d_tag == DT_PLTRELSZ) bytes[0] = entry->d_un.d_val;
      if (entry->d_tag == DT_RELA) tables[1] = (const ElfW(Rela) *)entry->d_un.d_ptr;
      if (entry->d_tag == DT_RELASZ) bytes[1] = entry->d_un.d_val;
    }
  }
  if (!symbols || !names) return 0;
  int replaced = 0;
  for (int t = 0; t < 2; t++)
    for (size_t i = 0; tables[t] && i < bytes[t] / sizeof(ElfW(Rela)); i++) {
      const ElfW(Rela) &relocation = tables[t][i];
      const char *name = names + symbols[ELF64_R_SYM(relocation.r_info)].st_name;
      for (const Replacement &one : replacements)
        if (!std::strcmp(name, one.symbol)) replaced += write_slot((void **)(library.dlpi_addr + relocation.r_offset), one.function);
    }
  return replaced;
}

} // namespace

extern "C" {

// Watches the library whose path ends in `name`; how many functions it asks for memory, 0 where there is no such library.
int failing_memory_watch(const char *name) {
  struct Wanted {
    const char *name;
    int replaced;
  } wanted{name, 0};
  dl_iterate_phdr(
      [](dl_phdr_info *library, size_t, void *data) {
        auto &wanted = *(Wanted *)data;
        const size_t length = std::strlen(library->dlpi_name), own = std::strlen(wanted.name);
        if (length >= own && !std::strcmp(library->dlpi_name + length - own, wanted.name)) wanted.replaced += replace_in(*library);
        return 0;
      },
      &wanted);
  return wanted.replaced;
}

// Counts from now on; the request number `at`, from 1, gets no memory, none where it is 0.
void failing_memory_at(int64_t at) {
  fail_at = at;
  requests = 0;
  counting = true;
}

// Counts no more, and lets all succeed.
void failing_memory_stop(void) { counting = false; }

// Requests that were counted last.
int64_t failing_memory_requests(void) { return requests.load(); }

// The address in the code of the request number `at`; 0 where there was none.
int64_t failing_memory_place(int64_t at) { return at > 0 && at < most_requests && at <= requests ? int64_t(places[at].load()) : 0; }
}
