#include "harness/text/jinja/number_filters.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "harness/core/error.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/operators.h"

namespace harness::jinja {

namespace {

// Python's int(text, base): white space, a sign, the base's prefix, underscores between digits; none where it is no number.
// Throws Error for one beyond 64 bits.
std::optional<int64_t> read_integer(const std::string& text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  std::string_view rest = text;
  const bool minus = rest.starts_with('-');
  if (minus || rest.starts_with('+')) rest.remove_prefix(1);
  const char mark = rest.size() > 1 && rest[0] == '0' ? static_cast<char>(rest[1] | 0x20) : ' ';
  const int64_t marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
  const bool prefixed = marked != 0 && (base == 0 || base == marked);
  if (prefixed) {
    rest.remove_prefix(2);
    if (rest.starts_with('_')) rest.remove_prefix(1);
    base = marked;
  }
  const bool decimal_literal = base == 0;  // no leading zeros but of zero itself
  if (decimal_literal) base = 10;
  if (rest.starts_with('-') || rest.starts_with('+')) return std::nullopt;
  std::string digits = minus ? "-" : "";
  bool after_digit = false, zeros = true;
  for (const char c : rest) {
    if (c == '_' && !after_digit) return std::nullopt;
    after_digit = c != '_';
    if (after_digit) digits += c;
    zeros = zeros && (c == '0' || c == '_');
  }
  if (!after_digit || (decimal_literal && rest[0] == '0' && !zeros)) return std::nullopt;
  int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(base));
  if (read.ptr != digits.data() + digits.size()) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) throw Error("int: expected a number of at most 64 bits, found {}", text);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// Python's float(text); none where it is no number.
std::optional<double> read_float(std::string text) {
  text = strip_text(text, std::nullopt, true, true);
  if (text.starts_with('+') && !text.starts_with("+-")) text.erase(0, 1);
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {  // underscores between digits
    const auto is_digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (text[i] == '_' && i > 0 && is_digit(i - 1) && is_digit(i + 1)) continue;
    digits += text[i];
  }
  double number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ptr != digits.data() + digits.size() || digits.ends_with(')')) return std::nullopt;
  // Beyond the range of a double: strtod's infinity or zero, as Python's.
  if (read.ec == std::errc::result_out_of_range) return std::strtod(digits.c_str(), nullptr);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

// The whole part of a finite number; none for others. Throws Error for one beyond 64 bits.
std::optional<int64_t> whole_part(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  if (std::abs(number) >= 9.2e18) throw Error("int: expected a number of at most 64 bits, found {}", python_float(number));
  return static_cast<int64_t>(number);
}

// Python's round() of an integer: half to even at 10^-places.
Value rounded_integer(int64_t number, int64_t places) {
  if (places >= 0) return number;
  if (places < -19) return 0;
  __int128 unit = 1;
  for (int64_t i = 0; i < -places; ++i) unit *= 10;
  const __int128 rest = (number % unit + unit) % unit;
  __int128 result = number - rest;
  if (2 * rest > unit || (2 * rest == unit && result / unit % 2 != 0)) result += unit;
  if (result != static_cast<int64_t>(result)) throw Error("round: expected a result of at most 64 bits, found more");
  return static_cast<int64_t>(result);
}

// Python's round() of a float: its exact decimal digits rounded half to even at 10^-places.
Value rounded_float(double number, int64_t places) {
  constexpr int64_t kMostPlaces = 323;  // of a double
  if (!std::isfinite(number) || number == 0 || places > kMostPlaces) return number;
  std::array<char, 800> buffer{};
  std::to_chars_result end{};
  if (places >= 0) {
    end = std::to_chars(buffer.begin(), buffer.end(), number, std::chars_format::fixed, static_cast<int>(places));
  } else {
    const auto whole = static_cast<int64_t>(fmt::format("{:.0f}", std::trunc(std::abs(number))).size());
    const int64_t digits = whole + places;  // that stay
    if (digits < 0) return std::copysign(0.0, number);
    if (digits == 0) {
      const double unit = std::strtod(fmt::format("1e{}", -places).c_str(), nullptr);
      return std::copysign(std::abs(number) > unit / 2 ? unit : 0.0, number);
    }
    end = std::to_chars(buffer.begin(), buffer.end(), number, std::chars_format::scientific, static_cast<int>(digits - 1));
  }
  double result = 0;
  std::from_chars(buffer.begin(), end.ptr, result);
  return result;
}

}  // namespace

Value int_filter(const Value& input, const CallArguments& arguments) {
  require_defined(input);
  const Value* fallback = arguments.find(0, "default");
  const Value* base = arguments.find(1, "base");
  std::optional<int64_t> value;
  if (input.is_float()) {
    value = whole_part(input.number());
    if (std::isinf(input.number())) throw Error("int: expected a finite number, found infinity");
  } else if (input.is_number()) {
    value = input.integer();
  } else if (input.is_string()) {
    value = read_integer(strip_text(input.text(), std::nullopt, true, true), base == nullptr ? 10 : base->integer());
    if (const auto number = value ? std::nullopt : read_float(input.text())) value = whole_part(*number);
  }
  if (value) return *value;
  return fallback == nullptr ? Value(0) : *fallback;
}

Value float_filter(const Value& input, const CallArguments& arguments) {
  require_defined(input);
  const Value* fallback = arguments.find(0, "default");
  if (input.is_number()) return input.number();
  if (const auto number = input.is_string() ? read_float(input.text()) : std::nullopt) return *number;
  return fallback == nullptr ? Value(0.0) : *fallback;
}

Value round_filter(const Value& input, const CallArguments& arguments) {
  const Value* precision = arguments.find(0, "precision");
  const std::string method = text_argument(arguments, 1, "method", "common");
  const int64_t places = precision == nullptr ? 0 : precision->integer();
  if (method == "common") {
    return input.is_float() ? rounded_float(input.number(), places) : rounded_integer(input.integer(), places);
  }
  const double scale = std::pow(10.0, static_cast<double>(places));
  if (method == "ceil") return std::ceil(input.number() * scale) / scale;
  if (method == "floor") return std::floor(input.number() * scale) / scale;
  throw Error("round: expected common, ceil or floor, found {}", method);
}

Value abs_filter(const Value& input, const CallArguments& /*arguments*/) {
  if (input.is_float()) return std::abs(input.number());
  return input.integer() < 0 ? negative(input) : Value(input.integer());
}

}  // namespace harness::jinja
