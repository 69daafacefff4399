// Saving and loading of ErrorMemory. Version 2:
// NAME-00000.safetensors, NAME-00001.safetensors, ...: stored responses in the order in which they came (with a window or a
// cap:
//   one history after the other), 4096 in each but the last: vectors F32 [n, D] as they came, not normalised; histories I32
//   [n], places in the list of NAME.json; steps I64 [n]; answers and error_labels I32 [n], places in the lists of NAME.json, -1
//   for none. A full one never changes again, so a checkpoint links it from the one before and writes the last one alone.
// NAME.json: format, version, settings, dimension, segments ({"rows", "sha256"} of each file), answers, error_labels, histories
//   ({"problem": 16 hexadecimal digits, "correct"}). Cluster labels are not stored: they follow from a history's rows in order.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/safetensors.h"
#include "meds/memory.h"

namespace meds {

namespace {

constexpr int64_t kVersion = 2;
constexpr size_t kSegmentRows = 4096;
constexpr const char* kFormat = "medsbench error memory";

std::string segment_path(const std::string& folder, const std::string& name, size_t segment) {
  return fmt::format("{}/{}-{:05}.safetensors", folder, name, segment);
}
std::string json_path(const std::string& folder, const std::string& name) { return folder + "/" + name + ".json"; }

// Rows of one segment, or of one history.
struct Columns {
  std::vector<float> vectors;
  std::vector<int32_t> histories;
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
  const std::map<std::string, std::string> keys = memory_keys(settings);
  for (const auto& [key, value] : keys) {
    const std::string found = harness::text_field(saved, key);
    if (found != value) {
      throw harness::Error("expected a memory of method.{} = {}, found one of {}", key, value, found);
    }
  }
  for (const auto& [key, value] : saved.items()) {
    if (!keys.contains(key)) throw harness::Error("expected a memory without method.{}, found one of {}", key, value.dump());
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

void require_ids(const std::vector<int32_t>& ids, int32_t least, size_t texts, const std::string& name) {
  for (const int32_t id : ids) {
    if (id < least || id >= static_cast<int64_t>(texts)) {
      throw harness::Error("{}: expected places below {}, found {}", name, texts, id);
    }
  }
}

// SHA-256 of the segments of a memory saved in `folder`; none where there is no such memory.
std::vector<std::string> segment_hashes(const std::string& folder, const std::string& name) {
  std::vector<std::string> hashes;
  if (folder.empty() || !std::filesystem::exists(json_path(folder, name))) return hashes;
  const harness::Json json = harness::parse_json(harness::read_file(json_path(folder, name)));
  if (harness::integer_field(json, "version") != kVersion) return hashes;
  for (const harness::Json& segment : json.at("segments")) hashes.push_back(harness::text_field(segment, "sha256"));
  return hashes;
}

// False where the file system has no links.
bool link_file(const std::string& from, const std::string& to) {
  std::error_code failed;
  std::filesystem::remove(to, failed);
  std::filesystem::create_hard_link(from, to, failed);
  return !failed;
}

void write_segment(const std::string& path, const Columns& columns, int64_t width) {
  const auto n = static_cast<int64_t>(columns.steps.size());
  harness::write_safetensors(
      path, {entry_of("vectors", "F32", {n, width}, columns.vectors), entry_of("histories", "I32", {n}, columns.histories),
             entry_of("steps", "I64", {n}, columns.steps), entry_of("answers", "I32", {n}, columns.answers),
             entry_of("error_labels", "I32", {n}, columns.error_labels)});
}

Columns read_segment(const std::string& path, int64_t n, int64_t width, const std::string& sha256) {
  if (harness::sha256_file(path) != sha256) {
    throw harness::Error("expected the {} that was written with it, found another",
                         std::filesystem::path(path).filename().string());
  }
  const harness::SafetensorsFile file(path);
  return {column<float>(file, "vectors", "F32", {n, width}), column<int32_t>(file, "histories", "I32", {n}),
          column<int64_t>(file, "steps", "I64", {n}), column<int32_t>(file, "answers", "I32", {n}),
          column<int32_t>(file, "error_labels", "I32", {n})};
}

}  // namespace

ErrorMemory::Log ErrorMemory::log_of_histories() const {
  Log log;
  for (const auto& [key, history] : histories_) {
    const int32_t number = log.number_of(key);
    for (int64_t i = 0; i < history.size(); ++i) log.rows.push_back({number, static_cast<int32_t>(i)});
  }
  return log;
}

void ErrorMemory::save(const std::string& folder, const std::string& name, const std::string& previous) const {
  wait();
  harness::make_folder(folder);
  const bool appends = !settings_.forgets();
  const Log rebuilt = appends ? Log{} : log_of_histories();
  const Log& log = appends ? log_ : rebuilt;
  std::vector<const History*> history;
  for (const Key& key : log.keys) history.push_back(&histories_.at(key));
  const int64_t width = settings_.needs_fingerprints() ? dimension_ : 0;
  const std::vector<std::string> linkable = appends ? segment_hashes(previous, name) : std::vector<std::string>{};
  if (!appends) sealed_.clear();

  harness::OrderedJson segments = harness::OrderedJson::array();
  for (size_t begin = 0, s = 0; begin < log.rows.size(); begin += kSegmentRows, ++s) {
    const size_t end = std::min(begin + kSegmentRows, log.rows.size());
    const std::string path = segment_path(folder, name, s);
    const bool linked = s < sealed_.size() && s < linkable.size() && linkable[s] == sealed_[s] &&
                        link_file(segment_path(previous, name, s), path);
    std::string sha256 = linked ? sealed_[s] : "";
    if (!linked) {
      Columns columns;
      for (size_t r = begin; r < end; ++r) {
        const History& from = *history[static_cast<size_t>(log.rows[r].history)];
        const auto i = static_cast<size_t>(log.rows[r].place);
        const float* vector = from.vectors().data() + i * static_cast<size_t>(width);
        columns.vectors.insert(columns.vectors.end(), vector, vector + width);
        columns.histories.push_back(log.rows[r].history);
        columns.steps.push_back(from.steps()[i]);
        columns.answers.push_back(from.answers()[i]);
        columns.error_labels.push_back(from.error_labels()[i]);
      }
      write_segment(path, columns, width);
      sha256 = harness::sha256_file(path);
      if (appends && end - begin == kSegmentRows && s == sealed_.size()) sealed_.push_back(sha256);
    }
    segments.push_back({{"rows", end - begin}, {"sha256", sha256}});
  }
  harness::OrderedJson settings;
  for (const auto& [key, value] : memory_keys(settings_)) settings[key] = value;
  harness::OrderedJson keys = harness::OrderedJson::array();
  for (const Key& key : log.keys) keys.push_back({{"problem", fmt::format("{:016x}", key.problem)}, {"correct", key.correct}});
  const harness::OrderedJson json = {{"format", kFormat},
                                     {"version", kVersion},
                                     {"settings", settings},
                                     {"dimension", dimension_},
                                     {"segments", segments},
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
    for (const char* list : {"segments", "histories"}) {
      if (!json.contains(list) || !json[list].is_array()) throw harness::Error("expected the list \"{}\"", list);
    }
    ErrorMemory read(settings_);
    read.dimension_ = harness::integer_field(json, "dimension");
    const std::vector<std::string> answers = text_list(json, "answers");
    const std::vector<std::string> error_labels = text_list(json, "error_labels");
    read.answers_ = table_of(answers);
    read.error_labels_ = table_of(error_labels);
    for (const harness::Json& entry : json["histories"]) {
      read.log_.number_of({problem_of(harness::text_field(entry, "problem")), harness::boolean_field(entry, "correct")});
    }
    const int64_t width = settings_.needs_fingerprints() ? read.dimension_ : 0;
    std::vector<Columns> by_history(read.log_.keys.size());
    for (size_t s = 0; s < json["segments"].size(); ++s) {
      const harness::Json& segment = json["segments"][s];
      const std::string sha256 = harness::text_field(segment, "sha256");
      const Columns rows = read_segment(segment_path(folder, name, s), harness::integer_field(segment, "rows"), width, sha256);
      require_ids(rows.histories, 0, by_history.size(), "histories");
      require_ids(rows.answers, -1, answers.size(), "answers");
      require_ids(rows.error_labels, -1, error_labels.size(), "error_labels");
      for (size_t r = 0; r < rows.steps.size(); ++r) {
        Columns& to = by_history[static_cast<size_t>(rows.histories[r])];
        read.log_.rows.push_back({rows.histories[r], static_cast<int32_t>(to.steps.size())});
        const float* vector = rows.vectors.data() + r * static_cast<size_t>(width);
        to.vectors.insert(to.vectors.end(), vector, vector + width);
        to.steps.push_back(rows.steps[r]);
        to.answers.push_back(rows.answers[r]);
        to.error_labels.push_back(rows.error_labels[r]);
      }
      if (rows.steps.size() == kSegmentRows) read.sealed_.push_back(sha256);
    }
    for (size_t h = 0; h < by_history.size(); ++h) {
      const Key key = read.log_.keys[h];
      const Columns& of = by_history[h];
      read.histories_.try_emplace(key, settings_, key.problem, key.correct)
          .first->second.restore(of.vectors, of.steps, of.answers, of.error_labels);
      read.histories_.at(key).settle();
    }
    if (settings_.forgets()) read.log_ = {}, read.sealed_.clear();
    wait();
    *this = std::move(read);
  });
}

Settings saved_settings(const std::string& folder) {
  return harness::with_context(json_path(folder, "meds"), [&] {
    const harness::Json json = harness::parse_json(harness::read_file(json_path(folder, "meds")));
    if (!json.contains("settings")) throw harness::Error("expected the field \"settings\", found none");
    harness::Config config;
    for (const auto& [key, value] : json["settings"].items()) {
      config.set("method." + key + "=" + harness::text_field(json["settings"], key), "meds.json");
    }
    harness::ConfigReader reader(config);
    harness::MethodKeys keys(reader, "meds");
    return read_settings(keys);
  });
}

}  // namespace meds
