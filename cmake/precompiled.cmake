# Two precompiled headers: base_pch for every target, torch_pch for those that use LibTorch (medsbench_options reuses them). The
# bytes of one depend on flags and definitions, which are therefore the same for all its users. <torch/torch.h> would take
# twice the time of <torch/types.h> to compile and three times as long to load.
file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
set(MEDSBENCH_BASE_HEADERS <algorithm> <filesystem> <functional> <map> <memory> <optional> <set> <string> <vector>
    <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp>)
foreach(name base_pch torch_pch)
  if(name STREQUAL torch_pch AND NOT MEDSBENCH_TORCH)
    continue()
  endif()
  add_library(${name} STATIC ${CMAKE_BINARY_DIR}/empty.cpp)
  target_link_libraries(${name} PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
endforeach()
target_precompile_headers(base_pch PRIVATE ${MEDSBENCH_BASE_HEADERS})
medsbench_options(base_pch OFF)
if(MEDSBENCH_TORCH)
  target_precompile_headers(torch_pch PRIVATE <torch/types.h> ${MEDSBENCH_BASE_HEADERS})
  medsbench_options(torch_pch ON)
endif()
