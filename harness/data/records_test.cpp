#include "harness/data/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> dump_all(const std::string& path, const std::vector<std::string>& fields = {}) {
  std::vector<std::string> lines;
  read_records(path, fields, [&](const Json& record, const std::string&) { lines.push_back(record.dump()); });
  return lines;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::vector<char> out(deflateBound(&stream, text.size()) + 32);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  return {out.data(), out.size() - stream.avail_out};
}

constexpr const char* kLines = "{\"a\": 1}\n\n{\"a\": \"x\\ny\"}\r\n";

TEST(ReadRecords, GivesTheSameRowsFromPlainGzipAndZstdLines) {
  const ScratchFolder folder;
  folder.write("plain.jsonl", kLines);
  folder.write("packed.jsonl.gz", gzip(kLines));
  folder.write("packed.jsonl.zst", zstd_compress(kLines));
  folder.write("whole.json", "[{\"a\": 1}, {\"a\": \"x\\ny\"}]");
  folder.write("lines.json", kLines);  // what datasets' to_json writes
  for (const char* name : {"plain.jsonl", "packed.jsonl.gz", "packed.jsonl.zst", "whole.json", "lines.json"}) {
    EXPECT_THAT(dump_all(folder.path(name)), ElementsAre("{\"a\":1}", "{\"a\":\"x\\ny\"}")) << name;
  }
}

TEST(GzipDecompress, JoinsMembersAndRefusesACutOrDamagedStream) {
  const std::string packed = gzip("first ") + gzip("second");
  EXPECT_EQ(gzip_decompress(packed), "first second");
  EXPECT_THROW(gzip_decompress(packed.substr(0, packed.size() - 9)), Error);
  EXPECT_THROW(gzip_decompress("not gzip at all"), Error);
  EXPECT_THROW(gzip_decompress(""), Error);
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(gzip_decompress(gzip(large)), large);
}

TEST(ReadRecords, NamesFileAndLineOfWhatIsNotJson) {
  const ScratchFolder folder;
  folder.write("bad.jsonl", "{\"a\": 1}\n{\"a\": \n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("bad.jsonl")); }), HasSubstr("bad.jsonl: line 2: expected JSON"));
  folder.write("list.jsonl", "[1]\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("list.jsonl")); }),
              HasSubstr("list.jsonl: line 1: expected a JSON object, found array"));
  EXPECT_THAT(error_of([&] { dump_all(folder.path("none.jsonl")); }), HasSubstr("none.jsonl"));
  EXPECT_THAT(error_of([&] { dump_all(folder.path("notes.txt")); }), HasSubstr(".parquet"));
}

TEST(ReadRecords, ReadsOneObjectOnALineAsJsonLinesAndRefusesATable) {
  const ScratchFolder folder;
  folder.write("one.json", "\xEF\xBB\xBF{\"a\": 1}");
  EXPECT_THAT(dump_all(folder.path("one.json")), ElementsAre("{\"a\":1}"));
  folder.write("table.json", "{\n \"a\": [1, 2]\n}");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("table.json")); }),
              HasSubstr("expected a JSON array of objects, found object"));
  folder.write("bad.json", "{\"a\": 1}\n{\"a\": ]\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("bad.json")); }), HasSubstr("bad.json: line 2: expected JSON"));
}

TEST(ReadRecords, NamesAGitLfsPointerAHtmlPageAndAnotherEncoding) {
  const ScratchFolder folder;
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  for (const char* ending : {"jsonl", "jsonl.gz", "jsonl.zst", "json", "csv", "parquet"}) {
    const std::string path = folder.write(std::string("t.") + ending, pointer);
    EXPECT_THAT(error_of([&] { dump_all(path); }),
                HasSubstr(path + ": expected rows, found a Git LFS pointer (`git lfs pull`"));
    folder.write(std::string("t.") + ending, "\n <!DOCTYPE HTML><html>Sign in</html>");
    EXPECT_THAT(error_of([&] { dump_all(path); }), HasSubstr(path + ": expected rows, found an HTML page"));
  }
  folder.write("latin.csv", "problem,answer\ncaf\xE9,1\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("latin.csv")); }), HasSubstr("expected UTF-8"));
  folder.write("latin.jsonl", "{\"a\": 1}\n{\"a\": \"caf\xE9\"}\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("latin.jsonl")); }),
              HasSubstr("line 2: expected JSON, found the byte 0xE9 at byte 11"));
}

TEST(ReadCsv, KeepsQuotedCommasQuotesAndLines) {
  const ScratchFolder folder;
  folder.write("t.csv", "\xEF\xBB\xBFproblem,answer\r\n\"What is 1,000 + \"\"one\"\"?\nSay.\",1001\r\nplain,2");
  EXPECT_THAT(dump_all(folder.path("t.csv")),
              ElementsAre("{\"answer\":\"1001\",\"problem\":\"What is 1,000 + \\\"one\\\"?\\nSay.\"}",
                          "{\"answer\":\"2\",\"problem\":\"plain\"}"));
}

TEST(ReadCsv, NamesTheLineOfARowOfAnotherWidthAndOfAnOpenQuote) {
  const ScratchFolder folder;
  folder.write("t.csv", "a,b\n\"x\ny\",2\n3\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("t.csv")); }), HasSubstr("t.csv: line 4: expected 2 values, found 1"));
  folder.write("q.csv", "a,b\n1,\"open\n");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("q.csv")); }), HasSubstr("q.csv: line 2: expected the quote to be closed"));
}

