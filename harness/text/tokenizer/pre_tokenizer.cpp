#include "harness/text/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "harness/core/utf8.h"
#include "harness/text/tokenizer/byte_level.h"
#include "harness/text/tokenizer/json_part.h"
#include "harness/text/tokenizer/text_pattern.h"
#include "harness/text/unicode/properties.h"
#include "harness/text/unicode/regex.h"

namespace harness {

namespace {

// GPT-2's pattern, which ByteLevel applies unless told not to.
constexpr std::string_view kByteLevelPattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

Behavior behavior_of(const std::string& name) {
  if (name == "Removed") return Behavior::kRemoved;
  if (name == "Isolated") return Behavior::kIsolated;
  if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behavior::kMergedWithNext;
  if (name == "Contiguous") return Behavior::kContiguous;
  throw Error("behavior: expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous, found {}", name);
}

// A stretch of the text that is a match or lies between matches.
struct Stretch {
  size_t begin = 0;
  size_t end = 0;
  bool is_match = false;
};

void cover(const std::vector<TextRange>& matches, size_t length, std::vector<Stretch>& stretches) {
  stretches.clear();
  size_t last = 0;
  for (const TextRange& match : matches) {
    if (last != match.begin) stretches.push_back({last, match.begin, false});
    stretches.push_back({match.begin, match.end, true});
    last = match.end;
  }
  if (last != length) stretches.push_back({last, length, false});
}

// Joins or drops stretches as `behavior` says; what is left in `stretches` are the parts to keep.
void join_stretches(std::vector<Stretch>& stretches, Behavior behavior) {
  if (behavior == Behavior::kIsolated) return;
  const bool from_the_end = behavior == Behavior::kMergedWithNext;
  if (from_the_end) std::reverse(stretches.begin(), stretches.end());
  std::vector<Stretch> kept;
  bool previous = false;  // the stretch before is a match
  for (const Stretch& s : stretches) {
    const bool joins = behavior == Behavior::kContiguous ? s.is_match == previous : s.is_match && !previous;
    previous = s.is_match;
    if (behavior == Behavior::kRemoved) {
      if (!s.is_match) kept.push_back(s);
    } else if (joins && !kept.empty()) {
      kept.back() = {std::min(kept.back().begin, s.begin), std::max(kept.back().end, s.end), kept.back().is_match};
    } else {
      kept.push_back(s);
    }
  }
  if (from_the_end) std::reverse(kept.begin(), kept.end());
  stretches = std::move(kept);
}

void keep_parts(const Piece& piece, const std::vector<Stretch>& stretches, std::vector<Piece>& parts) {
  for (const Stretch& s : stretches) {
    if (s.begin < s.end) parts.push_back({piece.text.substr(s.begin, s.end - s.begin), piece.at_start && s.begin == 0});
  }
}

// Appends the matches in a text from left to right.
using FindMatches = std::function<void(std::string_view text, std::vector<TextRange>& matches)>;

class Split : public PreTokenizer {
 public:
  Split(FindMatches find, Behavior behavior, bool invert = false)
      : find_(std::move(find)), behavior_(behavior), invert_(invert) {}

  void apply(std::vector<Piece>& pieces, std::deque<std::string>& /*arena*/) const override {
    std::vector<Piece> parts;
    std::vector<TextRange> matches;
    std::vector<Stretch> stretches;
    for (const Piece& piece : pieces) {
      matches.clear();
      find_(piece.text, matches);
      cover(matches, piece.text.size(), stretches);
      if (invert_) {
        for (Stretch& s : stretches) s.is_match = !s.is_match;
      }
      join_stretches(stretches, behavior_);
      keep_parts(piece, stretches, parts);
    }
    pieces = std::move(parts);
  }

 private:
  FindMatches find_;
  Behavior behavior_;
  bool invert_;
};

FindMatches matches_of(Regex regex) {
  return [regex = std::move(regex)](std::string_view text, std::vector<TextRange>& matches) { regex.find_all(text, matches); };
}

// The single characters for which `is_match` holds.
FindMatches characters_that(std::function<bool(char32_t)> is_match) {
  return [is_match = std::move(is_match)](std::string_view text, std::vector<TextRange>& matches) {
    for (size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      const size_t end = at + static_cast<size_t>(point.length);
      if (is_match(point.value)) matches.push_back({at, end});
      at = end;
    }
  };
}

// Writes every piece anew.
class Rewrite : public PreTokenizer {
 public:
  explicit Rewrite(std::function<std::string(std::string_view)> rewrite) : rewrite_(std::move(rewrite)) {}
  void apply(std::vector<Piece>& pieces, std::deque<std::string>& arena) const override {
    for (Piece& piece : pieces) piece.text = arena.emplace_back(rewrite_(piece.text));
  }

 private:
  std::function<std::string(std::string_view)> rewrite_;
};

class PrefixSpace : public PreTokenizer {
 public:
  void apply(std::vector<Piece>& pieces, std::deque<std::string>& arena) const override {
    for (Piece& piece : pieces) {
      if (!piece.text.starts_with(' ')) piece.text = arena.emplace_back(" " + std::string(piece.text));
    }
  }
};

enum class PrependScheme { kFirst, kNever, kAlways };

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme) : replacement_(std::move(replacement)), scheme_(scheme) {}

