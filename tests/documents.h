// Documents: what sources and documents name of one another, held against what the tree has.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/layering.h"

namespace tests {

// Each name of a Markdown document in the texts that no document of the tree bears. `documents`: paths from the root. A name
// with docs/ in it must be a whole path, any other the name of a document wherever it lies.
std::vector<Violation> unknown_documents(const std::vector<SourceText>& files, const std::set<std::string>& documents);

// Each test that the documents name, `Suite.Name` between backticks, and that no TEST of the sources defines.
std::vector<Violation> unknown_tests(const std::vector<SourceText>& documents, const std::vector<SourceText>& sources);

}  // namespace tests
