#include "harness/reward/math/unicode_forms.h"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"

namespace harness {
namespace {

using Spelling = std::pair<char32_t, std::string_view>;

constexpr std::array kUnicodeSigns = std::to_array<Spelling>({
    {U'½', "\\frac{1}{2}"},
    {U'⅓', "\\frac{1}{3}"},
    {U'⅔', "\\frac{2}{3}"},
    {U'¼', "\\frac{1}{4}"},
    {U'¾', "\\frac{3}{4}"},
    {U'⅕', "\\frac{1}{5}"},
    {U'⅖', "\\frac{2}{5}"},
    {U'⅗', "\\frac{3}{5}"},
    {U'⅘', "\\frac{4}{5}"},
    {U'⅙', "\\frac{1}{6}"},
    {U'⅚', "\\frac{5}{6}"},
    {U'⅛', "\\frac{1}{8}"},
    {U'⅜', "\\frac{3}{8}"},
    {U'⅝', "\\frac{5}{8}"},
    {U'⅞', "\\frac{7}{8}"},
    {U'∞', "\\infty "},
    {U'√', "\\sqrt "},
    {U'×', "\\times "},
    {U'·', "\\cdot "},
    {U'⋅', "\\cdot "},
    {U'÷', "\\div "},
    {U'∕', "/"},
    {U'⁄', "/"},
    {U'∶', ":"},
    {U'±', "\\pm "},
    {U'∓', "\\mp "},
    {U'≤', "\\le "},
    {U'≥', "\\ge "},
    {U'⩽', "\\le "},
    {U'⩾', "\\ge "},
    {U'≦', "\\le "},
    {U'≧', "\\ge "},
    {U'≠', "\\ne "},
    {U'≈', "\\approx "},
    {U'∪', "\\cup "},
    {U'∩', "\\cap "},
    {U'∖', "\\setminus "},
    {U'∅', "\\emptyset "},
    {U'∈', "\\in "},
    {U'∉', "\\notin "},
    {U'∣', "\\mid "},
    {U'∧', "\\land "},
    {U'∨', "\\lor "},
    {U'ℝ', "\\mathbb{R}"},
    {U'π', "\\pi "},
    {U'θ', "\\theta "},
    {U'α', "\\alpha "},
    {U'β', "\\beta "},
    {U'γ', "\\gamma "},
    {U'δ', "\\delta "},
    {U'λ', "\\lambda "},
    {U'μ', "\\mu "},
    {U'ρ', "\\rho "},
    {U'σ', "\\sigma "},
    {U'τ', "\\tau "},
    {U'φ', "\\phi "},
    {U'ψ', "\\psi "},
    {U'ω', "\\omega "},
    {U'Δ', "\\Delta "},
    {U'Ω', "\\Omega "},
    {U'°', ""},
    {U'℃', ""},
    {U'℉', ""},
    {U'€', ""},
    {U'£', ""},
    {U'¥', ""},
    {U'￥', ""},
    {U'−', "-"},
    {U'‐', "-"},
    {U'‑', "-"},
    {U'‒', "-"},
    {U'–', "-"},
    {U'—', "-"},
    {U'﹣', "-"},
    {U'“', "\""},
    {U'”', "\""},
    {U'„', "\""},
    {U'«', "\""},
    {U'»', "\""},
    {U'「', "\""},
    {U'」', "\""},
    {U'『', "\""},
    {U'』', "\""},
    {U'‘', "'"},
    {U'’', "'"},
    {U'′', "'"},
    {U'、', ","},
    {U'。', "."},
    {U'【', "["},
    {U'】', "]"},
    {U'\u00A0', " "},
    {U'\u2007', " "},
    {U'\u2009', " "},
    {U'\u202F', " "},
    {U'\u3000', " "},
    {U'\u200B', ""},
    {U'\uFEFF', ""},
});

constexpr std::u32string_view kSuperscripts = U"⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺";
constexpr std::u32string_view kSubscripts = U"₀₁₂₃₄₅₆₇₈₉₋₊";
constexpr std::string_view kScriptDigits = "0123456789-+";

// The words between two values, the longer ones first.
constexpr std::array kConjunctions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"或者", " or "},
    {"以及", " and "},
    {"或", " or "},
    {"和", " and "},
    {"与", " and "},
    {"及", " and "},
    {"且", " and "},
});