RC_GTEST_PROP(ReadCsv, GivesBackWhatWasQuoted, (const std::vector<std::pair<std::string, std::string>>& rows)) {
  const auto quote = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
  };
  std::string text = "a,b\n";
  for (const auto& [a, b] : rows) text += quote(a) + "," + quote(b) + "\r\n";
  std::vector<std::pair<std::string, std::string>> read;
  read_csv_rows(text, "t", [&](const Json& record, const std::string&) { read.emplace_back(record.at("a"), record.at("b")); });
  RC_ASSERT(read == rows);
}

RC_GTEST_PROP(Readers, EndInAnErrorOrInRowsWhateverTheBytes, (const std::string& bytes, bool valid_head)) {
  const std::string text = valid_head ? "{\"a\": 1}\n" + bytes : bytes;
  const auto ignore = [](const Json&, const std::string&) {};
  for (const auto& read : {read_json_lines, read_csv_rows}) {
    try {
      read(text, "t", ignore);
    } catch (const Error&) {
    }
  }
  const std::string packed = gzip(text);
  RC_ASSERT(gzip_decompress(packed) == text);
  std::string damaged = packed;
  damaged[damaged.size() / 2] ^= 0x55;
  try {
    (void)gzip_decompress(damaged);
  } catch (const Error&) {
  }
}

#ifdef MEDSBENCH_ARROW
TEST(ReadParquet, ReadsNestedColumnsAndOnlyTheFieldsAsked) {
  const std::string path = std::string(MEDSBENCH_TEST_DATA) + "/nested.parquet";
  const auto rows = dump_all(path, {"prompt", "reward_model"});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0],
            "{\"prompt\":[{\"content\":\"What is 1+1?\",\"role\":\"user\"}],\"reward_model\":{\"ground_truth\":\"2\","
            "\"style\":\"rule\"}}");
  const auto all = dump_all(path);
  EXPECT_EQ(parse_json(all[1]).at("extra_info").at("index"), 7);
  EXPECT_EQ(parse_json(all[2]).at("score"), nullptr);
  EXPECT_EQ(parse_json(all[0]).at("score"), 1.5);
}

TEST(ReadParquet, ReadsValuesOfEveryTypeOrNull) {
  const auto rows = dump_all(std::string(MEDSBENCH_TEST_DATA) + "/values.parquet");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0],
            "{\"bytes\":\"caf\u00e9\",\"day\":\"2024-05-06\",\"decimal\":\"12.50\",\"fixed\":[\"2\",\"3\"],"
            "\"i64\":-9223372036854775808,\"infinite\":null,\"large\":\"x\",\"missing\":null,\"nan\":null,\"nan32\":null,"
            "\"nothing\":null,\"u16\":5,\"u64\":18446744073709551615,\"word\":\"a\"}");
  EXPECT_EQ(rows[1],
            "{\"bytes\":\"12\",\"day\":\"2024-05-06\",\"decimal\":\"123456789012345678901234567890.25\","
            "\"fixed\":[\"3\",\"4\"],\"i64\":1,\"infinite\":2.0,\"large\":\"y\",\"missing\":7,\"nan\":2.0,\"nan32\":0.1,"
            "\"nothing\":null,\"u16\":65535,\"u64\":1,\"word\":\"b\"}");
}

TEST(ReadParquet, RefusesMapsAndBytesThatAreNoTextByTheirColumn) {
  const std::string path = std::string(MEDSBENCH_TEST_DATA) + "/refused.parquet";
  EXPECT_THAT(error_of([&] { dump_all(path, {"map"}); }),
              HasSubstr("refused.parquet: row 1: \"map\": expected texts, numbers, lists or structs, found map<"));
  EXPECT_THAT(error_of([&] { dump_all(path, {"raw"}); }), HasSubstr("row 1: \"raw\": expected a text, found bytes"));
}

TEST(ReadParquet, RefusesAFileThatIsNone) {
  const ScratchFolder folder;
  folder.write("bad.parquet", "PAR1 but nothing else");
  EXPECT_THAT(error_of([&] { dump_all(folder.path("bad.parquet")); }), HasSubstr("bad.parquet: expected a Parquet file"));
}
#else
TEST(ReadParquet, SaysThatThisBuildReadsNone) {
  EXPECT_THAT(error_of([&] { dump_all("x.parquet"); }), HasSubstr("MEDSBENCH_ARROW=OFF"));
}
#endif

}  // namespace
}  // namespace harness
