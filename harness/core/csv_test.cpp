#include "harness/core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/testing.h"

namespace harness {
namespace {

using Records = std::vector<std::vector<std::string>>;

TEST(Csv, FieldsReadBackAsTheyWereWritten) {
  const std::vector<std::string> fields = {"plain", "", "a,b", "say \"x\"", "two\nlines", "cr\r\nlf", " spaces "};
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : ",") + csv_field(field);
  EXPECT_EQ(read_csv(text + "\n1,2\n"), (Records{fields, {"1", "2"}}));
  EXPECT_EQ(read_csv(text), (Records{fields}));
}

TEST(Csv, ARecordMayEndInEitherKindOfLineBreakAndCountsItsLines) {
  const std::string text = "a,b\r\n\"x\ny\",z\n";
  size_t at = 0;
  int64_t line = 1;
  EXPECT_EQ(csv_record(text, at, line), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(line, 2);
  EXPECT_EQ(csv_record(text, at, line), (std::vector<std::string>{"x\ny", "z"}));
  EXPECT_EQ(line, 4);
  EXPECT_EQ(at, text.size());
}

TEST(Csv, AQuoteThatIsNotClosedIsRefusedByItsLine) {
  EXPECT_THAT(error_of([] { read_csv("a\n\"b\n"); }), testing::HasSubstr("line 2: expected the quote to be closed"));
}

}  // namespace
}  // namespace harness