constexpr std::array kMultipliers = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"十", "\\cdot 10"},
    {"百", "\\cdot 10^{2}"},
    {"千", "\\cdot 10^{3}"},
    {"万", "\\cdot 10^{4}"},
    {"萬", "\\cdot 10^{4}"},
    {"亿", "\\cdot 10^{8}"},
    {"億", "\\cdot 10^{8}"},
});

bool is_east_asian_letter(char32_t c) {
  return (c >= 0x3041 && c <= 0x30FF) || (c >= 0x3300 && c <= 0x33FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || c == U'々' || c == U'〇';
}

// A run of one kind of small digits at `at` as `^{...}` or `_{...}`; its bytes, 0 where none begins.
size_t append_script(std::string& result, std::string_view text, size_t at, std::u32string_view digits, char mark) {
  size_t end = at;
  std::string content;
  while (end < text.size()) {
    const size_t size = utf8_length(text.substr(end));
    if (size < 2) break;
    const size_t which = digits.find(code_point_at(text, end).value);
    if (which == std::u32string_view::npos) break;
    content += kScriptDigits[which];
    end += size;
  }
  if (end > at) result.append({mark, '{'}).append(content).append("}");
  return end - at;
}

void append_character(std::string& result, std::string_view bytes) {
  const char32_t c = code_point_at(bytes, 0).value;
  if (c >= 0xFF01 && c <= 0xFF5D) {
    result += static_cast<char>(c - 0xFF01 + '!');
    return;
  }
  for (const auto& [sign, spelling] : kUnicodeSigns) {
    if (sign == c) {
      result += spelling;
      return;
    }
  }
  result += bytes;
}

// Units of a thousand: kilogram, kilometre, kilowatt, kilocalorie, kilohertz, kilopascal, kilovolt, kilobyte.
bool is_kilo_unit(std::string_view text) {
  for (const std::string_view unit : {"千克", "千米", "千瓦", "千卡", "千赫", "千帕", "千伏", "千字节"}) {
    if (text.starts_with(unit)) return true;
  }
  return false;
}

// `3万` and `3千万`: a multiplier counts behind a digit or another multiplier.
std::string spell_multipliers(const std::string& text) {
  std::string result;
  bool behind_number = false;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const auto found = std::find_if(kMultipliers.begin(), kMultipliers.end(), [&](const auto& entry) {
      return behind_number && rest.starts_with(entry.first) && !is_kilo_unit(rest);
    });
    if (found != kMultipliers.end()) {
      result += found->second;
      at += found->first.size();
      continue;
    }
    behind_number = is_digit(text[at]) || (behind_number && text[at] == ' ');
    result += text[at++];
  }
  return result;
}

}  // namespace

std::string unicode_as_latex(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t size = utf8_length(text.substr(at));
    if (size < 2) {
      result += text[at++];
      continue;
    }
    size_t taken = append_script(result, text, at, kSuperscripts, '^');
    if (taken == 0) taken = append_script(result, text, at, kSubscripts, '_');
    if (taken == 0) append_character(result, text.substr(at, size));
    at += taken == 0 ? size : taken;
  }
  for (const auto& [word, english] : kConjunctions) result = replace_all(std::move(result), word, english);
  return spell_multipliers(result);
}

size_t east_asian_tail(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0) {
    size_t at = begin - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    if (utf8_length(text.substr(at)) != begin - at || begin - at < 3) break;
    if (!is_east_asian_letter(code_point_at(text, at).value)) break;
    begin = at;
  }
  return text.size() - begin;
}

}  // namespace harness
