#include "harness/core/json.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/utf8.h"

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

// What stands in a text that is no JSON, by the byte (from 1) at which the parser stopped and what it says.
std::string found_instead(std::string_view text, size_t byte, std::string_view parser_says) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return "an empty text";
  if (const std::string other = foreign_content(text.substr(0, 512)); !other.empty()) return other;
  const std::string_view head = text.substr(0, 4);
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF") || head.find('\0') != std::string_view::npos) {
    return "UTF-16 or UTF-32 (JSON is UTF-8)";
  }
  size_t at = 0;
  while (at < text.size() && utf8_length(text.substr(at)) > 0) at += utf8_length(text.substr(at));
  if (at < std::min(byte, text.size())) {
    return fmt::format("the byte 0x{:02X} at byte {}, which is no UTF-8 (perhaps Latin-1)",
                       static_cast<unsigned char>(text[at]), at + 1);
  }
  if (parser_says.find("surrogate") != std::string_view::npos) return fmt::format("half of a surrogate pair at byte {}", byte);
  const size_t stop = std::min(byte == 0 ? 0 : byte - 1, text.size());
  const auto is_letter = [&](size_t i) { return std::isalpha(static_cast<unsigned char>(text[i])) != 0; };
  size_t begin = stop, end = stop;
  while (begin > 0 && is_letter(begin - 1)) --begin;
  while (end < text.size() && is_letter(end)) ++end;
  const std::string_view word = text.substr(begin, end - begin);
  for (const std::string_view other : {"NaN", "nan", "Infinity", "inf", "True", "False", "None", "undefined"}) {
    if (word == other) return fmt::format("{} at byte {}, which JSON has not", word, begin + 1);
  }
  return fmt::format("a syntax error at byte {}", byte);
}

// Runs a parser over the text; what it refuses becomes an Error.
template <typename Parser>
auto parsed(std::string_view text, Parser&& parser) {
  check_depth(text);
  try {
    return parser(text);
  } catch (const Json::parse_error& error) {
    throw Error("expected JSON, found {}", found_instead(text, error.byte, error.what()));
  } catch (const Json::out_of_range& error) {  // "number overflow parsing '1e400'"
    const std::string what = problem_of(error);
    const size_t quote = what.find('\'');
    throw Error("expected numbers that a double can hold, found {}",
                quote == std::string::npos ? what : what.substr(quote + 1, what.size() - quote - 2));
  }
}

// Builds a document as nlohmann's own parser does, but for numbers that are written otherwise than they would be again.
class DigitKeeper : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  using json_sax_dom_parser::json_sax_dom_parser;
  bool number_float(double value, const std::string& text) {
    if (Json(value).dump() == text) return json_sax_dom_parser::number_float(value, text);
    std::string digits = text;
    return string(digits);
  }
};

}  // namespace

double json_float(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  double shortest = 0;
  std::from_chars(buffer, result.ptr, shortest);
  return shortest;
}

Json parse_json(std::string_view text) {
  return parsed(text, [](std::string_view all) { return Json::parse(all); });
}

OrderedJson parse_ordered_json(std::string_view text) {
  return parsed(text, [](std::string_view all) { return OrderedJson::parse(all); });
}

Json parse_json_keeping_digits(std::string_view text) {
  return parsed(text, [](std::string_view all) {
    Json document;
    DigitKeeper keeper(document);
    Json::sax_parse(all, &keeper);
    return document;
  });
}

std::string problem_of(const Json::exception& error) {
  const std::string what = error.what();  // "[json.exception.type_error.302] type must be ..."
  const size_t name = what.find("] ");
  return what.starts_with('[') && name != std::string::npos ? what.substr(name + 2) : what;
}

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
  if (value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
    throw Error("\"{}\": expected an integer of at most 63 bits, found {}", key, value.dump());
  }
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
      out << dump_line(OrderedJson{{"error", fmt::format("line {}: {}", number, problem_of(error))}}) << '\n';
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
