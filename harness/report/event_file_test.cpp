#include "harness/report/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

TEST(EventFile, HasTheBytesThatTensorBoardsOwnWriterMakes) {
  const std::string folder = MEDSBENCH_TEST_DATA;
  const std::string metrics = read_file(folder + "/events.jsonl");
  EXPECT_EQ(events_of_metrics(metrics, "events.jsonl"), read_file(folder + "/events.golden"));
}

TEST(EventFile, IsTheSameWhetherWrittenStepByStepOrFromTheMetrics) {
  EXPECT_EQ(event_file_header() + event_record(7, {{"b", 0.5}, {"a", 2}}),
            events_of_metrics("{\"step\":7,\"a\":2,\"b\":0.5,\"note\":\"text\",\"c\":null}\n", "m"));
}

TEST(EventFile, LeavesOutHalfALineAndNamesABrokenOne) {
  EXPECT_EQ(events_of_metrics("{\"step\":1,\"a\":2}\n{\"step\":2", "m"), events_of_metrics("{\"step\":1,\"a\":2}\n", "m"));
  EXPECT_THAT(error_of([] { events_of_metrics("{\"step\":1,\"a\":2}\n{\"a\":2}\n", "m.jsonl"); }),
              testing::HasSubstr("m.jsonl: line 2"));
}

// CRC-32C of "123456789" is e3069283 (RFC 3720's check value); masked: rotated right by 15 bits, plus a282ead8.
TEST(MaskedCrc32c, OfTheCheckTextIsTheKnownOne) {
  constexpr uint32_t kCrc = 0xe3069283U;
  EXPECT_EQ(masked_crc32c("123456789"), ((kCrc >> 15) | (kCrc << 17)) + 0xa282ead8U);
}

}  // namespace
}  // namespace harness
