#include "harness/reward/latex/number_forms.h"

#include <algorithm>
#include <utility>

#include "harness/core/text_edit.h"

namespace harness {
namespace {

using boost::multiprecision::cpp_int;

cpp_int power_of_ten(size_t n) { return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(n)); }

cpp_int to_integer(std::string digits) {
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return 0;
  return cpp_int(digits.substr(first));
}

// `\overline{3}`, `\bar{3}`, `\dot{3}` at `at`: its digits, and the bytes it takes.
std::pair<std::string, size_t> repeating_digits(std::string_view text, size_t at) {
  for (const std::string_view command : {"\\overline{", "\\bar{", "\\dot{"}) {
    if (!text.substr(at).starts_with(command)) continue;
    const size_t begin = at + command.size();
    const size_t count = digits_at(text, begin);
    if (count > 0 && begin + count < text.size() && text[begin + count] == '}') {
      return {std::string(text.substr(begin, count)), command.size() + count + 1};
    }
  }
  return {"", 0};
}

constexpr int kLargestExponent = 1000;

// A part of `\frac` at `at`, `{12}` or one digit, and the bytes it takes with the spaces before it; 0: neither.
std::pair<std::string_view, size_t> frac_part(std::string_view text, size_t at) {
  size_t begin = std::min(text.find_first_not_of(' ', at), text.size());
  if (begin < text.size() && is_digit(text[begin])) return {text.substr(begin, 1), begin + 1 - at};
  if (begin >= text.size() || text[begin] != '{') return {{}, 0};
  begin = std::min(text.find_first_not_of(' ', begin + 1), text.size());
  const std::string_view digits = text.substr(begin, digits_at(text, begin));
  const size_t end = text.find_first_not_of(' ', begin + digits.size());
  if (digits.empty() || end == std::string_view::npos || text[end] != '}') return {{}, 0};
  return {digits, end + 1 - at};
}

}  // namespace

size_t digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

bool commas_are_thousands(std::string_view text) {
  bool any = false;
  for (size_t at = text.find(','); at != std::string_view::npos; at = text.find(',', at + 1)) {
    size_t before = 0;
    while (before < at && is_digit(text[at - 1 - before])) ++before;
    if (before == 0 || before > 3 || digits_at(text, at + 1) != 3) return false;
    if (text[at - before] == '0') {
      // "0,123" is no group of thousands, but "1,000,000" has a group that begins with 0.
      if (at == before || text[at - before - 1] != ',') return false;
    }
    any = true;
  }
  return any;
}

std::optional<NumberToken> read_number(std::string_view text, bool thousands) {
  NumberToken token;
  size_t at = digits_at(text, 0);
  std::string whole(text.substr(0, at));
  while (thousands && at + 3 < text.size() && text[at] == ',' && digits_at(text, at + 1) == 3) {
    whole += text.substr(at + 1, 3);
    at += 4;
  }
  std::string fraction;
  std::string repeated;
  if (at < text.size() && text[at] == '.') {
    const size_t count = digits_at(text, at + 1);
    auto [digits, size] = repeating_digits(text, at + 1 + count);
    if (count == 0 && size == 0 && whole.empty()) return std::nullopt;
    fraction = text.substr(at + 1, count);
    repeated = std::move(digits);
    token.decimal = repeated.empty() && count > 0;
    at += 1 + count + size;
  }
  if (whole.empty() && fraction.empty() && repeated.empty()) return std::nullopt;
  token.value = Rational(to_integer(whole + fraction), power_of_ten(fraction.size()));
  if (!repeated.empty()) {
    token.value += Rational(to_integer(repeated), power_of_ten(fraction.size()) * (power_of_ten(repeated.size()) - 1));
  }
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const bool sign = text[at + 1] == '-' || text[at + 1] == '+';
    const size_t count = digits_at(text, at + 1 + (sign ? 1 : 0));
    if (count > 0) {  // "3e8" too: a whole mantissa, as Minerva writes it
      const size_t begin = at + 1 + (sign ? 1 : 0);
      const cpp_int exponent = to_integer(std::string(text.substr(begin, count)));
      const bool negative = text[at + 1] == '-';
      if (exponent > kLargestExponent) {
        token.exponent = negative ? Rational(-exponent) : Rational(exponent);
      } else {
        const cpp_int scale = power_of_ten(exponent.convert_to<size_t>());
        token.value *= negative ? Rational(1, scale) : Rational(scale);
      }
      token.decimal = true;
      at = begin + count;
    }
  }
  token.size = at;
  return token;
}

std::optional<NumberToken> mixed_fraction_at(std::string_view text) {
  constexpr std::string_view kFrac = "\\frac";
  size_t at = std::min(text.find_first_not_of(' '), text.size());
  std::string_view top;
  std::string_view bottom;
  if (text.substr(at).starts_with(kFrac)) {
    at += kFrac.size();
    for (std::string_view* part : {&top, &bottom}) {
      const auto [digits, size] = frac_part(text, at);
      if (size == 0) return std::nullopt;
      *part = digits;
      at += size;
    }
  } else {
    top = text.substr(at, digits_at(text, at));
    at = std::min(text.find_first_not_of(' ', at + top.size()), text.size());
    if (top.empty() || at >= text.size() || text[at] != '/') return std::nullopt;
    at = std::min(text.find_first_not_of(' ', at + 1), text.size());
    bottom = text.substr(at, digits_at(text, at));
    at += bottom.size();
    if (bottom.empty() || (at < text.size() && (text[at] == '.' || text[at] == '/'))) return std::nullopt;
  }
  const size_t next = text.find_first_not_of(' ', at);
  if (top[0] == '0' || bottom[0] == '0' || (next != std::string_view::npos && text[next] == '^')) return std::nullopt;
  NumberToken token;
  token.value = Rational(to_integer(std::string(top)), to_integer(std::string(bottom)));
  token.size = at;
  if (token.value >= 1) return std::nullopt;
  return token;
}

std::optional<ClockTime> clock_time_at(std::string_view text) {
  const auto value = [&](size_t at, size_t size) { return std::stoi(std::string(text.substr(at, size))); };
  const auto pair_at = [&](size_t at) {
    return at < text.size() && text[at] == ':' && digits_at(text, at + 1) == 2 ? value(at + 1, 2) : -1;
  };
  ClockTime time;
  time.size = digits_at(text, 0);
  if (time.size == 0 || time.size > 2) return std::nullopt;
  time.hour = value(0, time.size);
  time.minute = pair_at(time.size);
  if (time.hour > 24 || time.minute < 0 || time.minute >= 60) return std::nullopt;
  time.size += 3;
  time.second = pair_at(time.size);
  if (time.second >= 60) return std::nullopt;
  if (time.second >= 0) time.size += 3;
  const bool more = time.size < text.size() && (text[time.size] == ':' || text[time.size] == '.');
  if (more) return std::nullopt;
  return time;
}

}  // namespace harness
