import Primitives

/// Calls to an instance of which only numbers are known, as where a lane is carried as flow.
public struct CallCounts: Sendable, Equatable, BitwiseCopyable {
  public var successes: Int
  /// Answers with an error, and calls without an answer.
  public var failures: Int
  public var latencySum: Nanoseconds

  public init(successes: Int, failures: Int, latencySum: Nanoseconds) {
    self.successes = successes
    self.failures = failures
    self.latencySum = latencySum
  }
}

extension InstanceBreaker {
  /// Calls of a step, whose order nobody knows: rates and latencies as if each had been recorded.
  ///
  /// Failures in a row are a matter of chance then: the caller draws whether there were enough of
  /// them, by `chanceOfRun`. A step without a success adds to those before it; one with a success
  /// leaves none in a row (**assumed**). Gateway errors in a row are not told apart.
  ///
  /// - Parameters:
  ///   - hadRun: whether `rules.consecutiveErrors` failures came in a row.
  public mutating func record(
    _ slot: InstanceSlot, _ calls: CallCounts, hadRun: Bool, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    let index = slot.index
    guard records[index].stored == .closed, calls.successes + calls.failures > 0 else { return }
    if !records[index].isListed { list(slot) }
    records[index].requests &+= UInt32(clamping: calls.successes + calls.failures)
    records[index].successes &+= UInt32(clamping: calls.successes)
    records[index].latencySum &+= calls.latencySum.count
    let before = calls.successes > 0 ? 0 : Int(records[index].errorsInRow)
    let inRow = calls.successes > 0 ? 0 : before + calls.failures
    records[index].gatewayErrorsInRow = 0
    guard hadRun || inRow >= rules.consecutiveErrors else {
      records[index].errorsInRow = UInt16(clamping: inRow)
      return
    }
    records[index].errorsInRow = 0
    if rules.enforcesConsecutiveErrors { eject(slot, .consecutiveErrors, at: now, into: &effects) }
  }
}

extension OutlierStatistics {
  /// The chance that among independent calls, each of which fails with one chance, so many failures
  /// come in a row.
  ///
  /// With q(n) the chance of none such among n calls, p the chance of a failure and k the length:
  /// q(n) = q(n − 1) − (1 − p) p^k q(n − k − 1), since the first such run that ends at n has a
  /// success before it and none such before that. (Feller, volume I, XIII.7.)
  ///
  /// - Complexity: O(calls); it ends where the chance is 1 to 15 digits.
  public static func chanceOfRun(
    of length: Int, calls: Int, failureChance: Double
  ) -> Double {
    precondition(length > 0 && (0...1).contains(failureChance), "a chance and a length")
    guard calls >= length, failureChance > 0 else { return 0 }
    guard failureChance < 1 else { return 1 }
    var run = 1.0
    for _ in 0..<length { run *= failureChance }
    let ends = (1 - failureChance) * run
    // q of the last length + 1 numbers of calls, as a ring; at first of 0...length.
    var none = Array(repeating: 1.0, count: length + 1)
    none[length] = 1 - run
    var latest = length
    for _ in length..<calls {
      let next = (latest + 1) % (length + 1)
      none[next] = none[latest] - ends * none[next]
      latest = next
      if none[latest] < 1e-15 { return 1 }
    }
    return 1 - none[latest]
  }
}
