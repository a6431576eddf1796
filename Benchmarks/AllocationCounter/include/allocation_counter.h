#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/// Allocations of this thread so far. Linking this target replaces the C library's allocator by one
/// that counts and passes on.
uint64_t allocation_counter_value(void);

#endif
