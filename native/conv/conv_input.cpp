// The ring of input rows: see conv_input.h.
#include "conv/conv_input.h"
#include "runtime/view.h"
#include <algorithm>
#include <new>
#include <stdexcept>

namespace hm::conv {
namespace {

bool is_stored(const hm_view &box, int64_t d, int64_t h) {
  return d >= box.start[HM_D] && d < box.start[HM_D] + box.size[HM_D] && h >= box.start[HM_H] &&
         h < box.start[HM_H] + box.size[HM_H];
}

} // namespace

void prefetch_row(const hm_program &p, const Row &row) {
  for (int i = 0; i < p.n_instr; i++) {
    if (p.instr[i].op != HM_LOAD) continue;
    const hm_operand &o = p.operands[p.instr[i].operand];
    if (!o.present[HM_D] || !o.present[HM_H] || !o.present[HM_W]) continue; // small
    const hm_view &v = o.view;
    int64_t n = o.present[HM_N] ? row.n : v.start[HM_N];
    int64_t from = offset_of(v, n, row.d, row.h, row.w0, o.present[HM_C] ? row.c0 : v.start[HM_C]);
    const char *at = static_cast<const char *>(v.data) + from * dtype_size(v.dtype);
    const char *end = at + row.count * v.stride[HM_W] * dtype_size(v.dtype);
    for (; at < end; at += 64) __builtin_prefetch(at, 0, 2);
  }
}

Buffer::Buffer(int64_t floats) {
  if (floats <= 0) return;
  data_.reset(static_cast<float *>(std::aligned_alloc(64, size_t((floats * 4 + 63) / 64 * 64))));
  if (!data_) throw std::bad_alloc();
}

std::vector<Block> blocks_of(const hm_source *sources, int32_t n_sources, int64_t c_lo, int64_t c_hi, bool planar) {
  std::vector<Block> blocks;
  int64_t base = 0; // of the source in the concatenation
  for (int32_t s = 0; s < n_sources; s++) {
    const hm_view &box = sources[s].box;
    int64_t lo = std::max(box.start[HM_C], c_lo - base), hi = std::min(box.start[HM_C] + box.size[HM_C], c_hi - base);
    for (int64_t c = lo; c < hi; c += box.block) {
      Block block{};
      block.source = &sources[s];
      block.c0 = c;
      block.k0 = base + c;
      block.lanes = int(std::min<int64_t>(box.block, hi - c));
      block.width = box.block;
      block.planar = planar && box.block < 16;
      blocks.push_back(block);
    }
    base += box.global[HM_C];
  }
  return blocks;
}

std::vector<Block> blocks_like(const hm_view &box, const hm_source &source) {
  std::vector<Block> blocks;
  int64_t end = box.start[HM_C] + box.size[HM_C];
  for (int64_t c = box.start[HM_C]; c < end; c += box.block) {
    Block block{};
    block.source = &source;
    block.c0 = block.k0 = c;
    block.lanes = int(std::min<int64_t>(box.block, end - c));
    block.width = box.block;
    blocks.push_back(block);
  }
  return blocks;
}

InputLayout layout_of(const Axis axis[3], const int64_t tile[3], std::vector<Block> blocks, float outside) {
  InputLayout l;
  std::copy(axis, axis + 3, l.axis);
  l.blocks = std::move(blocks);
  l.outside = outside;
  const Axis &h = axis[1], &w = axis[2];
  l.slots = axis[0].span();
  l.rows = h.in_step * (tile[1] / h.out_step - 1) + h.span();
  l.first_w = floor_div(w.low, w.in_step);
  int64_t steps_w = tile[2] / w.out_step;
  l.margin = floor_div(w.high, w.in_step) - l.first_w;
  l.width = steps_w + l.margin;
  for (int a = 0; a < 2; a++) {
    l.uses[a].assign(size_t(axis[a].in_step), 0);
    for (auto &taps : axis[a].classes)
      for (auto &tap : taps) l.uses[a][size_t(floor_mod(tap.offset, axis[a].in_step))] = 1;
  }
  l.phase_of.assign(size_t(w.in_step), -1);
  for (auto &taps : w.classes)
    for (auto &tap : taps) l.phase_of[size_t(floor_mod(tap.offset, w.in_step))] = 0;
  int64_t phases = 0;
  for (auto &place : l.phase_of)
    if (place == 0) place = phases++;
  int64_t line = w.in_step * (steps_w - 1) + w.span(); // positions from the first to the last that a row of outputs reads
  double most = 0;
  for (const Block &b : l.blocks) most += double(l.slots) * double(l.rows) * double(phases) * double(l.width) * double(b.width);
  if (most + double(line) > double(most_bytes)) throw std::length_error("a tile of the input takes more than all memory");
  l.floats = l.row_floats = 0;
  for (Block &b : l.blocks) {
    b.step = b.planar ? 1 : b.width;
    b.channel = b.planar ? l.width : 1;
    b.phase = l.width * (b.planar ? b.lanes : b.width);
    b.row = b.phase * phases;
    b.slot = b.row * l.rows;
    b.offset = l.floats;
    l.floats += (b.slot * l.slots + 15) / 16 * 16;
    l.row_floats = std::max(l.row_floats, line * b.width);
  }
  return l;
}

void InputRing::start(const InputLayout &layout, const Tile &tile) {
  layout_ = &layout;
  tile_ = tile;
  steps_h_ = layout.axis[1].steps(tile.at[1]);
  steps_w_ = layout.axis[2].steps(tile.at[2]);
  const Axis &d = layout.axis[0];
  next_ = d.in_step * d.steps(tile.at[0]).lo + d.low;
  prefetched_ = 0;
}

int64_t InputRing::at(const Block &b, int64_t d, int64_t offset_d, int64_t offset_h, int64_t offset_w) const {
  const InputLayout &l = *layout_;
  const Axis *axis = l.axis;
  int64_t plane = floor_div(d, axis[0].out_step) * axis[0].in_step + offset_d;
  return b.offset + floor_mod(plane, l.slots) * b.slot + (offset_h - axis[1].low) * b.row +
         l.phase_of[size_t(floor_mod(offset_w, axis[2].in_step))] * b.phase +
         (floor_div(offset_w, axis[2].in_step) - l.first_w) * b.step;
}

void InputRing::advance(int64_t d) {
  const Axis &axis = layout_->axis[0];
  int64_t first = axis.in_step * floor_div(d, axis.out_step) + axis.low;
  for (next_ = std::max(next_, first); next_ < first + axis.span(); next_++)
    if (layout_->uses[0][size_t(floor_mod(next_, axis.in_step))]) load_plane(next_);
  prefetched_ = 0;
}

void InputRing::prefetch(int64_t d, int64_t calls) {
  const Axis &along_d = layout_->axis[0], &along_h = layout_->axis[1];
  int64_t end = along_d.in_step * floor_div(d + 1, along_d.out_step) + along_d.high + 1;
  int64_t blocks = int64_t(layout_->blocks.size()), rows = along_h.in_step * (steps_h_.size() - 1) + along_h.span();
  int64_t all = (end - next_) * blocks * rows, until = std::min(all, prefetched_ + ceil_div(all, calls));
  for (; prefetched_ < until; prefetched_++) {
    const Block &block = layout_->blocks[size_t(prefetched_ / rows % blocks)];
    int64_t plane = next_ + prefetched_ / (rows * blocks);
    int64_t h = along_h.in_step * steps_h_.lo + along_h.low + prefetched_ % rows;
    if (is_stored(block.source->box, plane, h)) prefetch_row(block.source->load, stored_row(block, plane, h));
  }
}

void InputRing::load_plane(int64_t d) {
  const Axis &axis = layout_->axis[1];
  int64_t first = axis.in_step * steps_h_.lo + axis.low, rows = axis.in_step * (steps_h_.size() - 1) + axis.span();
  for (const Block &b : layout_->blocks) {
    float *out = ring_.data() + b.offset + floor_mod(d, layout_->slots) * b.slot;
    for (int64_t r = 0; r < rows; r++, out += b.row) {
      int64_t h = first + r;
      if (!layout_->uses[1][size_t(floor_mod(h, axis.in_step))]) continue;
      if (is_stored(b.source->box, d, h))
        load_line(b, d, h, out);
      else
        std::fill(out, out + b.row, layout_->outside);
    }
  }
}

Row InputRing::stored_row(const Block &b, int64_t d, int64_t h) const {
  const Axis &axis = layout_->axis[2];
  const hm_view &box = b.source->box;
  int64_t lo = axis.in_step * steps_w_.lo + axis.low, hi = axis.in_step * (steps_w_.hi - 1) + axis.high + 1;
  lo = std::min(std::max(lo, box.start[HM_W]), hi);
  hi = std::max(std::min(hi, box.start[HM_W] + box.size[HM_W]), lo);
  return {tile_.n, d, h, lo, hi - lo, b.c0, b.lanes, b.width};
}

void InputRing::load_line(const Block &b, int64_t d, int64_t h, float *out) {
  const InputLayout &l = *layout_;
  const Axis &axis = l.axis[2];
  Row row = stored_row(b, d, h);
  int64_t lo = row.w0, hi = lo + row.count;
  int64_t first = steps_w_.lo + l.first_w, count = steps_w_.size() + l.margin;
  bool straight = axis.in_step == 1 && (!b.planar || b.width == 1);
  if (straight) {
    std::fill(out, out + (lo - first) * b.step, l.outside);
    if (hi > lo) load_row(b.source->load, scratch_, row, out + (lo - first) * b.step);
    std::fill(out + (hi - first) * b.step, out + count * b.step, l.outside);
    return;
  }
  float *line = row_.data();
  if (hi > lo) load_row(b.source->load, scratch_, row, line);
  for (int64_t residue = 0; residue < axis.in_step; residue++) {
    if (l.phase_of[size_t(residue)] < 0) continue;
    float *to = out + l.phase_of[size_t(residue)] * b.phase;
    // Positions i of the phase hold w = in_step * (first + i) + residue; [a, z) of them are stored.
    int64_t a = std::min(std::max<int64_t>(ceil_div(lo - residue, axis.in_step) - first, 0), count);
    int64_t z = std::min(std::max<int64_t>(ceil_div(hi - residue, axis.in_step) - first, a), count);
    const float *from = line + (axis.in_step * (first + a) + residue - lo) * b.width;
    int64_t from_step = axis.in_step * b.width;
    if (b.planar) {
      for (int c = 0; c < b.lanes; c++) {
        float *plane = to + c * b.channel;
        std::fill(plane, plane + a, l.outside);
        for (int64_t i = a; i < z; i++) plane[i] = from[(i - a) * from_step + c];
        std::fill(plane + z, plane + count, l.outside);
      }
    } else {
      std::fill(to, to + a * b.step, l.outside);
      if (b.width == 16)
        for (int64_t i = a; i < z; i++) std::copy_n(from + (i - a) * from_step, 16, to + i * 16);
      else
        for (int64_t i = a; i < z; i++) std::copy_n(from + (i - a) * from_step, b.width, to + i * b.step);
      std::fill(to + z * b.step, to + count * b.step, l.outside);
    }
  }
}

} // namespace hm::conv
