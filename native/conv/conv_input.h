// The input of a tile: a ring of float32 rows in a thread's scratch, filled by the prologue (load_row), one call for each row
// of the tile. Coordinates outside the volume hold `outside`. It is small enough to stay in the L2 cache.
//
// Scratch of one channel block: [slot][row][phase][position][channel]. An input plane d lies in slot d mod slots. Rows are
// those that the tile's outputs read. With in_step > 1 the positions of one residue mod in_step lie together (a phase), so
// successive outputs read successive positions whatever the stride. Blocks of 16 channels keep channels together (step 16);
// narrower ones are transposed to [channel][position] (planar, step 1) where the kernel wants that.
#pragma once
#include "conv/conv_axis.h"
#include "rows/rows.h"
#include <cstdlib>
#include <memory>

namespace hm::conv {

// Asks the memory for what load_row will read.
void prefetch_row(const hm_program &p, const Row &row);

// Uninitialised floats, aligned to 64 bytes. Throws std::bad_alloc.
class Buffer {
public:
  explicit Buffer(int64_t floats = 0);
  float *data() const { return data_.get(); }

private:
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
};

// A row of one block is what one call of load_row delivers.
struct Block {
  const hm_source *source;
  int64_t c0;   // first channel, coordinate of the source
  int64_t k0;   // the same channel in the concatenation of all sources
  int lanes;    // channels
  int width;    // channels a position has in the row delivered
  bool planar;
  // Filled in by layout_of, in floats: from the start of the ring to the block, between slots, rows, phases, positions, channels.
  int64_t offset, slot, row, phase, step, channel;
};

// Blocks of the channels [c_lo, c_hi) of the concatenation.
std::vector<Block> blocks_of(const hm_source *sources, int32_t n_sources, int64_t c_lo, int64_t c_hi, bool planar);
// Blocks of the channels of `box`, as wide as its own.
std::vector<Block> blocks_like(const hm_view &box, const hm_source &source);

struct InputLayout {
  Axis axis[3];
  std::vector<Block> blocks;
  float outside;
  int64_t slots, rows, width;        // planes; rows of a plane; positions of a phase
  int64_t first_w;                   // the first position of a phase, in steps from the tile's first step
  int64_t margin;                    // positions of a phase beyond the steps of a tile
  std::vector<int64_t> phase_of;     // by residue of w: its place, or -1 where no tap reads it
  std::vector<char> uses[2];         // by residue of d, of h: does any tap read it
  int64_t floats, row_floats;        // of the ring; of a row before it is spread over phases
};

// For tiles of at most `tile` outputs (multiples of out_step).
InputLayout layout_of(const Axis axis[3], const int64_t tile[3], std::vector<Block> blocks, float outside);

class InputRing {
public:
  InputRing(int64_t floats, int64_t row_floats) : ring_(floats), row_(row_floats) {}
  void start(const InputLayout &layout, const Tile &tile);
  // Makes present what output plane d of the tile reads. Planes are asked for in rising order.
  void advance(int64_t d);
  // Asks the memory for rows that output plane d + 1 will load, when d is computed: call `calls` times for each plane.
  void prefetch(int64_t d, int64_t calls);
  const float *data() const { return ring_.data(); }
  // Floats from data() to what a tap (offsets along d, h, w) reads for the first step of the tile along h and w, in plane d.
  int64_t at(const Block &block, int64_t d, int64_t offset_d, int64_t offset_h, int64_t offset_w) const;

private:
  // Row r of a plane, without its margins outside what is stored.
  Row stored_row(const Block &block, int64_t d, int64_t h) const;
  void load_plane(int64_t d);
  void load_line(const Block &block, int64_t d, int64_t h, float *out);

  Buffer ring_, row_;
  RowScratch scratch_;
  const InputLayout *layout_ = nullptr;
  Tile tile_{};
  Range steps_h_{}, steps_w_{};
  int64_t next_ = 0;       // first plane that is not loaded yet
  int64_t prefetched_ = 0; // rows of the coming planes, over all blocks
};

} // namespace hm::conv
