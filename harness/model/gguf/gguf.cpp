#include "harness/model/gguf/gguf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in the file: little-endian");

constexpr int kMaxArrayDepth = 3;          // published files have arrays of numbers and strings: depth 1
constexpr int64_t kDefaultAlignment = 32;  // of the format
constexpr uint32_t kMaxDimensions = 4;     // of ggml

// By ggml's number of the type. Source: ggml.h and ggml's description of GGUF.
const std::map<uint32_t, GgufType>& tensor_types() {
  static const std::map<uint32_t, GgufType> kTypes = {
      {0, {"F32", 1, 4}},       {1, {"F16", 1, 2}},       {2, {"Q4_0", 32, 18}},    {3, {"Q4_1", 32, 20}},
      {6, {"Q5_0", 32, 22}},    {7, {"Q5_1", 32, 24}},    {8, {"Q8_0", 32, 34}},    {10, {"Q2_K", 256, 84}},
      {11, {"Q3_K", 256, 110}}, {12, {"Q4_K", 256, 144}}, {13, {"Q5_K", 256, 176}}, {14, {"Q6_K", 256, 210}},
      {30, {"BF16", 1, 2}}};
  return kTypes;
}

// Reads forward through the bytes; every read is checked.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] size_t position() const { return position_; }
  [[nodiscard]] size_t left() const { return bytes_.size() - position_; }

  template <typename T>
  T read() {
    need(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  std::string read_text() {
    const auto length = read<uint64_t>();
    need(length);
    std::string text(reinterpret_cast<const char*>(bytes_.data() + position_), static_cast<size_t>(length));
    position_ += static_cast<size_t>(length);
    return text;
  }

 private:
  void need(uint64_t count) const {
    if (count > left()) {
      throw Error("byte {}: expected {} bytes more, found {} (the file is cut short or damaged)", position_, count, left());
    }
  }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

Json read_value(Cursor& cursor, uint32_t type, int depth);

Json read_array(Cursor& cursor, int depth) {
  const auto type = cursor.read<uint32_t>();
  const auto count = cursor.read<uint64_t>();
  if (depth >= kMaxArrayDepth) throw Error("byte {}: expected arrays at most {} deep", cursor.position(), kMaxArrayDepth);
  // Each element takes a byte at least, so a damaged count cannot ask for more memory than a multiple of the file.
  if (count > cursor.left()) {
    throw Error("byte {}: expected {} elements, found {} bytes (the file is cut short or damaged)", cursor.position(), count,
                cursor.left());
  }
  Json array = Json::array();
  for (uint64_t i = 0; i < count; ++i) array.push_back(read_value(cursor, type, depth + 1));
  return array;
}

// The types of metadata values, numbered as in ggml's description of GGUF.
Json read_value(Cursor& cursor, uint32_t type, int depth) {
  switch (type) {
    case 0:
      return cursor.read<uint8_t>();
    case 1:
      return cursor.read<int8_t>();
    case 2:
      return cursor.read<uint16_t>();
    case 3:
      return cursor.read<int16_t>();
    case 4:
      return cursor.read<uint32_t>();
    case 5:
      return cursor.read<int32_t>();
    case 6:
      return json_float(cursor.read<float>());
    case 7:
      return cursor.read<uint8_t>() != 0;
    case 8:
      return cursor.read_text();
    case 9:
      return read_array(cursor, depth);
    case 10:
      return cursor.read<uint64_t>();
    case 11:
      return cursor.read<int64_t>();
    case 12:
      return cursor.read<double>();
    default:
      throw Error("byte {}: expected a value type in 0..12, found {}", cursor.position() - 4, type);
  }
}

struct Placed {
  GgufTensor tensor;
  uint64_t offset = 0;
};

Placed read_tensor_info(Cursor& cursor) {
  Placed placed;
  GgufTensor& tensor = placed.tensor;
  tensor.name = cursor.read_text();
  return with_context(fmt::format("tensor {}", tensor.name), [&] {
    const auto dimensions = cursor.read<uint32_t>();
    if (dimensions == 0 || dimensions > kMaxDimensions) {
      throw Error("expected 1..{} dimensions, found {}", kMaxDimensions, dimensions);
    }
    for (uint32_t i = 0; i < dimensions; ++i) {
      const auto extent = cursor.read<uint64_t>();
      if (extent == 0 || extent > (uint64_t{1} << 40)) throw Error("expected a dimension in 1..2^40, found {}", extent);
      tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(extent));
    }
    const auto type = cursor.read<uint32_t>();
    const auto known = tensor_types().find(type);
    if (known == tensor_types().end()) {
      std::string names;
      for (const auto& [number, entry] : tensor_types()) names += (names.empty() ? "" : ", ") + entry.name;
      throw Error("tensor type {} is not supported, expected one of {}", type, names);
    }
    tensor.type = known->second;
    placed.offset = cursor.read<uint64_t>();
    return std::move(placed);
  });
}

// Where the tensor's numbers lie in `data` (all that follows the header).
std::span<const std::byte> locate(const Placed& placed, std::span<const std::byte> data, uint64_t alignment) {
  const GgufTensor& tensor = placed.tensor;
  if (tensor.row_length() % tensor.type.block != 0) {
    throw Error("expected rows of a multiple of {} numbers for {}, found {}", tensor.type.block, tensor.type.name,
                tensor.row_length());
  }
  int64_t bytes = tensor.type.bytes;
  bool fits = !__builtin_mul_overflow(bytes, tensor.row_length() / tensor.type.block, &bytes);
  for (size_t i = 0; i + 1 < tensor.shape.size(); ++i) fits = fits && !__builtin_mul_overflow(bytes, tensor.shape[i], &bytes);
  if (placed.offset % alignment != 0) throw Error("expected an offset of a multiple of {}, found {}", alignment, placed.offset);
  if (!fits || placed.offset > data.size() || static_cast<uint64_t>(bytes) > data.size() - placed.offset) {
    throw Error("expected {} bytes at offset {}, found {} in all (the file is cut short or damaged)", bytes, placed.offset,
                data.size());
  }
  return data.subspan(static_cast<size_t>(placed.offset), static_cast<size_t>(bytes));
}

std::span<const std::byte> map_whole_file(const std::string& path, std::shared_ptr<const void>& mapping) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (descriptor >= 0) ::close(descriptor);
    throw Error("{}: expected a readable file, found none", path);
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* start = size == 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  ::close(descriptor);
  if (start == MAP_FAILED) throw Error("{}: expected a GGUF file, found {} bytes that cannot be mapped", path, size);
  mapping = std::shared_ptr<const void>(start, [size](const void* data) { ::munmap(const_cast<void*>(data), size); });
  return {static_cast<const std::byte*>(start), size};
}

}  // namespace

