// Times the three passes of one convolution with oneDNN, in the layouts that it prefers; reordering into them is not timed.
//
//   g++ -O2 -std=c++17 onednn.cpp -ldnnl -o onednn
//   ./onednn transposed from to size out kernel stride dilation pad_low pad_high bf16 runs
//
// Writes JSON: {"version": "2.6.0", "seconds": [[forward...], [input gradient...], [weight gradient...]]}; a pass that this
// version cannot do has no times. The number of threads is OMP_NUM_THREADS.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Dims = memory::dims;
using Memory = memory::desc;

struct Layer {
  Dims strides, dilates, low, high;
  Memory src, weight, dst;
  bool bf16;
};

// Memory of a primitive, small numbers everywhere.
static memory filled(const Memory &desc, bool bf16, const engine &eng) {
  memory m(desc, eng);
  unsigned char *data = static_cast<unsigned char *>(m.get_data_handle());
  size_t bytes = desc.get_size();
  if (!bf16) {
    for (size_t i = 0; i < bytes / 4; i++) reinterpret_cast<float *>(data)[i] = float(i % 17) / 17 - 0.5f;
  } else {
    for (size_t i = 0; i < bytes / 2; i++) reinterpret_cast<unsigned short *>(data)[i] = (unsigned short)(0x3e00 + i % 17);
  }
  return m;
}

static std::vector<double> time_it(const primitive &p, const std::unordered_map<int, memory> &args, const engine &eng, int runs) {
  stream s(eng);
  std::vector<double> seconds;
  for (int i = 0; i <= runs; i++) {
    auto start = std::chrono::steady_clock::now();
    p.execute(s, args);
    s.wait();
    double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (i > 0) seconds.push_back(took);
  }
  return seconds;
}

template <class Forward, class Data, class Weights>
static std::vector<std::vector<double>> passes(const Layer &l, algorithm alg, const engine &eng, int runs) {
  std::vector<std::vector<double>> all(3);
  auto training = prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  typename Forward::primitive_desc hint(eng, training, alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high);
#else
  typename Forward::primitive_desc hint({training, alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high}, eng);
#endif
  auto mem = [&](const Memory &desc) { return filled(desc, l.bf16, eng); };
  all[0] = time_it(Forward(hint),
                   {{DNNL_ARG_SRC, mem(hint.src_desc())}, {DNNL_ARG_WEIGHTS, mem(hint.weights_desc())}, {DNNL_ARG_DST, mem(hint.dst_desc())}},
                   eng, runs);
#if DNNL_VERSION_MAJOR >= 3
  typename Data::primitive_desc data(eng, alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high, hint);
  typename Weights::primitive_desc weights(eng, alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high, hint);
#else
  typename Data::primitive_desc data({alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high}, eng, hint);
  typename Weights::primitive_desc weights({alg, l.src, l.weight, l.dst, l.strides, l.dilates, l.low, l.high}, eng, hint);
#endif
  all[1] = time_it(Data(data),
                   {{DNNL_ARG_DIFF_DST, mem(data.diff_dst_desc())}, {DNNL_ARG_WEIGHTS, mem(data.weights_desc())}, {DNNL_ARG_DIFF_SRC, mem(data.diff_src_desc())}},
                   eng, runs);
  all[2] = time_it(Weights(weights),
                   {{DNNL_ARG_SRC, mem(weights.src_desc())}, {DNNL_ARG_DIFF_DST, mem(weights.diff_dst_desc())}, {DNNL_ARG_DIFF_WEIGHTS, mem(weights.diff_weights_desc())}},
                   eng, runs);
  return all;
}

int main(int argc, char **argv) {
  if (argc != 13) {
    std::fprintf(stderr, "expected 12 numbers\n");
    return 2;
  }
  long n[12];
  for (int i = 0; i < 12; i++) n[i] = std::atol(argv[i + 1]);
  bool transposed = n[0] != 0;
  long from = n[1], to = n[2], size = n[3], out = n[4], kernel = n[5];
  auto type = n[10] ? memory::data_type::bf16 : memory::data_type::f32;
  auto any = memory::format_tag::any;
  auto cube = [](long a) { return Dims{a, a, a}; };
  Layer l{cube(n[6]),
          cube(n[7] - 1),
          cube(n[8]),
          cube(n[9]),
          Memory({1, from, size, size, size}, type, any),
          Memory({to, from, kernel, kernel, kernel}, type, any),
          Memory({1, to, out, out, out}, type, any),
          n[10] != 0};
  engine eng(engine::kind::cpu, 0);
  std::vector<std::vector<double>> all;
  try {
    if (transposed)
      all = passes<deconvolution_forward, deconvolution_backward_data, deconvolution_backward_weights>(l, algorithm::deconvolution_direct, eng, int(n[11]));
    else
      all = passes<convolution_forward, convolution_backward_data, convolution_backward_weights>(l, algorithm::convolution_direct, eng, int(n[11]));
  } catch (const error &e) {
    std::fprintf(stderr, "oneDNN: %s\n", e.what());
    return 1;
  }
  const dnnl_version_t *v = dnnl_version();
  std::printf("{\"version\": \"%d.%d.%d\", \"seconds\": [", v->major, v->minor, v->patch);
  for (size_t i = 0; i < all.size(); i++) {
    std::printf("%s[", i ? ", " : "");
    for (size_t k = 0; k < all[i].size(); k++) std::printf("%s%.9f", k ? ", " : "", all[i][k]);
    std::printf("]");
  }
  std::printf("]}\n");
}
