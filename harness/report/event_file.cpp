#include "harness/report/event_file.h"

#include <array>
#include <bit>
#include <boost/crc.hpp>

#include "harness/core/error.h"
#include "harness/core/json.h"

namespace harness {

namespace {

// Little-endian, as both formats are.
template <typename Number>
std::string fixed(Number value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(Number); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

// Protocol buffers: a field is its key, (number << 3 | wire type), then its content.
std::string double_field(int number, double value) { return varint(number << 3 | 1) + fixed(std::bit_cast<uint64_t>(value)); }
std::string float_field(int number, float value) { return varint(number << 3 | 5) + fixed(std::bit_cast<uint32_t>(value)); }
std::string integer_field(int number, int64_t value) { return varint(number << 3) + varint(static_cast<uint64_t>(value)); }
std::string bytes_field(int number, std::string_view content) {
  return varint(number << 3 | 2) + varint(content.size()) + std::string(content);
}

// TFRecord: length, its checksum, the message, its checksum.
std::string record(std::string_view message) {
  const std::string length = fixed(static_cast<uint64_t>(message.size()));
  return length + fixed(masked_crc32c(length)) + std::string(message) + fixed(masked_crc32c(message));
}

}  // namespace

uint32_t masked_crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(static_cast<uint32_t>(crc.checksum()), 15) + 0xa282ead8U;
}

std::string event_file_header() { return record(bytes_field(3, "brain.Event:2")); }

std::string event_record(int64_t step, const std::map<std::string, double>& values) {
  std::string summary;
  for (const auto& [name, value] : values) {
    summary += bytes_field(1, bytes_field(1, name) + float_field(2, static_cast<float>(value)));  // tag, simple_value
  }
  return record(double_field(1, static_cast<double>(step)) + integer_field(2, step) + bytes_field(5, summary));
}

std::string events_of_metrics(std::string_view metrics, const std::string& name) {
  std::string events = event_file_header();
  for (int64_t number = 1; !metrics.empty(); ++number) {
    const size_t end = metrics.find('\n');
    if (end == std::string_view::npos) break;  // half a line, of a run that is at work or was killed
    const std::string_view line = metrics.substr(0, end);
    metrics.remove_prefix(end + 1);
    with_context(fmt::format("{}: line {}", name, number), [&] {
      const Json json = parse_json(line);
      const int64_t step = harness::integer_field(json, "step");
      std::map<std::string, double> values;
      for (const auto& [key, value] : json.items()) {
        if (key != "step" && value.is_number()) values[key] = value.get<double>();
      }
      events += event_record(step, values);
    });
  }
  return events;
}

}  // namespace harness
