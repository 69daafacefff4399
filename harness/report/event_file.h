// EventFile: scalars over steps as TensorBoard reads them, TFRecord frames of Event messages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace harness {

// TensorBoard reads every file whose name has "tfevents" in it; the same name each time, so that a resumed run has one file.
inline constexpr const char* kEventFileName = "events.out.tfevents.0.medsbench";

// The record that begins every file: file_version "brain.Event:2".
std::string event_file_header();
// One record with all scalars of a step (single precision, as the format has it). The wall time is the step in seconds: the
// bytes follow from the metrics alone, and times live in timing.json.
std::string event_record(int64_t step, const std::map<std::string, double>& values);
// The event file of a metrics.jsonl: one record a whole line, fields that are no numbers left out. Throws Error for a line
// that is no JSON object with a step.
std::string events_of_metrics(std::string_view metrics, const std::string& name);

// CRC-32C of the bytes, rotated right by 15 and offset: what guards each length and each message of a TFRecord file.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace harness
