#include "harness/core/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"

namespace harness {

namespace {

constexpr size_t kLengthBytes = 8;            // little-endian length of the header
constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own bound
constexpr const char* kMetadataName = "__metadata__";

const std::map<std::string, int64_t>& item_sizes() {
  static const std::map<std::string, int64_t> kSizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
      {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}, {"C64", 8}};
  return kSizes;
}

// Elements of a shape, or -1 where the product leaves 63 bits.
int64_t element_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

int64_t byte_count(const std::string& dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = element_count(shape);
  if (bytes < 0 || __builtin_mul_overflow(bytes, safetensors_item_size(dtype), &bytes)) return -1;
  return bytes;
}

// The header as JSON; a name that stands twice in one object is an error, where the JSON library would keep the last.
Json parse_header(std::string_view text) {
  std::vector<std::set<std::string>> names;
  const Json::parser_callback_t refuse_doubles = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) {
      throw Error("expected each name once in the header, found \"{}\" twice", parsed.get<std::string>());
    }
    return true;
  };
  try {
    return Json::parse(text, refuse_doubles);
  } catch (const Json::exception&) {
    throw Error("expected a JSON header of {} bytes, found something else", text.size());
  }
}

std::vector<int64_t> integer_list(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) throw Error("expected the list \"{}\", found none", key);
  std::vector<int64_t> values;
  for (const Json& value : *found) {
    if (!value.is_number_integer() || value.get<int64_t>() < 0 ||
        (value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max())) {
      throw Error("\"{}\": expected integers of 0 or more, found {}", key, dump_line(value));
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

// `data` is what follows the header.
SafetensorsEntry read_entry(const std::string& name, const Json& object, std::span<const std::byte> data) {
  SafetensorsEntry entry;
  entry.name = name;
  entry.dtype = text_field(object, "dtype");
  entry.shape = integer_list(object, "shape");
  const std::vector<int64_t> offsets = integer_list(object, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw Error("\"data_offsets\": expected [begin, end] with begin <= end, found {}", dump_line(object["data_offsets"]));
  }
  if (static_cast<uint64_t>(offsets[1]) > data.size()) {
    throw Error("expected {} bytes of data, found {} (the file is cut short)", offsets[1], data.size());
  }
  const int64_t expected = byte_count(entry.dtype, entry.shape);
  if (expected != offsets[1] - offsets[0]) {
    throw Error("expected {} bytes for its dtype and shape, found {}", expected, offsets[1] - offsets[0]);
  }
  entry.bytes = data.subspan(static_cast<size_t>(offsets[0]), static_cast<size_t>(expected));
  return entry;
}

}  // namespace

int64_t safetensors_item_size(const std::string& dtype) {
  const auto found = item_sizes().find(dtype);
  if (found == item_sizes().end()) throw Error("expected a dtype such as F32, BF16 or I64, found \"{}\"", dtype);
  return found->second;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  map_file();
  try {
    with_context(path_, [&] { read_header(); });
  } catch (...) {
    unmap();
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() { unmap(); }

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept { *this = std::move(other); }

SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  path_ = std::move(other.path_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  entries_ = std::move(other.entries_);
  places_ = std::move(other.places_);
  metadata_ = std::move(other.metadata_);
  return *this;
}

void SafetensorsFile::unmap() noexcept {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  data_ = nullptr;
}

void SafetensorsFile::map_file() {
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (descriptor >= 0) ::close(descriptor);
    throw Error("{}: expected a readable file, found none", path_);
  }
  size_ = static_cast<size_t>(status.st_size);
  if (size_ < kLengthBytes) {
    ::close(descriptor);
    throw Error("{}: expected a safetensors file of at least 8 bytes, found {} bytes", path_, size_);
  }
  void* mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int why = errno;
  ::close(descriptor);
  if (mapping == MAP_FAILED) throw Error("{}: expected to map {} bytes, found: {}", path_, size_, std::strerror(why));
  data_ = static_cast<const std::byte*>(mapping);
}

void SafetensorsFile::read_header() {
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= static_cast<uint64_t>(data_[i]) << (8 * i);
  const std::string_view head(reinterpret_cast<const char*>(data_), std::min<size_t>(size_, 512));
  if (const std::string other = foreign_content(head); !other.empty())
    throw Error("expected a safetensors file, found {}", other);
  if (length > kMaxHeader) throw Error("expected a header of at most {} bytes, found one of {}", kMaxHeader, length);
  if (length > size_ - kLengthBytes) {
    throw Error("expected a header of {} bytes, found {} (the file is cut short)", length, size_ - kLengthBytes);
  }
  const auto* text = reinterpret_cast<const char*>(data_ + kLengthBytes);
  const Json header = parse_header({text, static_cast<size_t>(length)});
  if (!header.is_object()) throw Error("expected the header to be a JSON object, found {}", header.type_name());
  const std::span<const std::byte> data(data_ + kLengthBytes + length, size_ - kLengthBytes - length);
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataName) {
      for (const auto& [key, text_value] : value.items()) {
        if (!text_value.is_string()) throw Error("metadata {}: expected a string, found {}", key, text_value.type_name());
        metadata_[key] = text_value.get<std::string>();
      }
      continue;
    }
    const auto read = [&data, &tensor = name, &object = value] { return read_entry(tensor, object, data); };
    entries_.push_back(with_context(fmt::format("tensor {}", name), read));
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::make_pair(a.bytes.data(), a.bytes.size()) < std::make_pair(b.bytes.data(), b.bytes.size());
  });
  check_layout(data.size());
  for (size_t i = 0; i < entries_.size(); ++i) places_[entries_[i].name] = i;
}

