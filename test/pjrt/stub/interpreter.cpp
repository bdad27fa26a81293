// Runs StableHLO one operation after the other, one element at a time. Numbers are float64 while they are computed and are rounded to
// their element type where they are stored; whole numbers of 32 bits wrap around.
#include <algorithm>
#include <cmath>

#include "arithmetic.h"
#include "moves.h"
#include "sums.h"

class Interpreter : public Program {
 public:
  explicit Interpreter(const std::string& text) : function_(read_module(text)) {
    inputs = function_.inputs;
    outputs = function_.outputs;
    alias = function_.alias;
    // Names are checked and operations known before anything runs.
    std::map<std::string, Type> known;
    for (size_t i = 0; i < inputs.size(); i++) known[function_.arguments[i]] = inputs[i];
    for (const Operation& op : function_.operations) {
      for (const auto& name : op.operands)
        if (!known.count(name)) throw Failure(kInvalidArgument, "no value " + name + " for " + op.text.substr(0, 200));
      if (!known_operation(op.name)) throw Failure(kUnimplemented, "the stub has no operation " + op.name);
      known[op.result] = op.type;
    }
    for (size_t i = 0; i < outputs.size(); i++) {
      const auto found = known.find(function_.results[i]);
      if (found == known.end() || found->second.dims != outputs[i].dims || found->second.element != outputs[i].element)
        throw Failure(kInvalidArgument, "result " + std::to_string(i) + " is of another type");
    }
  }

  std::vector<ArrayPtr> run(const std::vector<ArrayPtr>& given) override {
    std::map<std::string, Value> values;
    for (size_t i = 0; i < given.size(); i++) values[function_.arguments[i]] = value_of(*given[i]);
    for (const Operation& op : function_.operations) {
      std::vector<const Value*> in;
      for (const auto& name : op.operands) in.push_back(&values.at(name));
      Value made{op.type, compute(op, in)};
      if (made.data.size() != op.type.count()) throw Failure(kInvalidArgument, "wrong sizes: " + op.text.substr(0, 200));
      for (double& x : made.data) x = stored(op.type.element, x);
      values[op.result] = std::move(made);
    }
    std::vector<ArrayPtr> made;
    for (const auto& name : function_.results) made.push_back(array_of(values.at(name)));
    return made;
  }

 private:
  Function function_;

  static bool known_operation(const std::string& name) {
    static const std::vector<std::string> others = {"constant",      "iota",   "compare",     "select",
                                                    "convert",       "reshape", "reduce",      "dot_general",
                                                    "reduce_window", "convolution", "optimization_barrier"};
    double out;
    return is_unary(name) || binary(name, 1, 1, kF64, out) || is_move(name) ||
           std::find(others.begin(), others.end(), name) != others.end();
  }

  static Numbers compute(const Operation& op, const std::vector<const Value*>& in);
};

Numbers Interpreter::compute(const Operation& op, const std::vector<const Value*>& in) {
  const std::string& name = op.name;
  const Element element = op.type.element;
  double one = 0;
  if (name == "constant") return constant(op);
  if (name == "iota") {
    const int64_t dim = numbers_of(op.text.substr(op.text.find("dim = "))).at(0);
    Numbers made;
    each(op.type.dims, [&](const Index& index) { made.push_back(static_cast<double>(index[dim])); });
    return made;
  }
  const Value& x = *in.at(0);
  Numbers made = x.data;
  if (name == "reshape" || name == "optimization_barrier") return made;
  if (name == "convert") {
    if (is_whole(element) && element != kPred)
      for (double& number : made) number = std::trunc(number);
    return made;
  }
  if (is_unary(name)) {
    for (double& number : made) number = unary(name, number, element);
    return made;
  }
  if (name == "compare") {
    const std::string how = op.text.substr(op.text.find("compare ") + 8, 2);
    for (size_t i = 0; i < made.size(); i++) made[i] = compared(how, made[i], in[1]->data[i]);
    return made;
  }
  if (name == "select") {
    made = in[1]->data;
    for (size_t i = 0; i < made.size(); i++)
      if (x.data[x.data.size() == 1 ? 0 : i] == 0) made[i] = in[2]->data[i];
    return made;
  }
  if (binary(name, 1, 1, element, one)) {
    if (in[1]->data.size() != made.size()) throw Failure(kInvalidArgument, "sizes differ: " + op.text.substr(0, 200));
    for (size_t i = 0; i < made.size(); i++) binary(name, x.data[i], in[1]->data[i], element, made[i]);
    return made;
  }
  if (is_move(name)) return moved(op, in);
  if (name == "reduce") return reduced(op, x, in.at(1)->data[0]);
  if (name == "reduce_window") return windowed(op, x, in.at(1)->data[0]);
  if (name == "dot_general") return dot(op, x, *in.at(1));
  return convolved(op, x, *in.at(1));
}

std::unique_ptr<Program> compile(const std::string& text) { return std::make_unique<Interpreter>(text); }
