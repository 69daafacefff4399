#include "harness/core/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/core/error.h"

namespace harness {

namespace {

const Json& field(const Json& object, const std::string& key) {
  if (!object.is_object()) throw Error("expected a JSON object, found {}", object.type_name());
  const auto found = object.find(key);
  if (found == object.end()) throw Error("expected the field \"{}\", found none", key);
  return *found;
}

// Arrays and objects inside one another: whatever goes through a document level by level must not reach the end of the stack.
constexpr int64_t kDeepestJson = 500;

void check_depth(std::string_view text) {
  if (std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{') <= kDeepestJson) return;
  int64_t depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestJson) throw Error("expected JSON of at most {} levels, found more at byte {}", kDeepestJson, at);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

template <typename Value>
std::string dump(const Value& value) {
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

template <typename Value>
Value parse(std::string_view text) {
  check_depth(text);
  try {
    return Value::parse(text);
  } catch (const typename Value::parse_error& error) {
    throw Error("expected JSON, found a syntax error at byte {}", error.byte);
  } catch (const typename Value::out_of_range& error) {
    throw Error("expected JSON with numbers that fit 64 bits, found another ({})", error.what());
  }
}

}  // namespace

double json_float(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  double shortest = 0;
  std::from_chars(buffer, result.ptr, shortest);
  return shortest;
}

Json parse_json(std::string_view text) { return parse<Json>(text); }
OrderedJson parse_ordered_json(std::string_view text) { return parse<OrderedJson>(text); }

std::string text_field(const Json& object, const std::string& key) {
  const Json& value = field(object, key);
  if (!value.is_string()) throw Error("\"{}\": expected a string, found {}", key, value.type_name());
  return value.get<std::string>();
}

double number_field(const Json& object, const std::string& key) {
  const Json& value = field(object, key);
  if (!value.is_number()) throw Error("\"{}\": expected a number, found {}", key, value.type_name());
  return value.get<double>();
}

int64_t integer_field(const Json& object, const std::string& key) {
  const Json& value = field(object, key);
  if (!value.is_number_integer()) throw Error("\"{}\": expected an integer, found {}", key, value.type_name());
  return value.get<int64_t>();
}

bool boolean_field(const Json& object, const std::string& key) {
  const Json& value = field(object, key);
  if (!value.is_boolean()) throw Error("\"{}\": expected true or false, found {}", key, value.type_name());
  return value.get<bool>();
}

std::string dump_line(const Json& value) { return dump(value); }
std::string dump_line(const OrderedJson& value) { return dump(value); }

int answer_lines_many(std::istream& in, std::ostream& out,
                      const std::function<void(const Json&, const std::function<void(const OrderedJson&)>&)>& answer) {
  int status = 0;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      answer(parse_json(line), [&](const OrderedJson& value) { out << dump_line(value) << '\n'; });
    } catch (const Error& error) {
      out << dump_line(OrderedJson{{"error", fmt::format("line {}: {}", number, error.what())}}) << '\n';
      status = 1;
    } catch (const Json::exception& error) {
      out << dump_line(OrderedJson{{"error", fmt::format("line {}: {}", number, error.what())}}) << '\n';
      status = 1;
    }
    out.flush();
  }
  return status;
}

int answer_lines(std::istream& in, std::ostream& out, const std::function<OrderedJson(const Json&)>& answer) {
  return answer_lines_many(in, out,
                           [&](const Json& line, const std::function<void(const OrderedJson&)>& emit) { emit(answer(line)); });
}

}  // namespace harness
