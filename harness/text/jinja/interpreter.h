// Jinja interpreter: renders a parsed template as transformers' sandboxed environment does.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/text/jinja/ast.h"

namespace harness::jinja {

class Template {
 public:
  // Throws Error with the line for what is not supported.
  explicit Template(std::string_view source);
  // Throws Error with the line for what fails while it renders, raise_exception included.
  [[nodiscard]] std::string render(const std::vector<std::pair<std::string, Value>>& variables) const;

 private:
  std::shared_ptr<const Body> body_;
};

}  // namespace harness::jinja
