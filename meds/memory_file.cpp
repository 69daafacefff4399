// Saving and loading of ErrorMemory. Version 1:
// meds.safetensors: vectors F32 [N, D] (as they came, not normalised), labels I64 [N], steps I64 [N], answers I32 [N] and
//   error_labels I32 [N] (places in the lists of meds.json, -1 for none); the histories one after the other, oldest first.
// meds.json: format, version, settings, vectors_sha256 (of meds.safetensors), answers, error_labels, and the histories in
//   ascending order of problem and correctness: {"problem": 16 hexadecimal digits, "correct", "count"}.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/safetensors.h"
#include "meds/memory.h"

namespace meds {

namespace {

constexpr int64_t kVersion = 1;
constexpr const char* kFormat = "medsbench error memory";

std::string vectors_path(const std::string& folder, const std::string& name) { return folder + "/" + name + ".safetensors"; }
std::string json_path(const std::string& folder, const std::string& name) { return folder + "/" + name + ".json"; }

template <typename T>
void append_all(std::vector<T>& all, const std::vector<T>& part) {
  all.insert(all.end(), part.begin(), part.end());
}

// All histories, one after the other.
struct Columns {
  std::vector<float> vectors;
  std::vector<int64_t> labels;
  std::vector<int64_t> steps;
  std::vector<int32_t> answers;
  std::vector<int32_t> error_labels;
};

template <typename T>
std::vector<T> column(const harness::SafetensorsFile& file, const std::string& name, const std::string& dtype,
                      const std::vector<int64_t>& shape) {
  const harness::SafetensorsEntry& entry = file.entry(name);
  if (entry.dtype != dtype || entry.shape != shape) {
    throw harness::Error("{}: tensor {}: expected {} [{}], found {} [{}]", file.path(), name, dtype, fmt::join(shape, ", "),
                         entry.dtype, fmt::join(entry.shape, ", "));
  }
  std::vector<T> values(entry.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), entry.bytes.data(), entry.bytes.size());
  return values;
}

template <typename T>
harness::SafetensorsEntry entry_of(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
                                   const std::vector<T>& values) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span<const T>(values))};
}

void require_same_settings(const harness::Json& saved, const Settings& settings) {
  for (const auto& [key, value] : memory_keys(settings)) {
    const std::string found = harness::text_field(saved, key);
    if (found != value) {
      throw harness::Error("expected a memory of method.{} = {}, found one of {}", key, value, found);
    }
  }
}

std::vector<std::string> text_list(const harness::Json& json, const std::string& key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) throw harness::Error("expected the list \"{}\", found none", key);
  std::vector<std::string> texts;
  for (const harness::Json& text : *found) {
    if (!text.is_string()) throw harness::Error("\"{}\": expected strings, found {}", key, text.type_name());
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

TextTable table_of(const std::vector<std::string>& texts) {
  TextTable table;
  for (const std::string& text : texts) table.intern(text);
  return table;
}

uint64_t problem_of(const std::string& hex) {
  uint64_t problem = 0;
  const auto [end, code] = std::from_chars(hex.data(), hex.data() + hex.size(), problem, 16);
  if (code != std::errc() || end != hex.data() + hex.size() || hex.size() != 16) {
    throw harness::Error("\"problem\": expected 16 hexadecimal digits, found \"{}\"", hex);
  }
  return problem;
}

void require_ids(const std::vector<int32_t>& ids, size_t texts, const std::string& name) {
  for (const int32_t id : ids) {
    if (id < -1 || id >= static_cast<int64_t>(texts)) {
      throw harness::Error("{}: expected places below {}, found {}", name, texts, id);
    }
  }
}

}  // namespace

