#ifndef CPREFETCH_H
#define CPREFETCH_H

/// Asks for the line of memory at an address, and waits for nothing. Any address will do: none is
/// read. Swift has no such call.
static inline void cprefetch_line(const void *address) { __builtin_prefetch(address); }

#endif
