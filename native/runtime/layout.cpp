// What callers must agree on with this library before they call it.
#include "halomesh.h"

#define HM_TEXT_OF(x) #x
#define HM_ROW_OP_TEXT(name) HM_TEXT_OF(name) " "

namespace {
// sizeof as text: the compiler cannot print a number into a literal, so the sizes are checked and then written.
#define HM_SIZE(type, bytes)                                                                                                \
  static_assert(sizeof(type) == bytes, "src/machine/kernels/structs.ts lays " #type " down with this size");
HM_SIZE(hm_view, 176)
HM_SIZE(hm_operand, 200)
HM_SIZE(hm_instr, 40)
HM_SIZE(hm_program, 80)
HM_SIZE(hm_window, 96)
HM_SIZE(hm_source, 256)
HM_SIZE(hm_einsum_operand, 112)
#undef HM_SIZE
} // namespace

extern "C" const char *hm_layout(void) {
  return "view 176 operand 200 instruction 40 program 80 window 96 source 256 einsum 112 rows " HM_ROW_OPS(HM_ROW_OP_TEXT);
}
