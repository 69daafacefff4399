#include "harness/train/step/over_ranks.h"

#include <algorithm>
#include <cstring>

#include "harness/core/error.h"

namespace harness {

namespace {

// Numbers one after another, as they stand in memory: the processes run on one machine.
class Writer {
 public:
  std::string bytes;
  template <typename T>
  void add(const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    add(static_cast<uint64_t>(values.size()));
    bytes.append(reinterpret_cast<const char*>(values.data()), sizeof(T) * values.size());
  }
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }
  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, next(sizeof value), sizeof value);
    return value;
  }
  template <typename T>
  std::vector<T> take_all() {
    std::vector<T> values(static_cast<size_t>(take<uint64_t>()));
    if (!values.empty()) std::memcpy(values.data(), next(sizeof(T) * values.size()), sizeof(T) * values.size());
    return values;
  }

 private:
  const char* next(size_t count) {
    MEDSBENCH_CHECK(count <= bytes_.size() - at_, "{} bytes after {} of {}", count, at_, bytes_.size());
    at_ += count;
    return bytes_.data() + at_ - count;
  }
  const std::string& bytes_;
  size_t at_ = 0;
};

void write(Writer& out, const SampledResponse& response) {
  out.add(response.ids);
  out.add(response.log_probs);
  out.add(response.entropies);
  out.add(response.readout);
  out.add(response.stopped);
}

SampledResponse read_response(Reader& in) {
  SampledResponse response;
  response.ids = in.take_all<int64_t>();
  response.log_probs = in.take_all<float>();
  response.entropies = in.take_all<float>();
  response.readout = in.take_all<float>();
  response.stopped = in.take<bool>();
  return response;
}

}  // namespace

namespace {

// Every size-th request from the first-th one on.
std::vector<GenerationRequest> share_of(const std::vector<GenerationRequest>& requests, size_t first, size_t size) {
  std::vector<GenerationRequest> share;
  for (size_t i = first; i < requests.size(); i += size) share.push_back(requests[i]);
  return share;
}

int64_t samples_of(const std::vector<GenerationRequest>& requests) {
  int64_t samples = 0;
  for (const GenerationRequest& request : requests) samples += static_cast<int64_t>(request.streams.size());
  return samples;
}

// `generate` with fewer rows at once where memory ends. `most`: samples of the largest share of a process.
std::vector<std::vector<SampledResponse>> generate_within(MemoryLimits* limits, const Transformer& model,
                                                          const std::vector<GenerationRequest>& requests,
                                                          const GeneratorSettings& settings, GenerationTotals& totals,
                                                          int64_t most, const std::string& place) {
  std::vector<std::vector<SampledResponse>> responses;
  const int64_t wanted = std::max<int64_t>(1, std::min(settings.max_rows, most));
  fit_memory(limits, Pass::sampling, wanted, place, [&](int64_t rows) {
    GeneratorSettings fitting = settings;
    fitting.max_rows = rows;
    totals = {};
    if (limits != nullptr) limits->begin(Pass::sampling, rows);
    responses = generate(model, requests, fitting, &totals);
  });
  return responses;
}

}  // namespace

std::vector<std::vector<SampledResponse>> generate_over_ranks(Ranks* ranks, const Transformer& model,
                                                              const std::vector<GenerationRequest>& requests,
                                                              const GeneratorSettings& settings, GenerationTotals& totals,
                                                              MemoryLimits* limits, const std::string& place) {
  if (ranks == nullptr) return generate_within(limits, model, requests, settings, totals, samples_of(requests), place);
  const auto size = static_cast<size_t>(ranks->size());
  int64_t most = 0;
  for (size_t rank = 0; rank < size; ++rank) most = std::max(most, samples_of(share_of(requests, rank, size)));
  const std::vector<GenerationRequest> mine = share_of(requests, static_cast<size_t>(ranks->rank()), size);
  Writer out;
  for (const auto& responses : generate_within(limits, model, mine, settings, totals, most, place)) {
    for (const SampledResponse& response : responses) write(out, response);
  }
  const std::vector<std::string> all = ranks->gather(out.bytes);
  std::vector<Reader> readers(all.begin(), all.end());
  std::vector<std::vector<SampledResponse>> responses(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    for (size_t s = 0; s < requests[i].streams.size(); ++s) responses[i].push_back(read_response(readers[i % size]));
  }
  for (const Reader& reader : readers) MEDSBENCH_CHECK(reader.done(), "responses left over");
  return responses;
}

size_t micro_batch_rows(const TrainSettings& settings, size_t rows, int processes) {
  if (settings.micro_batch_responses > 0) return static_cast<size_t>(settings.micro_batch_responses);
  if (settings.loss.aggregation == Aggregation::micro_token_mean) return rows;
  const auto size = static_cast<size_t>(processes);
  return std::max<size_t>(1, (rows + size - 1) / size);
}

std::vector<std::vector<float>> gather_lists(Ranks& ranks, const std::vector<std::vector<float>>& mine) {
  Writer out;
  for (const std::vector<float>& list : mine) out.add(list);
  std::vector<std::vector<float>> all;
  for (const std::string& bytes : ranks.gather(out.bytes)) {
    Reader in(bytes);
    while (!in.done()) all.push_back(in.take_all<float>());
  }
  return all;
}

void join_over_ranks(Ranks& ranks, LossSums& sums, const std::vector<double*>& totals, double& largest) {
  Writer out;
  for (const double* total : totals) out.add(*total);
  out.add(largest);
  for (const auto& [name, sum] : sums) {
    out.add(std::vector<char>(name.begin(), name.end()));
    out.add(sum);
  }
  for (double* total : totals) *total = 0;
  sums.clear();
  for (const std::string& bytes : ranks.gather(out.bytes)) {
    Reader in(bytes);
    for (double* total : totals) *total += in.take<double>();
    largest = std::max(largest, in.take<double>());
    while (!in.done()) {
      const std::vector<char> name = in.take_all<char>();
      sums[std::string(name.begin(), name.end())] += in.take<double>();
    }
  }
}

}  // namespace harness
