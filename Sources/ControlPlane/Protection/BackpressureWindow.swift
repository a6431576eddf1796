import Primitives

/// How much a consumer of a topic sends at once to a service that pushes back: additive increase,
/// multiplicative decrease.
///
/// A refusal, a time-out or an answer slower than the target makes the window smaller by a factor,
/// once in a round trip's time, since what was under way then says the same again. Every window of
/// good answers makes it larger by a step, while it is in use. (Chiu and Jain, 1989, and TCP's
/// congestion avoidance, published; that consumers do so, and all numbers, are **assumed**.) A
/// refusal that says when to come again is obeyed: nothing goes out until then.
public struct BackpressureWindow: Sendable, Equatable {
  public struct Rules: Sendable, Equatable {
    public var least = 1
    public var most = 32
    /// Slots that a whole window of good answers adds.
    public var increase = 1
    /// What is left of the window after a decrease, percent.
    public var decrease = 50
    /// Answers above this push back; nil: latency says nothing.
    public var latencyTarget: Nanoseconds?
    /// No second decrease within this time.
    public var holdoff = Nanoseconds.milliseconds(100)

    public init() {}
  }

  public enum Answer: Sendable, Equatable {
    case done(latency: Nanoseconds)
    case refused(retryAfter: Nanoseconds?)
    /// No answer in time, or a failure of the service.
    case failed
  }

  /// Parts that a slot of the window is counted in.
  private static let parts: Int64 = 1 << 20

  public let rules: Rules
  private var size: Int64
  private var heldUntil = Instant(nanoseconds: .min)
  /// Nothing goes out before this.
  public private(set) var pausedUntil = Instant(nanoseconds: .min)

  /// Begins with the whole window. Precondition: 1 <= least <= most, 0 <= decrease < 100.
  public init(_ rules: Rules = Rules()) {
    precondition(rules.least > 0 && rules.least <= rules.most, "a window has a size")
    precondition(0..<100 ~= rules.decrease && rules.increase > 0, "it falls and rises")
    self.rules = rules
    size = Int64(rules.most) * Self.parts
  }

  /// Deliveries that may be under way.
  public var window: Int { Int(size / Self.parts) }

  public func maySend(inFlight: Int, at now: Instant) -> Bool {
    inFlight < window && now >= pausedUntil
  }

  /// A delivery was answered. O(1).
  ///
  /// - Parameter inFlight: deliveries under way, this one among them; a window that is not half
  ///   used does not grow.
  public mutating func observe(_ answer: Answer, inFlight: Int, at now: Instant) {
    switch answer {
    case .done(let latency):
      if let target = rules.latencyTarget, latency > target { return shrink(at: now) }
      guard size < Int64(rules.most) * Self.parts, inFlight * 2 >= window else { return }
      let grown = size + Int64(rules.increase) * Self.parts * Self.parts / size
      size = min(Int64(rules.most) * Self.parts, grown)
    case .refused(let retryAfter):
      if let retryAfter { pausedUntil = max(pausedUntil, now + retryAfter) }
      shrink(at: now)
    case .failed: shrink(at: now)
    }
  }

  private mutating func shrink(at now: Instant) {
    guard now >= heldUntil else { return }
    size = max(Int64(rules.least) * Self.parts, size * Int64(rules.decrease) / 100)
    heldUntil = now + rules.holdoff
  }

  public borrowing func clone() -> Self { copy self }
}
