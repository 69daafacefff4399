// Oniguruma's syntax to PCRE2's: what the two read differently is written out.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/core/error.h"
#include "harness/text/unicode/regex.h"

namespace harness {

namespace {

// As members of a character class. PCRE2's own \s has U+180E, its \w lacks marks and connectors. Oniguruma's \w has six
// superscripts and fractions of Latin-1 beside Unicode's words, but not inside a class.
constexpr std::string_view kSpace =
    "\\t-\\r\\x20\\x85\\xA0\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
constexpr std::string_view kNotSpace =
    "\\x00-\\x08\\x0E-\\x1F\\x21-\\x84\\x86-\\x9F\\xA1-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}"
    "\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{10FFFF}";
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr std::string_view kWordAlone = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xB2\\xB3\\xB9\\xBC-\\xBE";

constexpr std::array<std::string_view, 15> kScripts{"Arabic",   "Armenian", "Bengali", "Cyrillic", "Devanagari",
                                                    "Greek",    "Han",      "Hangul",  "Hebrew",   "Hiragana",
                                                    "Katakana", "Latin",    "Tamil",   "Thai",     "Georgian"};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (peek() == '\\') {
        escape(false);
      } else if (peek() == '[') {
        character_class();
      } else if (peek() == '{') {
        interval();
      } else if (peek() == '(') {
        group();
      } else {
        atom_begin_ = out_.size();
        out_ += pattern_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] char peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0'; }
  [[noreturn]] void refuse(std::string_view construct) const {
    throw Error("regular expression \"{}\": {} at its byte {} is not supported", pattern_, construct, at_);
  }

  // (?m) is "dot matches newline" in Ruby's syntax, PCRE2's (?s); ^ and $ always match at lines in both here.
  void group() {
    out_ += pattern_[at_++];
    if (peek() != '?') return;
    size_t end = at_ + 1;
    while (end < pattern_.size() && (std::isalpha(static_cast<unsigned char>(pattern_[end])) != 0 || pattern_[end] == '-'))
      ++end;
    if (end >= pattern_.size() || (pattern_[end] != ':' && pattern_[end] != ')')) return;
    for (; at_ < end; ++at_) {
      if (peek() == 's') refuse("the option s");
      out_ += peek() == 'm' ? 's' : peek();
    }
  }

  // In Ruby's syntax `a{1,3}+` repeats the interval; in PCRE2's it is possessive.
  void interval() {
    const size_t close = pattern_.find('}', at_);
    if (close == std::string_view::npos) {
      out_ += "\\{";
      ++at_;
      return;
    }
    const std::string_view body = pattern_.substr(at_ + 1, close - at_ - 1);
    const bool counts = !body.empty() && body.find_first_not_of("0123456789,") == std::string_view::npos && body != ",";
    if (!counts) {
      out_ += "\\{";
      ++at_;
      return;
    }
    const bool no_minimum = body.front() == ',';
    const std::string whole = fmt::format("{{{}{}}}", no_minimum ? "0" : "", body);
    at_ = close + 1;
    if (peek() == '+') {
      if (out_.size() <= atom_begin_ || out_.back() == ')') refuse("a repeated interval behind a group");
      const std::string atom = out_.substr(atom_begin_);
      out_ = out_.substr(0, atom_begin_) + "(?:" + atom + whole + ")+";
      ++at_;
    } else {
      out_ += whole;
    }
  }

  void property() {
    const size_t close = pattern_.find('}', at_);
    if (peek(2) != '{' || close == std::string_view::npos) refuse("a property without braces");
    bool negated = pattern_[at_ + 1] == 'P';
    std::string name(pattern_.substr(at_ + 3, close - at_ - 3));
    if (!name.empty() && name.front() == '^') {
      negated = !negated;
      name.erase(0, 1);
    }
    if (name == "Alnum" || name == "Alpha" || name == "Space" || name == "Word") refuse("the property " + name);
    // A bare script is all that is used with it in PCRE2, that script alone in Oniguruma.
    const bool is_script = std::find(kScripts.begin(), kScripts.end(), name) != kScripts.end();
    out_ += fmt::format("\\{}{{{}{}}}", negated ? 'P' : 'p', is_script ? "sc:" : "", name);
    at_ = close + 1;
  }

  void escape(bool in_class) {
    if (!in_class) atom_begin_ = out_.size();
    const char kind = peek(1);
    const auto members = [&](std::string_view set, bool complement) {
      out_ += in_class ? std::string(set) : fmt::format("[{}{}]", complement ? "^" : "", set);
      at_ += 2;
    };
    switch (kind) {
      case 'p':
      case 'P':
        return property();
      case 's':
        return members(kSpace, false);
      case 'S':
        return in_class ? members(kNotSpace, false) : members(kSpace, true);
      case 'w':
        return members(in_class ? kWord : kWordAlone, false);
      case 'W':
        if (in_class) refuse("\\W inside a class");
        return members(kWordAlone, true);
      case 'h':
        return members("0-9a-fA-F", false);
      case 'H':
        if (in_class) refuse("\\H inside a class");
        return members("0-9a-fA-F", true);
      case 'Z':
      case 'z':
      case 'A':
      case 'b':
      case 'B':
      case 'd':
      case 'D':
      case 'G':
        break;
      case 'u': {
        out_ += fmt::format("\\x{{{}}}", pattern_.substr(at_ + 2, 4));
        at_ += 6;
        return;
      }
      case '\0':
        refuse("a trailing backslash");
      default:
        break;
    }
    out_ += '\\';
    ++at_;
    // The escaped character may have several bytes.
    out_ += pattern_[at_++];
    while (at_ < pattern_.size() && (static_cast<unsigned char>(pattern_[at_]) & 0xC0) == 0x80) out_ += pattern_[at_++];
  }

  void character_class() {
    const size_t begin = out_.size();
    out_ += pattern_[at_++];
    if (peek() == '^') out_ += pattern_[at_++];
    if (peek() == ']') {
      out_ += "\\]";
      ++at_;
    }
    for (int depth = 1; depth > 0;) {
      if (at_ >= pattern_.size()) refuse("an unclosed class");
      if (peek() == '\\') {
        escape(true);
      } else if (peek() == '&' && peek(1) == '&') {
        refuse("a class intersection");
      } else if (peek() == '[' && peek(1) == ':') {
        const size_t close = pattern_.find(":]", at_);
        if (close == std::string_view::npos) refuse("an unclosed class");
        out_ += pattern_.substr(at_, close + 2 - at_);
        at_ = close + 2;
      } else if (peek() == '[') {
        // A nested class is a union: its members join the outer ones.
        if (peek(1) == '^') refuse("a nested class with a complement");
        ++depth;
        ++at_;
      } else if (peek() == ']') {
        --depth;
        if (depth == 0) out_ += ']';
        ++at_;
      } else {
        out_ += pattern_[at_++];
      }
    }
    atom_begin_ = begin;
  }

  std::string_view pattern_;
  std::string out_;
  size_t at_ = 0;
  size_t atom_begin_ = 0;  // where the last atom begins in out_
};

}  // namespace

std::string translate_oniguruma(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace harness