int64_t GgufTensor::rows() const {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) count *= shape[i];
  return count;
}

std::span<const std::byte> GgufTensor::row(int64_t index) const {
  MEDSBENCH_CHECK(index >= 0 && index < rows(), "row {} of {}", index, rows());
  const auto stride = static_cast<size_t>(row_length() / type.block * type.bytes);
  return bytes.subspan(static_cast<size_t>(index) * stride, stride);
}

GgufFile::GgufFile(const std::string& path) : name_(path) {
  const auto bytes = map_whole_file(path, mapping_);
  with_context(name_, [&] { parse(bytes); });
}

GgufFile::GgufFile(std::span<const std::byte> bytes, const std::string& name) : name_(name) {
  with_context(name_, [&] { parse(bytes); });
}

void GgufFile::parse(std::span<const std::byte> bytes) {
  Cursor cursor(bytes);
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0) {
    const std::string other =
        foreign_content({reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 512)});
    throw Error("expected a GGUF file (its first bytes are \"GGUF\"), found {}", other.empty() ? "another" : other);
  }
  (void)cursor.read<uint32_t>();
  const auto version = cursor.read<uint32_t>();
  if (version != 2 && version != 3) throw Error("expected GGUF version 2 or 3, found {}", version);
  const auto tensor_count = cursor.read<uint64_t>();
  const auto value_count = cursor.read<uint64_t>();
  for (uint64_t i = 0; i < value_count; ++i) {
    const std::string key = cursor.read_text();
    const auto type = cursor.read<uint32_t>();
    Json value = with_context(key, [&] { return read_value(cursor, type, 0); });
    if (!metadata_.emplace(key, std::move(value)).second) throw Error("expected each key once, found {} twice", key);
  }
  std::vector<Placed> placed;
  for (uint64_t i = 0; i < tensor_count; ++i) placed.push_back(read_tensor_info(cursor));
  const int64_t alignment = integer_or("general.alignment", kDefaultAlignment);
  if (alignment <= 0 || alignment > (1 << 20) || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    throw Error("general.alignment: expected a power of two, found {}", alignment);
  }
  const auto unit = static_cast<size_t>(alignment);
  const size_t start = (cursor.position() + unit - 1) / unit * unit;
  const auto data = start < bytes.size() ? bytes.subspan(start) : std::span<const std::byte>{};
  for (Placed& entry : placed) {
    with_context(fmt::format("tensor {}", entry.tensor.name), [&] { entry.tensor.bytes = locate(entry, data, unit); });
    const std::string name = entry.tensor.name;
    if (!tensors_.emplace(name, std::move(entry.tensor)).second) throw Error("expected each tensor once, found {} twice", name);
  }
}

const Json& GgufFile::value(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) throw Error("{}: expected the key {}, found none", name_, key);
  return found->second;
}

std::string GgufFile::text(const std::string& key) const {
  const Json& found = value(key);
  if (!found.is_string()) throw Error("{}: {}: expected a string, found a {}", name_, key, found.type_name());
  return found.get<std::string>();
}

int64_t GgufFile::integer(const std::string& key) const {
  const Json& found = value(key);
  const bool fits = found.is_number_integer() && !(found.is_number_unsigned() && found.get<uint64_t>() >> 63 != 0);
  if (!fits) throw Error("{}: {}: expected an integer, found a {}", name_, key, found.type_name());
  return found.get<int64_t>();
}

double GgufFile::number(const std::string& key) const {
  const Json& found = value(key);
  if (!found.is_number()) throw Error("{}: {}: expected a number, found a {}", name_, key, found.type_name());
  return found.get<double>();
}

int64_t GgufFile::integer_or(const std::string& key, int64_t otherwise) const { return has(key) ? integer(key) : otherwise; }

double GgufFile::number_or(const std::string& key, double otherwise) const { return has(key) ? number(key) : otherwise; }

bool GgufFile::boolean_or(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const Json& found = value(key);
  if (!found.is_boolean()) throw Error("{}: {}: expected true or false, found a {}", name_, key, found.type_name());
  return found.get<bool>();
}

const GgufTensor& GgufFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error("{}: expected the tensor {}, found none", name_, name);
  return found->second;
}

}  // namespace harness
