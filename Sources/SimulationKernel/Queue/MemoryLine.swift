import CPrefetch

/// Lines of memory that will be wanted.
public enum MemoryLine {
  /// Asks for the line at an address, and waits for nothing. Any address will do: none is read.
  @inlinable @inline(__always)
  public static func ask(for address: UnsafeRawPointer) { cprefetch_line(address) }
}
