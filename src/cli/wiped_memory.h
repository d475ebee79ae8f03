// Memory for C libraries that let their caller choose where it comes from: zeroed before it is
// given back, as they do not do it themselves.
//
// Ownership: as malloc and free; of what these gave no other function may free or move anything.
// Errors:    nullptr: there is no memory.
// Threads:   any thread.
#pragma once

#include <cstddef>

namespace ebb::cli {

void* wiped_malloc(std::size_t bytes) noexcept;
void* wiped_calloc(std::size_t count, std::size_t bytes) noexcept;
void* wiped_realloc(void* memory, std::size_t bytes) noexcept;
char* wiped_strdup(const char* text) noexcept;
void wiped_free(void* memory) noexcept;

}  // namespace ebb::cli
