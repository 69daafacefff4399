#include "harness/report/html_page.h"
namespace harness {
std::string html_page(const ExperimentResults&, const Summary&, const Figures&) { return "<!doctype html>\n"; }
}  // namespace harness