void ErrorMemory::save(const std::string& folder, const std::string& name) const {
  Columns columns;
  harness::OrderedJson keys = harness::OrderedJson::array();
  for (const auto& [key, history] : histories_) {
    if (history.size() == 0) continue;
    append_all(columns.vectors, history.vectors());
    append_all(columns.labels, history.labels());
    append_all(columns.steps, history.steps());
    append_all(columns.answers, history.answers());
    append_all(columns.error_labels, history.error_labels());
    keys.push_back({{"problem", fmt::format("{:016x}", key.problem)}, {"correct", key.correct}, {"count", history.size()}});
  }
  const auto n = static_cast<int64_t>(columns.labels.size());
  const int64_t width = settings_.needs_fingerprints() ? dimension_ : 0;
  harness::make_folder(folder);
  harness::write_safetensors(vectors_path(folder, name), {entry_of("vectors", "F32", {n, width}, columns.vectors),
                                                    entry_of("labels", "I64", {n}, columns.labels),
                                                    entry_of("steps", "I64", {n}, columns.steps),
                                                    entry_of("answers", "I32", {n}, columns.answers),
                                                    entry_of("error_labels", "I32", {n}, columns.error_labels)});
  harness::OrderedJson settings;
  for (const auto& [key, value] : memory_keys(settings_)) settings[key] = value;
  const harness::OrderedJson json = {{"format", kFormat},
                                     {"version", kVersion},
                                     {"settings", settings},
                                     {"dimension", dimension_},
                                     {"vectors_sha256", harness::sha256_file(vectors_path(folder, name))},
                                     {"answers", answers_.texts()},
                                     {"error_labels", error_labels_.texts()},
                                     {"histories", keys}};
  harness::write_file_atomically(json_path(folder, name), harness::dump_line(json) + "\n");
}

void ErrorMemory::load(const std::string& folder, const std::string& name) {
  harness::with_context(json_path(folder, name), [&] {
    const harness::Json json = harness::parse_json(harness::read_file(json_path(folder, name)));
    if (harness::text_field(json, "format") != kFormat) throw harness::Error("expected the format \"{}\"", kFormat);
    if (const int64_t version = harness::integer_field(json, "version"); version != kVersion) {
      throw harness::Error("expected version {}, found {}", kVersion, version);
    }
    if (!json.contains("settings")) throw harness::Error("expected the field \"settings\", found none");
    require_same_settings(json["settings"], settings_);
    if (harness::sha256_file(vectors_path(folder, name)) != harness::text_field(json, "vectors_sha256")) {
      throw harness::Error("expected the {}.safetensors that was written with it, found another", name);
    }
    if (!json.contains("histories") || !json["histories"].is_array()) throw harness::Error("expected the list \"histories\"");
    int64_t n = 0;
    for (const harness::Json& entry : json["histories"]) n += harness::integer_field(entry, "count");
    const int64_t dimension = harness::integer_field(json, "dimension");
    const int64_t width = settings_.needs_fingerprints() ? dimension : 0;
    const harness::SafetensorsFile file(vectors_path(folder, name));
    const Columns columns{column<float>(file, "vectors", "F32", {n, width}), column<int64_t>(file, "labels", "I64", {n}),
                          column<int64_t>(file, "steps", "I64", {n}), column<int32_t>(file, "answers", "I32", {n}),
                          column<int32_t>(file, "error_labels", "I32", {n})};
    const std::vector<std::string> answers = text_list(json, "answers");
    const std::vector<std::string> error_labels = text_list(json, "error_labels");
    require_ids(columns.answers, answers.size(), "answers");
    require_ids(columns.error_labels, error_labels.size(), "error_labels");
    std::map<Key, History> histories;
    size_t first = 0;
    for (const harness::Json& entry : json["histories"]) {
      const auto count = static_cast<size_t>(harness::integer_field(entry, "count"));
      const Key key{problem_of(harness::text_field(entry, "problem")), harness::boolean_field(entry, "correct")};
      History& history = histories.try_emplace(key, settings_, key.problem, key.correct).first->second;
      const auto wide = static_cast<size_t>(width);
      history.restore(std::span(columns.vectors).subspan(first * wide, count * wide), std::span(columns.labels).subspan(first, count),
                      std::span(columns.steps).subspan(first, count), std::span(columns.answers).subspan(first, count),
                      std::span(columns.error_labels).subspan(first, count));
      first += count;
    }
    dimension_ = dimension;
    histories_ = std::move(histories);
    answers_ = table_of(answers);
    error_labels_ = table_of(error_labels);
  });
}

Settings saved_settings(const std::string& folder) {
  return harness::with_context(json_path(folder, "meds"), [&] {
    const harness::Json json = harness::parse_json(harness::read_file(json_path(folder, "meds")));
    if (!json.contains("settings")) throw harness::Error("expected the field \"settings\", found none");
    harness::Config config;
    for (const auto& [key, value] : memory_keys(Settings{})) {
      const std::string text = harness::text_field(json["settings"], key);
      config.set("method." + key + "=" + text, "meds.json");
    }
    ConfigKeys keys(config);
    return read_settings(keys);
  });
}

}  // namespace meds
