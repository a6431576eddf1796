import Dispatch
import Synchronization

/// Independent pieces of work over a few threads, with their results in the order of their numbers.
public enum Parallel {
  /// - Throws: the error of the piece with the lowest number that failed.
  public static func map<Output: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Output
  ) throws -> [Output] {
    let results = Mutex<[Int: Result<Output, any Error>]>([:])
    let next = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
      while true {
        let index = next.withLock { value in
          defer { value += 1 }
          return value
        }
        guard index < count else { return }
        let result = Result { try body(index) }
        results.withLock { $0[index] = result }
      }
    }
    return try results.withLock { results in
      try (0..<count).map { index in
        guard let result = results[index] else { throw CancellationError() }
        return try result.get()
      }
    }
  }
}