  void apply(std::vector<Piece>& pieces, std::deque<std::string>& arena) const override {
    for (Piece& piece : pieces) {
      std::string text;
      text.reserve(piece.text.size() + 8);
      for (const char byte : piece.text) {
        if (byte == ' ') {
          text += replacement_;
        } else {
          text += byte;
        }
      }
      const bool wanted = scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && piece.at_start);
      if (wanted && !text.starts_with(replacement_)) text.insert(0, replacement_);
      piece.text = arena.emplace_back(std::move(text));
    }
  }

 private:
  std::string replacement_;
  PrependScheme scheme_;
};

size_t bytes_of(const std::vector<Piece>& pieces) {
  size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.text.size();
  return bytes;
}

class Chain : public PreTokenizer {
 public:
  void add(std::unique_ptr<PreTokenizer> step) { steps_.push_back(std::move(step)); }
  void apply(std::vector<Piece>& pieces, std::deque<std::string>& arena) const override {
    const size_t before = bytes_of(pieces);
    for (const auto& step : steps_) {
      step->apply(pieces, arena);
      check_rewritten(bytes_of(pieces), before);
    }
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

std::string single_character(const Json& part, const std::string& key, const std::string& fallback) {
  std::string text = text_or(part, key, fallback);
  if (to_code_points(text).size() != 1) throw Error("\"{}\": expected one character, found \"{}\"", key, text);
  return text;
}

void add_metaspace(const Json& part, Chain& chain) {
  std::string replacement = single_character(part, "replacement", "\xE2\x96\x81");
  const bool add_prefix = bool_or(part, "add_prefix_space", true);
  const std::string scheme = text_or(part, "prepend_scheme", add_prefix ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    throw Error("prepend_scheme: expected always, first or never, found {}", scheme);
  }
  const PrependScheme kind = scheme == "first"   ? PrependScheme::kFirst
                             : scheme == "never" ? PrependScheme::kNever
                                                 : PrependScheme::kAlways;
  chain.add(std::make_unique<Metaspace>(replacement, kind));
  if (bool_or(part, "split", true)) {
    chain.add(std::make_unique<Split>(matches_of(Regex::literal(replacement)), Behavior::kMergedWithNext));
  }
}

void add_split(const Json& part, Chain& chain) {
  chain.add(std::make_unique<Split>(matches_of(TextPattern(part).regex()), behavior_of(text_field(part, "behavior")),
                                    bool_or(part, "invert", false)));
}

// Adds what `part` says to the chain. `last`: nothing follows it. Returns whether the mapping of bytes was left out.
bool add_part(const Json& part, bool last, Chain& chain) {
  const std::string type = text_field(part, "type");
  if (type == "Sequence") {
    const Json& steps = array_field(part, "pretokenizers");
    bool left_out = false;
    for (size_t i = 0; i < steps.size(); ++i) left_out = add_part(steps[i], last && i + 1 == steps.size(), chain);
    return left_out;
  }
  return with_context(type, [&] {
    if (type == "ByteLevel") {
      if (bool_or(part, "add_prefix_space", true)) chain.add(std::make_unique<PrefixSpace>());
      if (bool_or(part, "use_regex", true)) {
        chain.add(std::make_unique<Split>(matches_of(Regex(kByteLevelPattern)), Behavior::kIsolated));
      }
      if (last) return true;
      chain.add(std::make_unique<Rewrite>(
          [alphabet = ByteLevelAlphabet()](std::string_view text) { return alphabet.to_characters(text); }));
    } else if (type == "Split") {
      add_split(part, chain);
    } else if (type == "Digits") {
      const bool individual = bool_or(part, "individual_digits", false);
      chain.add(std::make_unique<Split>(characters_that(is_numeric), individual ? Behavior::kIsolated : Behavior::kContiguous));
    } else if (type == "Whitespace") {
      const Regex words(
          "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}]+|[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}\\s]"
          "+");
      chain.add(std::make_unique<Split>(matches_of(words), Behavior::kRemoved, true));
    } else if (type == "WhitespaceSplit") {
      chain.add(std::make_unique<Split>(characters_that(is_white_space), Behavior::kRemoved));
    } else if (type == "Punctuation") {
      chain.add(std::make_unique<Split>(characters_that(is_punctuation), behavior_of(text_or(part, "behavior", "Isolated"))));
    } else if (type == "BertPreTokenizer") {
      chain.add(std::make_unique<Split>(characters_that(is_white_space), Behavior::kRemoved));
      chain.add(std::make_unique<Split>(characters_that(is_punctuation), Behavior::kIsolated));
    } else if (type == "CharDelimiterSplit") {
      const char32_t delimiter = to_code_points(single_character(part, "delimiter", "")).front();
      chain.add(std::make_unique<Split>(characters_that([delimiter](char32_t value) { return value == delimiter; }),
                                        Behavior::kRemoved));
    } else if (type == "Metaspace") {
      add_metaspace(part, chain);
    } else {
      throw Error(
          "expected Sequence, ByteLevel, Split, Digits, Whitespace, WhitespaceSplit, Punctuation, BertPreTokenizer, "
          "CharDelimiterSplit or Metaspace, found a type that is not supported");
    }
    return false;
  });
}

}  // namespace

PreTokenizerChain make_pre_tokenizer(const Json& part) {
  if (part.is_null()) return {};
  auto chain = std::make_unique<Chain>();
  const bool left_out = add_part(part, true, *chain);
  return {std::move(chain), left_out};
}

}  // namespace harness
