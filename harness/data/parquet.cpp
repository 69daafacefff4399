// Parquet through Arrow C++: rows as JSON objects, nested columns (structs, lists) as nested JSON.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/data/records.h"

namespace harness {
namespace {

template <typename T>
T value_or_error(arrow::Result<T> result, const std::string& path) {
  if (!result.ok()) throw Error("{}: expected a Parquet file, found: {}", path, result.status().message());
  return std::move(result).ValueUnsafe();
}

template <typename ArrayType>
const ArrayType& as(const arrow::Array& array) {
  return static_cast<const ArrayType&>(array);
}

template <typename ListType>
Json list_value(const arrow::Array& array, int64_t row);

Json number_or_null(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

// Some writers do not mark texts as such.
Json text_of_bytes(std::string bytes) {
  if (!is_valid_utf8(bytes)) throw Error("expected a text, found bytes that are no UTF-8");
  return bytes;
}

// Types that JSON does not have and that read well as texts.
bool is_text_like(arrow::Type::type type) {
  return arrow::is_decimal(type) || arrow::is_temporal(type) || type == arrow::Type::STRING_VIEW;
}

// The value of one row; a NaN is what pandas writes for a missing number. Throws Error for a type that is neither a text nor a
// number, nor a list or struct of such.
Json value_at(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return as<arrow::BooleanArray>(array).Value(row);
    case arrow::Type::INT8:
      return as<arrow::Int8Array>(array).Value(row);
    case arrow::Type::INT16:
      return as<arrow::Int16Array>(array).Value(row);
    case arrow::Type::INT32:
      return as<arrow::Int32Array>(array).Value(row);
    case arrow::Type::INT64:
      return as<arrow::Int64Array>(array).Value(row);
    case arrow::Type::NA:
      return nullptr;
    case arrow::Type::UINT8:
      return as<arrow::UInt8Array>(array).Value(row);
    case arrow::Type::UINT16:
      return as<arrow::UInt16Array>(array).Value(row);
    case arrow::Type::UINT32:
      return as<arrow::UInt32Array>(array).Value(row);
    case arrow::Type::UINT64:
      return as<arrow::UInt64Array>(array).Value(row);
    case arrow::Type::FLOAT:
      return number_or_null(json_float(as<arrow::FloatArray>(array).Value(row)));
    case arrow::Type::DOUBLE:
      return number_or_null(as<arrow::DoubleArray>(array).Value(row));
    case arrow::Type::STRING:
      return as<arrow::StringArray>(array).GetString(row);
    case arrow::Type::LARGE_STRING:
      return as<arrow::LargeStringArray>(array).GetString(row);
    case arrow::Type::BINARY:
      return text_of_bytes(as<arrow::BinaryArray>(array).GetString(row));
    case arrow::Type::LARGE_BINARY:
      return text_of_bytes(as<arrow::LargeBinaryArray>(array).GetString(row));
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = as<arrow::DictionaryArray>(array);
      return value_at(*dictionary.dictionary(), dictionary.GetValueIndex(row));
    }
    case arrow::Type::STRUCT: {
      const auto& fields = as<arrow::StructArray>(array);
      Json object = Json::object();
      for (int i = 0; i < fields.num_fields(); ++i) {
        object[fields.type()->field(i)->name()] = value_at(*fields.field(i), row);
      }
      return object;
    }
    case arrow::Type::LIST:
      return list_value<arrow::ListArray>(array, row);
    case arrow::Type::LARGE_LIST:
      return list_value<arrow::LargeListArray>(array, row);
    case arrow::Type::FIXED_SIZE_LIST:
      return list_value<arrow::FixedSizeListArray>(array, row);
    case arrow::Type::EXTENSION:
      return value_at(*as<arrow::ExtensionArray>(array).storage(), row);
    default:
      break;
  }
  const auto scalar = array.GetScalar(row);
  if (!is_text_like(array.type_id()) || !scalar.ok()) {
    throw Error("expected texts, numbers, lists or structs, found {}", array.type()->ToString());
  }
  return (*scalar)->ToString();
}

template <typename ListType>
Json list_value(const arrow::Array& array, int64_t row) {
  const auto& list = as<ListType>(array);
  Json values = Json::array();
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) values.push_back(value_at(*list.values(), i));
  return values;
}

// The leaf columns that belong to the wanted top-level fields.
std::vector<int> wanted_columns(const parquet::FileMetaData& metadata, const std::vector<std::string>& fields) {
  std::vector<int> columns;
  const std::set<std::string> wanted(fields.begin(), fields.end());
  for (int i = 0; i < metadata.num_columns(); ++i) {
    const auto path = metadata.schema()->Column(i)->path()->ToDotVector();
    if (wanted.empty() || wanted.contains(path.front())) columns.push_back(i);
  }
  return columns;
}

}  // namespace

void read_parquet(const std::string& path, const std::vector<std::string>& fields, const RecordVisitor& visit) {
  const auto file = value_or_error(arrow::io::ReadableFile::Open(path), path);
  const std::unique_ptr<parquet::arrow::FileReader> reader =
      value_or_error(parquet::arrow::OpenFile(file, arrow::default_memory_pool()), path);
  const auto columns = wanted_columns(*reader->parquet_reader()->metadata(), fields);
  int64_t number = 0;
  for (int group = 0; group < reader->num_row_groups(); ++group) {
    const std::shared_ptr<arrow::Table> whole = value_or_error(reader->ReadRowGroup(group, columns), path);
    const auto table = value_or_error(whole->CombineChunks(), path);
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      Json record = Json::object();
      for (int c = 0; c < table->num_columns(); ++c) {
        const std::string& field = table->field(c)->name();
        record[field] = with_context(fmt::format("{}: row {}: \"{}\"", path, number + 1, field),
                                     [&] { return value_at(*table->column(c)->chunk(0), row); });
      }
      visit(record, fmt::format("{}: row {}", path, ++number));
    }
  }
}

}  // namespace harness
