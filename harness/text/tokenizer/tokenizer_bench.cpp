// Encoding and decoding speed on English and maths, one thread: a byte-level tokenizer.json (MEDSBENCH_TOKENIZER; else the
// small one of the tests) on a text (MEDSBENCH_BENCH_TEXT; else the notes and graded answers of this repository) cut into
// documents.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/files.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {
namespace {

const std::string kSource = MEDSBENCH_SOURCE_DIR;

std::string setting(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::shared_ptr<const Tokenizer> bench_tokenizer() {
  return Tokenizer::from_file(setting("MEDSBENCH_TOKENIZER", kSource + "/harness/text/testdata/qwen2s.tokenizer.json"));
}

// The text cut at the first line end after each 2000 bytes.
std::vector<std::string> documents() {
  const std::string given = setting("MEDSBENCH_BENCH_TEXT", "");
  std::string text;
  if (given.empty()) {
    for (const char* file : {"/experiments/LOG.md", "/harness/reward/testdata/recipe_pairs.jsonl"})
      text += read_file(kSource + file);
  } else {
    text = read_file(given);
  }
  std::vector<std::string> cut;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = begin + 2000 < text.size() ? std::min(text.find('\n', begin + 2000), text.size() - 1) + 1 : text.size();
    cut.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return cut;
}

int64_t bytes_of(const std::vector<std::string>& texts) {
  int64_t bytes = 0;
  for (const std::string& text : texts) bytes += static_cast<int64_t>(text.size());
  return bytes;
}

void encode(benchmark::State& state) {
  const auto tokenizer = bench_tokenizer();
  const auto texts = documents();
  int64_t tokens = 0;
  for (const std::string& text : texts) {
    const auto ids = tokenizer->encode(text);
    if (tokenizer->decode(ids) != text) throw std::logic_error("a decoded text differs from the one encoded");
    tokens += static_cast<int64_t>(ids.size());
  }
  for (auto _ : state) {
    for (const std::string& text : texts) benchmark::DoNotOptimize(tokenizer->encode(text));
  }
  state.SetItemsProcessed(state.iterations() * tokens);
  state.SetBytesProcessed(state.iterations() * bytes_of(texts));
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
  const auto tokenizer = bench_tokenizer();
  const auto texts = documents();
  std::vector<std::vector<int64_t>> encoded;
  for (const std::string& text : texts) encoded.push_back(tokenizer->encode(text));
  if (tokenizer->decode(encoded.back()) != texts.back()) throw std::logic_error("a decoded text differs from the one encoded");
  for (auto _ : state) {
    for (const auto& ids : encoded) benchmark::DoNotOptimize(tokenizer->decode(ids));
  }
  state.SetBytesProcessed(state.iterations() * bytes_of(texts));
}
BENCHMARK(decode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace harness
