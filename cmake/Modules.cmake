# The flags that every target of ours has, and the two functions that declare a module and its test program.
add_library(mediagen_flags INTERFACE)
target_compile_options(mediagen_flags INTERFACE
  -Wall -Wextra -Werror $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fno-gnu-unique>
  # g++ 12 reports these in its own library headers at -O2 (GCC bugs 105329, 105651, 104475).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict;-Wno-stringop-overflow;-Wno-maybe-uninitialized>)
target_include_directories(mediagen_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(MEDIAGEN_SANITIZE)
  target_compile_options(mediagen_flags INTERFACE -fsanitize=${MEDIAGEN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(mediagen_flags INTERFACE -fsanitize=${MEDIAGEN_SANITIZE})
endif()

# Two precompiled headers, one made with mediagen_base for every module, one with test_base for every test: they halve the time of a build.
set(MEDIAGEN_PCH_HEADERS <algorithm> <array> <atomic> <condition_variable> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <span> <string>
    <string_view> <vector> <absl/container/flat_hash_map.h> <absl/status/statusor.h> <fmt/format.h> <nlohmann/json.hpp>)
set(CMAKE_PCH_WARN_INVALID OFF)
function(mediagen_use_pch target maker)
  if(NOT MEDIAGEN_PCH)
    return()
  elseif(TARGET ${maker} AND NOT target STREQUAL maker)
    target_precompile_headers(${target} REUSE_FROM ${maker})
  else()
    target_precompile_headers(${target} PRIVATE ${MEDIAGEN_PCH_HEADERS} ${ARGN})
  endif()
  # For the compiler cache, which wants to see that a header was precompiled.
  target_compile_options(${target} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fpch-preprocess>)
endfunction()

# mediagen_module(base DEPENDS fmt::fmt ...): every .cc below src/<name>, as the object-backed static library mediagen_<name>.
function(mediagen_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  add_library(mediagen_${name} STATIC ${sources})
  target_link_libraries(mediagen_${name} PUBLIC mediagen_flags ${ARG_DEPENDS})
  mediagen_use_pch(mediagen_${name} mediagen_base)
endfunction()

# mediagen_test(cache LINK mediagen_cache): every .cc below tests/<name>, as the doctest program test_<name>.
function(mediagen_test name)
  cmake_parse_arguments(ARG "" "" "LINK;SOURCES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cc)
  if(NOT sources AND NOT ARG_SOURCES)
    return()
  endif()
  add_executable(test_${name} ${sources} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/doctest_main.cc)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} mediagen_flags doctest::doctest)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  # Tests are many and run briefly: what an optimiser would save them it costs several times over.
  target_compile_options(test_${name} PRIVATE -O0)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/doctest_main.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON)  # in every calling folder
  mediagen_use_pch(test_${name} test_base <doctest/doctest.h>)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
