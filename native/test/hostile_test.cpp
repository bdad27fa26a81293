// Numbers that no memory can have, at every entry that takes sizes, starts, strides, counts or boxes: each is refused with a text,
// and nothing is touched. Beside them the spill file, the peaks and the look at messages.
//   g++ -std=c++17 -O2 -pthread native/test/hostile_test.cpp native/*.cpp -o hostile_test && ./hostile_test
#include "tensor.h"
#include <atomic>
#include <climits>

using namespace test;

namespace {

const int64_t absurd[] = {INT64_MIN, INT64_MIN + 1, -1, INT64_MAX, INT64_MAX - 1, int64_t(1) << 62, (int64_t(1) << 62) + 7};
float numbers[4096];

// A row of 8 numbers along w, plain.
hm_view row() {
  hm_view v{};
  v.data = numbers, v.dtype = HM_F32, v.block = 1;
  for (int i = 0; i < 5; i++) v.size[i] = v.global[i] = v.stride[i] = 1;
  v.size[3] = v.global[3] = 8;
  return v;
}

// Loads `from` and, in an epilogue, stores to `to`.
struct Program {
  hm_operand operand{};
  hm_instr instr{};
  hm_program p{};
  Program(const hm_view &view, bool store) {
    operand.view = view;
    for (int &present : operand.present) present = 1;
    instr.op = store ? HM_STORE : HM_LOAD;
    p.n_instr = p.n_operands = p.n_registers = 1;
    p.input = store ? 0 : -1, p.result = store ? -1 : 0;
  }
  const hm_program &get() {
    p.instr = &instr, p.operands = &operand;
    for (int i = 0; i < 5; i++) p.global[i] = operand.view.global[i];
    return p;
  }
};

void refused(int rc, const char *entry) {
  const char *text = hm_error();
  check(rc == 1 && std::strstr(text, entry), std::string(entry) + ": expected to be refused, got " + std::to_string(rc) + ", " + text);
}

// Calls `entry` with each absurd number in each field of a view that counts.
template <class F> void spoil(const char *entry, bool memory, F call) {
  for (int64_t number : absurd)
    for (int field = 0; field < (memory ? 4 : 3); field++) {
      hm_view v = row();
      if (field == 2 && number < 0) continue; // of a global extent alone: below
      (field == 0 ? v.start : field == 1 ? v.size : field == 2 ? v.global : v.stride)[3] = number;
      if (field == 3 && number == -1) continue; // backwards is a way to lie in memory
      refused(call(v), entry);
    }
}

void test_copies() {
  const int64_t zero[5] = {}, size[5] = {1, 1, 1, 8, 1};
  const int32_t same[5] = {0, 1, 2, 3, 4};
  spoil("hm_fill", true, [&](hm_view v) { return hm_fill(&v, zero, size, 1); });
  spoil("hm_copy", true, [&](hm_view v) { hm_view w = row(); return hm_copy(&v, &w, zero, size, same, zero); });
  spoil("hm_copy", true, [&](hm_view v) { hm_view w = row(); return hm_copy(&w, &v, zero, size, same, zero); });
  spoil("hm_reshape", true, [&](hm_view v) { hm_view w = row(); return hm_reshape(&v, &w); });
  spoil("hm_reshape", true, [&](hm_view v) { hm_view w = row(); return hm_reshape(&w, &v); });
  for (int64_t number : absurd) {
    hm_view v = row(), w = row();
    int64_t start[5] = {0, 0, 0, number, 0}, sizes[5] = {1, 1, 1, number, 1}, one[5] = {0, 0, 0, 1, 0};
    refused(hm_fill(&v, start, size, 1), "hm_fill");
    refused(hm_fill(&v, one, sizes, 1), "hm_fill");
    refused(hm_copy(&v, &w, start, size, same, zero), "hm_copy");
    refused(hm_copy(&v, &w, one, sizes, same, zero), "hm_copy");
    refused(hm_copy(&v, &w, zero, size, same, start), "hm_copy");
  }
  hm_view none = row(); // global extents of zero: nothing to divide by
  none.global[0] = 0;
  refused(hm_reshape(&none, &none), "hm_reshape");
}

void test_memory() {
  for (int64_t number : {INT64_MAX, INT64_MAX - (1 << 22), int64_t(1) << 62, int64_t(0), int64_t(-1), INT64_MIN}) {
    check(hm_alloc(number) == nullptr && std::strstr(hm_error(), "hm_alloc"), "hm_alloc of an absurd size");
    refused(hm_free(numbers, number), "hm_free");
    if (number != 0) refused(hm_memcpy(numbers, numbers + 8, number), "hm_memcpy");
  }
  for (int32_t n : {-1, INT32_MIN, INT32_MAX, 1025}) refused(hm_set_threads(n), "hm_set_threads");
}

void test_rows() {
  spoil("hm_rows", false, [&](hm_view v) { Program p(row(), false); return hm_rows(&p.get(), &v); });
  spoil("hm_rows", true, [&](hm_view v) { Program p(v, false); hm_view w = row(); return hm_rows(&p.get(), &w); });
  Program p(row(), false);
  hm_view w = row();
  for (int32_t n : {-1, INT32_MAX}) {
    hm_program q = p.get();
    q.n_instr = n;
    refused(hm_rows(&q, &w), "hm_rows");
    q = p.get(), q.n_operands = n;
    refused(hm_rows(&q, &w), "hm_rows");
    q = p.get(), q.n_registers = n;
    refused(hm_rows(&q, &w), "hm_rows");
  }
  p.instr.op = HM_UNIFORM, p.instr.operand = -1;
  hm_program draws = p.get();
  for (int64_t &extent : draws.global) extent = int64_t(1) << 40;
  refused(hm_rows(&draws, &w), "hm_rows");
}

hm_window plain_window() {
  hm_window w{};
  for (int a = 0; a < 3; a++) w.kernel[a] = w.stride[a] = w.dilation[a] = 1;
  return w;
}

// All entries with a window, a source and an output box.
void test_windows() {
  hm_view weight = row();
  weight.size[3] = weight.global[3] = 1;
  const int64_t cell[3] = {1, 1, 1}, ready[3] = {INT64_MAX, INT64_MIN, -1};
  auto all = [&](const hm_window &window, const hm_view &in, const hm_view &out, const hm_view &kernel, int32_t sources) {
    Program load(row(), false), store(row(), true);
    hm_source x{load.get(), in};
    hm_view o = out, k = kernel;
    void *begun = nullptr;
    const hm_program *epilogue = &store.get();
    refused(hm_conv(&window, &x, sources, &k, &o, epilogue, 0), "hm_conv");
    refused(hm_conv_transpose(&window, &x, sources, &k, &o, epilogue, 0), "hm_conv_transpose");
    refused(hm_conv_begin(0, &window, &x, sources, &k, &o, epilogue, 0, ready, ready, &begun), "hm_conv_begin");
    check(begun == nullptr, "hm_conv_begin leaves nothing begun");
    if (&out != &in) return;
  };
  auto pools = [&](const hm_window &window, const hm_view &in, const hm_view &out) {
    Program load(row(), false), store(row(), true);
    hm_source x{load.get(), in};
    hm_view o = out;
    const hm_program *epilogue = &store.get();
    refused(hm_pool(0, &window, &x, &o, epilogue), "hm_pool");
    refused(hm_pool(1, &window, &x, &o, epilogue), "hm_pool");
    refused(hm_max_pool_grad(&window, &x, &x, &o, epilogue), "hm_max_pool_grad");
    refused(hm_avg_pool_grad(1, &window, o.global, &x, &o, epilogue), "hm_avg_pool_grad");
    hm_view k = weight;
    refused(hm_conv_weight_grad(&window, &x, 1, &x, &o, cell, &k, 0), "hm_conv_weight_grad");
  };
  for (int64_t number : absurd) {
    for (int field = 0; field < 4; field++) {
      hm_window window = plain_window();
      (field == 0 ? window.kernel : field == 1 ? window.stride : field == 2 ? window.dilation : window.pad)[2] = number;
      if (field == 3 && number == -1) continue; // a pad of -1 reads one further on
      all(window, row(), row(), weight, 1);
      pools(window, row(), row());
    }
    for (int field = 0; field < 3; field++) {
      hm_view v = row();
      (field == 0 ? v.start : field == 1 ? v.size : v.global)[3] = number;
      all(plain_window(), v, row(), weight, 1);
      all(plain_window(), row(), v, weight, 1);
      pools(plain_window(), v, row());
      pools(plain_window(), row(), v);
      Program load(row(), false), store(row(), true);
      hm_source x{load.get(), row()}, bad{load.get(), v};
      hm_view out = row();
      for (int kind = 0; kind < 2; kind++) {
        refused(hm_resize(kind, &x, &v, &store.get()), "hm_resize");
        refused(hm_resize(kind, &bad, &out, &store.get()), "hm_resize");
        refused(hm_resize_grad(kind, &x, &v, &store.get()), "hm_resize_grad");
        refused(hm_resize_grad(kind, &bad, &out, &store.get()), "hm_resize_grad");
      }
      hm_view w = weight;
      (field == 0 ? w.start : field == 1 ? w.size : w.global)[0] = number;
      all(plain_window(), row(), row(), w, 1);
    }
  }
  all(plain_window(), row(), row(), weight, INT32_MAX);
  all(plain_window(), row(), row(), weight, -1);
  hm_window wide = plain_window();
  for (int a = 0; a < 3; a++) wide.kernel[a] = 4096;
  all(wide, row(), row(), weight, 1);
  pools(wide, row(), row());
  void *nothing = nullptr;
  refused(hm_conv_end(&nothing), "hm_conv_end");
}

void test_sums() {
  const int32_t present[5] = {1, 1, 1, 0, 1};
  hm_view one = row();
  one.size[3] = one.global[3] = 1;
  for (int kind = 0; kind < 3; kind++) {
    spoil("hm_reduce", true, [&](hm_view v) { hm_view w = row(), o = one; return hm_reduce(kind, &v, &w, &o, present); });
    spoil("hm_reduce", false, [&](hm_view v) { hm_view w = row(), o = one; return hm_reduce(kind, &w, &v, &o, present); });
  }
  hm_einsum_operand plain{};
  plain.data = numbers, plain.blocked_loop = -1, plain.block = 1, plain.stride[0] = plain.stride[1] = 1;
  for (int64_t number : absurd) {
    const int64_t extents[2] = {number, 2}, small[2] = {2, 3};
    refused(hm_einsum(2, extents, 1, &plain, 1, &plain), "hm_einsum");
    hm_einsum_operand bad = plain;
    bad.stride[0] = number;
    if (number != -1) refused(hm_einsum(2, small, 1, &bad, 1, &plain), "hm_einsum");
    if (number != -1) refused(hm_einsum(2, small, 1, &plain, 1, &bad), "hm_einsum");
    bad = plain, bad.blocked_loop = 0, bad.block_stride = number;
    if (number != -1) refused(hm_einsum(2, small, 1, &bad, 1, &plain), "hm_einsum");
  }
  const int64_t many[4] = {int64_t(1) << 40, int64_t(1) << 40, int64_t(1) << 40, int64_t(1) << 40};
  refused(hm_einsum(4, many, 2, &plain, 1, &plain), "hm_einsum");
  for (int32_t n : {-1, 11, INT32_MAX}) refused(hm_einsum(n, many, 0, &plain, 1, &plain), "hm_einsum");
}

void test_classes() {
  hm_view labels = row(), sum = row();
  sum.size[3] = sum.global[3] = 1;
  auto all = [&](const hm_view &source, const hm_view &box, const hm_view &label) {
    Program load(row(), false), store(row(), true);
    hm_source x{load.get(), source};
    const hm_program *e = &store.get();
    refused(hm_softmax(&x, &box, e), "hm_softmax");
    refused(hm_cross_entropy(&x, &label, nullptr, &box, &sum, 0), "hm_cross_entropy");
    refused(hm_cross_entropy_grad(&x, &label, nullptr, &sum, 0, &box, e), "hm_cross_entropy_grad");
    refused(hm_class_sums(&x, &label, 0, &box, &sum, &sum, &sum), "hm_class_sums");
    refused(hm_class_sums_grad(&x, &label, 0, &sum, &sum, &box, e), "hm_class_sums_grad");
    hm_view bytes = row();
    bytes.dtype = HM_U8;
    refused(hm_argmax(&x, &box, &bytes), "hm_argmax");
  };
  for (int64_t number : absurd)
    for (int field = 0; field < 3; field++)
      for (int dim = 3; dim < 5; dim++) {
        hm_view v = row();
        (field == 0 ? v.start : field == 1 ? v.size : v.global)[dim] = number;
        all(v, row(), labels);
        if (dim == 3) all(row(), v, labels);
      }
  hm_view empty = row(), box = row();
  empty.size[4] = 0, empty.data = nullptr; // labels that hold nothing
  Program load(row(), false);
  hm_source x{load.get(), row()};
  refused(hm_cross_entropy(&x, &empty, nullptr, &box, &sum, 0), "hm_cross_entropy");
  for (int32_t cls : {-1, 1, INT32_MAX}) refused(hm_class_sums(&x, &labels, cls, &box, &sum, &sum, &sum), "hm_class_sums");
}

void test_spill() {
  for (int64_t bytes : {int64_t(0), int64_t(-1), INT64_MAX})
    check(!hm_spill_open(".", bytes) && std::strstr(hm_error(), "hm_spill_open"), "a spill file of an absurd size");
  check(!hm_spill_open("/no/such/folder", 4096) && std::strstr(hm_error(), "/no/such/folder"), hm_error());
  refused(hm_spill_wait(nullptr, 1, 0), "hm_spill_wait");
  check(hm_spill_write(nullptr, numbers, 1, 0) == 0, "no spill file");
  const int64_t bytes = 3 << 20;
  void *spill = hm_spill_open(".", bytes);
  if (!spill) return check(std::strstr(hm_error(), "lies in memory") != nullptr, hm_error());
  char *a = static_cast<char *>(hm_alloc(bytes)), *b = static_cast<char *>(hm_alloc(bytes));
  for (int64_t i = 0; i < bytes; i++) a[i] = char(i * 7 + i / 4096);
  // Whole pages, then a piece that begins and ends within them.
  check(hm_spill_wait(spill, hm_spill_write(spill, a, bytes, 0), 60000) == 0, hm_error());
  check(hm_spill_wait(spill, hm_spill_read(spill, b, bytes, 0), 60000) == 0 && !std::memcmp(a, b, size_t(bytes)), "spill file: whole");
  check(hm_spill_wait(spill, hm_spill_write(spill, a, 5000, 4097), 60000) == 0, hm_error());
  check(hm_spill_wait(spill, hm_spill_read(spill, b + 1, 5000, 4097), 60000) == 0 && !std::memcmp(a, b + 1, 5000), "spill file: a piece");
  for (int64_t number : absurd) {
    check(hm_spill_read(spill, b, 8, number) == 0 && std::strstr(hm_error(), "hm_spill_read"), "spill file: an absurd offset");
    check(hm_spill_write(spill, b, number, 0) == 0 && std::strstr(hm_error(), "hm_spill_write"), "spill file: absurd bytes");
    refused(hm_spill_wait(spill, number, 0), "hm_spill_wait");
  }
  check(hm_spill_write(spill, a, 8, bytes - 7) == 0, "spill file: one byte beyond the end");
  check(hm_spill_write(spill, nullptr, 8, 0) == 0, "spill file: no memory");
  check(hm_spill_close(spill) == 0 && hm_spill_close(nullptr) == 0, "spill file: closed");
  hm_free(a, bytes), hm_free(b, bytes);
}

void test_peaks() {
  double speed = 0;
  check(hm_peak_flops(0, &speed) == 0 && speed > 1e6, "hm_peak_flops");
  for (int kind = 0; kind < 3; kind++) check(hm_peak_memory(kind, 1 << 22, 0, &speed) == 0 && speed > 1e3, "hm_peak_memory");
  for (double seconds : {-1.0, double(NAN), double(INFINITY)}) {
    refused(hm_peak_flops(seconds, &speed), "hm_peak_flops");
    refused(hm_peak_memory(0, 1 << 22, seconds, &speed), "hm_peak_memory");
  }
  for (int64_t number : absurd) check(hm_peak_memory(2, number, 0, &speed) == 1, "hm_peak_memory of absurd bytes");
  check(hm_peak_rss() > 0, "hm_peak_rss");
}

std::atomic<int> looks{0};

void test_poll() {
  std::vector<char> from(64 << 20, 1), to(64 << 20);
  hm_set_poll([] { looks++; });
  for (int i = 0; i < 50 && looks == 0; i++) hm_memcpy(to.data(), from.data(), int64_t(to.size()));
  hm_set_poll(nullptr);
  check(looks > 0, "messages are looked at while a kernel runs");
  const int before = looks;
  hm_memcpy(to.data(), from.data(), int64_t(to.size()));
  check(looks == before, "no looks without a poll");
}

} // namespace

int main() {
  hm_set_threads(2);
  test_memory(), test_copies(), test_rows(), test_windows(), test_sums(), test_classes(), test_spill(), test_peaks(), test_poll();
  return report("hostile numbers");
}
