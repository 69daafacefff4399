# medsbench_library(NAME [TORCH] [LIGHT] SOURCES a.cpp ... LINK lib ...): a static library with the warnings of all. LIGHT: its
# code takes no time to run, so that it need not take much to compile.
# medsbench_tests(NAME LINK lib ...): every *_test.cpp of this folder and those below as one binary test_NAME and one CTest
# entry.
# medsbench_benchmarks(NAME LINK lib ...): every *_bench.cpp of this folder and those below as one binary bench_NAME.

add_custom_target(all_tests)       # every test binary
add_custom_target(all_benchmarks)  # every benchmark binary

# g++ 12 warns of its own strings (PR 105651), and whether it does depends on the length of the path to this folder.
set(MEDSBENCH_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Werror -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)

function(medsbench_options target torch)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  # Headers are dear, LibTorch's most of all: loaded once for a dozen sources. Names local to a file are therefore unique in
  # their library.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${MEDSBENCH_UNITY} UNITY_BUILD_BATCH_SIZE 12)
  # Programs would have -fPIE, with which no precompiled header made with -fPIC can be used.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${MEDSBENCH_WARNINGS}> $<$<COMPILE_LANGUAGE:CXX>:-fPIC>)
  if(torch)
    target_link_libraries(${target} PUBLIC medsbench_torch)
    set(pch torch_pch)
  else()
    set(pch base_pch)
  endif()
  if(NOT ${target} STREQUAL ${pch})
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

# A quarter less to compile than -O2. At -O1 g++ 12 cannot tell that an optional's value is not read where there is none.
function(medsbench_compile_lightly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
endfunction()

function(medsbench_library name)
  cmake_parse_arguments(ARG "TORCH;LIGHT" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  medsbench_options(${name} "${ARG_TORCH}")
  if(ARG_LIGHT)
    medsbench_compile_lightly(${name})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

function(medsbench_tests name)
  cmake_parse_arguments(ARG "TORCH" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  medsbench_options(test_${name} "${ARG_TORCH}")
  medsbench_compile_lightly(test_${name})
  # rapidcheck's and GoogleTest's macros trip over these two.
  target_compile_options(test_${name} PRIVATE -Wno-conversion -Wno-shadow)
  target_compile_definitions(test_${name} PRIVATE MEDSBENCH_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    MEDSBENCH_TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} GTest::gtest_main GTest::gmock rapidcheck)
  add_test(NAME ${name} COMMAND test_${name})
  # Spinning OpenMP threads of tests side by side take the cores from one another.
  set_tests_properties(${name} PROPERTIES ENVIRONMENT OMP_NUM_THREADS=1)
  add_dependencies(all_tests test_${name})
endfunction()

function(medsbench_benchmarks name)
  cmake_parse_arguments(ARG "TORCH" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_bench.cpp)
  if(NOT sources OR NOT MEDSBENCH_BENCHMARKS)
    return()
  endif()
  add_executable(bench_${name} ${sources})
  medsbench_options(bench_${name} "${ARG_TORCH}")
  target_link_libraries(bench_${name} PRIVATE ${ARG_LINK} benchmark::benchmark_main)
  add_test(NAME bench_${name} COMMAND bench_${name} --benchmark_min_time=0.001)
  set_tests_properties(bench_${name} PROPERTIES LABELS benchmark ENVIRONMENT OMP_NUM_THREADS=1)
  add_dependencies(all_benchmarks bench_${name})
endfunction()