void SafetensorsFile::check_layout(size_t data_size) const {
  const std::byte* next = data_ + size_ - data_size;
  for (const SafetensorsEntry& entry : entries_) {
    if (entry.bytes.data() != next) {
      throw Error("tensor {}: expected its data at offset {}, found {} (the tensors overlap or leave a gap)", entry.name,
                  next - (data_ + size_ - data_size), entry.bytes.data() - (data_ + size_ - data_size));
    }
    next += entry.bytes.size();
  }
  if (next != data_ + size_) {
    throw Error("expected the data to end with the last tensor, found {} bytes more", data_ + size_ - next);
  }
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : entries_) names.push_back(entry.name);
  return names;
}

const SafetensorsEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) throw Error("{}: expected the tensor {}, found none", path_, name);
  return entries_[found->second];
}

void write_safetensors(const std::string& path, std::vector<SafetensorsEntry> entries,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    const int64_t width_a = safetensors_item_size(a.dtype);
    const int64_t width_b = safetensors_item_size(b.dtype);
    return width_a != width_b ? width_a > width_b : a.name < b.name;
  });
  OrderedJson header = OrderedJson::object();
  if (!metadata.empty()) header[kMetadataName] = metadata;
  size_t offset = 0;
  for (const SafetensorsEntry& entry : entries) {
    MEDSBENCH_CHECK(byte_count(entry.dtype, entry.shape) == static_cast<int64_t>(entry.bytes.size()),
                    "{}: {} bytes do not fit its dtype {} and shape", entry.name, entry.bytes.size(), entry.dtype);
    MEDSBENCH_CHECK(!header.contains(entry.name), "the name {} is given twice or reserved", entry.name);
    header[entry.name] = {
        {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {offset, offset + entry.bytes.size()}}};
    offset += entry.bytes.size();
  }
  std::string text = dump_line(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  std::string length(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  write_file_atomically(path, [&](const std::string& temporary) {
    std::filesystem::remove(temporary);
    append_to_file(temporary, length + text);
    for (const SafetensorsEntry& entry : entries) {
      append_to_file(temporary, {reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size()});
    }
  });
}

}  // namespace harness
