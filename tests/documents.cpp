#include "tests/documents.h"

#include <fmt/format.h>

#include <functional>
#include <regex>
#include <sstream>

namespace tests {

namespace {

// Calls visit(line, number) for each line of a text.
void for_each_line(const std::string& text, const std::function<void(const std::string& line, int number)>& visit) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) visit(line, number);
}

// What the groups of the pattern hold, joined by a point, at each place of the line where it fits.
std::vector<std::string> matches(const std::string& line, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator match(line.begin(), line.end(), pattern), end; match != end; ++match) {
    std::string text = (*match)[1];
    for (size_t group = 2; group < match->size(); ++group) text += "." + (*match)[group].str();
    found.push_back(text);
  }
  return found;
}

}  // namespace

std::vector<Violation> unknown_documents(const std::vector<SourceText>& files, const std::set<std::string>& documents) {
  static const std::regex kDocument(R"(([A-Za-z0-9_][A-Za-z0-9_./-]*\.md)\b)");
  std::set<std::string> names;
  for (const std::string& path : documents) names.insert(path.substr(path.rfind('/') + 1));
  std::vector<Violation> violations;
  for (const SourceText& file : files) {
    for_each_line(file.text, [&](const std::string& line, int number) {
      if (line.find(".md") == std::string::npos) return;
      for (const std::string& name : matches(line, kDocument)) {
        const bool known = name.find("docs/") == std::string::npos ? names.contains(name.substr(name.rfind('/') + 1))
                                                                   : documents.contains(name);
        if (!known) violations.push_back({file.path, number, fmt::format("names {}, which is not in the tree", name)});
      }
    });
  }
  return violations;
}

std::vector<Violation> unknown_tests(const std::vector<SourceText>& documents, const std::vector<SourceText>& sources) {
  static const std::regex kDefined(R"(^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+), (\w+))");
  static const std::regex kNamed(R"(`([A-Z]\w+)\.([A-Z]\w+)`)");
  std::set<std::string> defined;
  for (const SourceText& source : sources) {
    for_each_line(source.text, [&](const std::string& line, int) {
      if (!line.starts_with("TEST") && !line.starts_with("RC_GTEST")) return;
      for (std::string& test : matches(line, kDefined)) defined.insert(std::move(test));
    });
  }
  std::vector<Violation> violations;
  for (const SourceText& document : documents) {
    for_each_line(document.text, [&](const std::string& line, int number) {
      for (const std::string& test : matches(line, kNamed)) {
        if (!defined.contains(test))
          violations.push_back({document.path, number, fmt::format("names the test {}, found none", test)});
      }
    });
  }
  return violations;
}

}  // namespace tests
