// Speed of the convolution kernels, next to the fused multiply-add peak measured in the same run.
//
//   g++ -std=c++17 -O3 -march=native -fno-math-errno -ffp-contract=fast -pthread native/*.cpp native/test/conv_bench.cpp -o conv_bench
//   ./conv_bench [threads] [seconds per layer] [only layers whose name contains this] [direct | winograd | auto | both]
//
// Inputs pass scale, shift and leaky ReLU on load; outputs are stored and their sum and sum of squares taken, as in training.
#include "conv/conv_vec.h"
#include "runtime/threads.h"
#include "tensors.h"
#include <chrono>
#include <ctime>

using namespace test;

namespace {

// Seconds; with one thread those that it really ran, so that a busy machine matters less.
double now() {
  if (hm::thread_count() == 1) {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double layer_seconds = 0.4;

// Best time of a call, over at least three calls.
template <class F> double best_time(F call) {
  double best = 1e9, until = now() + layer_seconds;
  for (int i = 0; i < 3 || now() < until; i++) {
    double start = now();
    call();
    best = std::min(best, now() - start);
  }
  return best;
}

// GFLOP/s of independent multiply-adds in registers, all threads.
double peak() {
  using namespace hm::conv;
  constexpr int sums = 12, rounds = 100000;
  std::vector<float> keep(size_t(hm::thread_count()) * 16);
  auto body = [&](int64_t i, int) {
    reg sum[sums];
    reg x = reg{} + 0.5f, y = reg{} + float(i);
    HM_UNROLL for (int s = 0; s < sums; s++) sum[s] = reg{} + float(s);
    for (int r = 0; r < rounds; r++) {
      HM_UNROLL for (int s = 0; s < sums; s++) sum[s] = sum[s] * x + y;
    }
    HM_UNROLL for (int s = 1; s < sums; s++) sum[0] += sum[s];
    store(&keep[size_t(i) * 16], sum[0]);
  };
  double saved = layer_seconds;
  layer_seconds = 0.03;
  double time = best_time([&] { hm::parallel_for(hm::thread_count(), body); });
  layer_seconds = saved;
  volatile float sink = keep[0];
  (void)sink;
  return 2.0 * lanes * sums * rounds * hm::thread_count() / time / 1e9;
}

struct Layer {
  const char *name;
  int64_t in, out, size[3]; // channels; extents of the volume that the layer is named by
  int64_t kernel[3], stride;
  int dtype;
};

Tensor tensor(const int64_t size[3], int64_t channels, int dtype) {
  int64_t global[5] = {1, size[0], size[1], size[2], channels};
  Box box{{0, 0, 0, 0, 0}, {1, size[0], size[1], size[2], channels}};
  Tensor t(global, box, int32_t(std::min<int64_t>(16, channels)), dtype);
  Random random;
  if (dtype == HM_BF16)
    for (size_t i = 0; i < t.memory.size() / 2; i++) ((bf16 *)t.memory.data())[i] = hm::to_bf16(random.value());
  else
    for (size_t i = 0; i < t.memory.size() / 4; i++) ((float *)t.memory.data())[i] = random.value();
  return t;
}

// Load, scale, shift, leaky ReLU.
struct Prologue {
  Tensor scale, shift;
  Program program;
  Prologue(const Tensor &x, bool plain)
      : scale(channel_vector(0, x.view.size[4], x.view.size[4], HM_F32)), shift(scale) {
    Random random;
    scale.fill(random), shift.fill(random);
    program.result = program.load(x.view);
    if (plain) return;
    int a = program.load(scale.view, false), b = program.load(shift.view, false);
    program.result = program.emit(HM_LEAKY, program.emit(HM_FMA, program.result, a, b), 0, 0, 0.01);
  }
};

enum Pass { forward, input_grad, weight_grad, transposed };

void run(const Layer &l, Pass pass, int algorithm) {
  hm_window window{};
  int64_t small[3], taps = 1; // extents of the written side of the convolution
  for (int a = 0; a < 3; a++) {
    window.kernel[a] = l.kernel[a], window.stride[a] = l.stride, window.dilation[a] = 1;
    window.pad[a] = l.stride > 1 && l.kernel[a] % 2 == 0 ? 0 : (l.kernel[a] - 1) / 2;
    small[a] = (l.size[a] + l.stride - 1) / l.stride;
    taps *= l.kernel[a];
  }
  bool up = pass == transposed;
  Tensor x = tensor(up ? small : l.size, l.in, l.dtype), y = tensor(up ? l.size : small, l.out, l.dtype);
  int64_t wg[5] = {l.in, l.kernel[0], l.kernel[1], l.kernel[2], l.out};
  Box wb{{0, 0, 0, 0, 0}, {wg[0], wg[1], wg[2], wg[3], wg[4]}};
  Tensor w(wg, wb, 1, HM_F32);
  Random random;
  w.fill(random);
  Prologue load_x(x, l.in < 16), load_y(y, true);
  hm_source from_x = source(load_x.program, x), from_y = source(load_y.program, y);
  Tensor sum = channel_vector(0, l.out, l.out, HM_F64), squares = sum;
  Program store_y, store_x = store_program(x);
  int value = store_y.take_input();
  store_y.store(value, y.view);
  store_y.sum(value, sum.view);
  store_y.sum(store_y.emit(HM_SQUARE, value), squares.view);
  hm_program epilogue_y = store_y.get(), epilogue_x = store_x.get();
  hm_view wt = w.view; // input and output channels exchanged
  for (auto field : {&hm_view::start, &hm_view::size, &hm_view::global, &hm_view::stride}) std::swap((wt.*field)[HM_N], (wt.*field)[HM_C]);
  const bool plane = l.kernel[0] == 1 && l.kernel[1] == 3;
  const int64_t cell[3] = {plane ? 1 : 2, plane ? 16 : 8, plane ? 32 : l.size[2] >= 32 ? 16 : 8};
  auto call = [&] {
    int bad = 0;
    if (pass == forward) bad = hm_conv(&window, &from_x, 1, &w.view, &y.view, &epilogue_y, algorithm);
    if (pass == transposed) bad = hm_conv_transpose(&window, &from_x, 1, &w.view, &y.view, &epilogue_y, algorithm);
    if (pass == input_grad) bad = hm_conv_transpose(&window, &from_y, 1, &wt, &x.view, &epilogue_x, algorithm);
    if (pass == weight_grad) bad = hm_conv_weight_grad(&window, &from_x, 1, &from_y, &y.view, cell, &w.view, algorithm);
    if (bad) std::printf("%s\n", hm_error()), std::exit(1);
  };
  double top = peak(), time = best_time(call);
  top = std::max(top, peak());
  double flops = 2.0 * double(taps * l.in * l.out * small[0] * small[1] * small[2]);
  const char *names[] = {"forward", "input gradient", "weight gradient", "transposed"};
  const char *algorithms[] = {"", "direct", "winograd"};
  std::printf("%-28s %-16s %-8s %8.2f ms %7.1f GFLOP/s  %5.1f %% of %.0f\n", l.name, names[pass], algorithms[algorithm], time * 1e3, flops / time / 1e9,
              100 * flops / time / 1e9 / top, top);
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  hm_set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  if (argc > 2) layer_seconds = std::atof(argv[2]);
  const Layer layers[] = {
      {"16->16 3x3x3 128^3", 16, 16, {128, 128, 128}, {3, 3, 3}, 1, HM_F32},
      {"16->16 3x3x3 128^3 bf16", 16, 16, {128, 128, 128}, {3, 3, 3}, 1, HM_BF16},
      {"32->16 3x3x3 128^3", 32, 16, {128, 128, 128}, {3, 3, 3}, 1, HM_F32},
      {"48->16 3x3x3 128^3", 48, 16, {128, 128, 128}, {3, 3, 3}, 1, HM_F32},
      {"32->32 3x3x3 64^3", 32, 32, {64, 64, 64}, {3, 3, 3}, 1, HM_F32},
      {"64->64 3x3x3 32^3", 64, 64, {32, 32, 32}, {3, 3, 3}, 1, HM_F32},
      {"128->128 3x3x3 16^3", 128, 128, {16, 16, 16}, {3, 3, 3}, 1, HM_F32},
      {"320->320 3x3x3 4^3", 320, 320, {4, 4, 4}, {3, 3, 3}, 1, HM_F32},
      {"16->16 3x3x3 8^3", 16, 16, {8, 8, 8}, {3, 3, 3}, 1, HM_F32},
      {"16->16 3x3x3 32^3", 16, 16, {32, 32, 32}, {3, 3, 3}, 1, HM_F32},
      {"320->320 3x3x3 8^3", 320, 320, {8, 8, 8}, {3, 3, 3}, 1, HM_F32},
      {"16->16 3x3x3 61x122x101", 16, 16, {61, 122, 101}, {3, 3, 3}, 1, HM_F32},
      {"32->32 3x3x3 30x30x30", 32, 32, {30, 30, 30}, {3, 3, 3}, 1, HM_F32},
      {"16->32 3x3x3 64^3", 16, 32, {64, 64, 64}, {3, 3, 3}, 1, HM_F32},
      {"1->16 3x3x3 128^3", 1, 16, {128, 128, 128}, {3, 3, 3}, 1, HM_F32},
      {"16->3 1x1x1 128^3", 16, 3, {128, 128, 128}, {1, 1, 1}, 1, HM_F32},
      {"16->32 3x3x3 stride 2 128^3", 16, 32, {128, 128, 128}, {3, 3, 3}, 2, HM_F32},
      {"32->64 2x2x2 stride 2 64^3", 32, 64, {64, 64, 64}, {2, 2, 2}, 2, HM_F32},
      {"32->32 1x3x3 64^3", 32, 32, {64, 64, 64}, {1, 3, 3}, 1, HM_F32},
      {"16->16 3x3 1024^2", 16, 16, {1, 1024, 1024}, {1, 3, 3}, 1, HM_F32},
      {"16->16 3x3 1024^2 bf16", 16, 16, {1, 1024, 1024}, {1, 3, 3}, 1, HM_BF16},
      {"32->16 3x3 1024^2", 32, 16, {1, 1024, 1024}, {1, 3, 3}, 1, HM_F32},
      {"64->64 3x3 256^2", 64, 64, {1, 256, 256}, {1, 3, 3}, 1, HM_F32},
      {"128->128 3x3 128^2", 128, 128, {1, 128, 128}, {1, 3, 3}, 1, HM_F32},
      {"32->32 3x3 512^2", 32, 32, {1, 512, 512}, {1, 3, 3}, 1, HM_F32},
      {"16->16 7x7x7 64^3", 16, 16, {64, 64, 64}, {7, 7, 7}, 1, HM_F32},
      {"20->20 3x3x3 64^3", 20, 20, {64, 64, 64}, {3, 3, 3}, 1, HM_F32},
  };
  const Layer ups[] = {{"32->16 2x2x2 up to 128^3", 32, 16, {128, 128, 128}, {2, 2, 2}, 2, HM_F32},
                       {"64->32 2x2x2 up to 64^3", 64, 32, {64, 64, 64}, {2, 2, 2}, 2, HM_F32}};
  auto wanted = [&](const Layer &l) { return argc <= 3 || std::strstr(l.name, argv[3]); };
  const char *which = argc > 4 ? argv[4] : "auto";
  bool both = !std::strcmp(which, "both");
  int chosen = !std::strcmp(which, "direct") ? HM_CONV_DIRECT : !std::strcmp(which, "winograd") ? HM_CONV_WINOGRAD : HM_CONV_AUTO;
  for (const Layer &l : layers) {
    if (!wanted(l)) continue;
    for (Pass pass : {forward, input_grad, weight_grad}) {
      run(l, pass, both ? HM_CONV_DIRECT : chosen);
      if (both) run(l, pass, HM_CONV_WINOGRAD);
    }
  }
  for (const Layer &l : ups)
    if (wanted(l)) run(l, transposed, chosen);
  return 0;
}
