#include "text.h"

#include <cctype>
#include <sstream>

static Failure bad(const std::string& what) { return Failure(kInvalidArgument, "the stub cannot read: " + what); }

std::vector<int64_t> numbers_of(const std::string& text) {
  std::vector<int64_t> found;
  for (size_t i = 0; i < text.size();) {
    const bool minus = text[i] == '-' && i + 1 < text.size() && std::isdigit(text[i + 1]);
    if (!minus && !std::isdigit(text[i])) {
      i++;
      continue;
    }
    size_t length = 0;
    found.push_back(std::stoll(text.substr(i), &length));
    i += length;
  }
  return found;
}

std::string bracketed(const std::string& text, size_t at) {
  at = text.find('[', at);
  if (at == std::string::npos) throw bad(text);
  int depth = 0;
  for (size_t i = at; i < text.size(); i++) {
    if (text[i] == '[') depth++;
    if (text[i] == ']' && --depth == 0) return text.substr(at + 1, i - at - 1);
  }
  throw bad(text);
}

std::vector<int64_t> numbers_after(const std::string& text, const std::string& key) {
  const size_t at = text.find(key);
  if (at == std::string::npos) throw bad(key + " in " + text);
  const size_t from = at + key.size();
  if (text.compare(from, 10, "array<i64:") == 0) return numbers_of(text.substr(from + 10, text.find('>', from) - from - 10));
  if (text.compare(from, 9, "array<i64") == 0) return {};
  return numbers_of(bracketed(text, from));
}

static Type type_of(const std::string& inside) {
  static const std::map<std::string, Element> names = {
      {"i1", kPred}, {"i32", kS32},  {"i64", kS64}, {"ui8", kU8},   {"ui32", kU32},
      {"ui64", kU64}, {"f32", kF32}, {"f64", kF64}, {"bf16", kBF16},
  };
  Type type;
  size_t at = 0;
  for (size_t x; (x = inside.find('x', at)) != std::string::npos; at = x + 1)
    type.dims.push_back(std::stoll(inside.substr(at, x - at)));
  const auto found = names.find(inside.substr(at));
  if (found == names.end()) throw bad("tensor<" + inside + ">");
  type.element = found->second;
  return type;
}

/** The types of a piece of text in their order. */
static std::vector<Type> types_of(const std::string& text) {
  std::vector<Type> found;
  for (size_t at = 0; (at = text.find("tensor<", at)) != std::string::npos;) {
    const size_t end = text.find('>', at);
    found.push_back(type_of(text.substr(at + 7, end - at - 7)));
    at = end;
  }
  return found;
}

/** Names of values, each as often as it stands there. */
static std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> found;
  for (size_t at = 0; (at = text.find('%', at)) != std::string::npos;) {
    size_t end = at + 1;
    while (end < text.size() && (std::isalnum(text[end]) || text[end] == '_')) end++;
    found.push_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

static std::string trimmed(const std::string& line) {
  const size_t from = line.find_first_not_of(" \t");
  return from == std::string::npos ? "" : line.substr(from, line.find_last_not_of(" \t") - from + 1);
}

static void read_head(const std::string& head, Function& to) {
  const size_t arrow = head.find("->");
  if (arrow == std::string::npos) throw bad("a function without results");
  to.outputs = types_of(head.substr(arrow));
  const std::string arguments = head.substr(0, arrow);
  to.arguments = names_of(arguments);
  to.inputs = types_of(arguments);
  if (to.arguments.size() != to.inputs.size()) throw bad(head);
  static const std::string alias = "tf.aliasing_output = ";
  for (size_t i = 0, at = 0; i < to.arguments.size(); i++) {
    at = arguments.find(to.arguments[i] + ":", at);
    const size_t end = i + 1 < to.arguments.size() ? arguments.find(to.arguments[i + 1] + ":", at) : arguments.size();
    const std::string own = arguments.substr(at, end - at);
    const size_t said = own.find(alias);
    to.alias.push_back(said == std::string::npos ? -1 : std::stoi(own.substr(said + alias.size())));
    at = end;
  }
}

static Operation read_operation(const std::string& line) {
  Operation made;
  const size_t equals = line.find(" = ");
  made.result = names_of(line.substr(0, equals)).at(0);
  made.text = line.substr(equals + 3);
  const size_t at = made.text.find("stablehlo.");
  if (at == std::string::npos || at > 1) throw Failure(kUnimplemented, "the stub has no " + line.substr(0, 200));
  size_t end = at + 10;
  while (end < made.text.size() && (std::isalnum(made.text[end]) || made.text[end] == '_')) end++;
  made.name = made.text.substr(at + 10, end - at - 10);
  // What stands in a region are names of its own.
  const size_t region = made.text.find("({");
  made.operands = names_of(made.text.substr(0, region));
  const auto types = types_of(made.text);
  if (types.empty()) throw bad(line);
  made.type = types.back();
  return made;
}

Function read_module(const std::string& text) {
  Function made;
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    line = trimmed(line.substr(0, line.find("//")));
    if (line.rfind("func.func", 0) == 0) {
      if (inside) throw bad("a second function");
      // The arguments may stand on several lines.
      while (line.back() != '{') {
        std::string more;
        if (!std::getline(lines, more)) throw bad("a function without an end");
        line += " " + trimmed(more);
      }
      read_head(line, made);
      inside = true;
    } else if (line.rfind("return", 0) == 0 || line.rfind("func.return", 0) == 0) {
      made.results = names_of(line);
    } else if (line.rfind("%", 0) == 0) {
      while (line.find("({") != std::string::npos && line.find("})") == std::string::npos) {
        std::string more;
        if (!std::getline(lines, more)) throw bad("a region without an end");
        line += " " + trimmed(more);
      }
      made.operations.push_back(read_operation(line));
    }
  }
  if (!inside || made.results.size() != made.outputs.size()) throw bad("a module without a function and its results");
  return made;
}
