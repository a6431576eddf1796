import Primitives

/// What the control-plane API of a region wants done.
public protocol RegionAPIEffects {
  /// A change is kept and will come about: said to whoever has asked for it.
  mutating func accepted(_ change: UInt32)
  /// A part of the region is to do as a change says. The same again is the same.
  mutating func apply(_ change: UInt32, at target: Int)
  /// Call `wake` at this instant of the API's clock; replaces the wish before.
  mutating func wakeAPI(at instant: Instant)
}

/// The control-plane API of a region: keeps what users and operators want configured, and sees to
/// it that every part of the region does so.
///
/// A change is accepted once, however often it is asked for. Each part hears of one at a time, in
/// the order of acceptance, until it says that it has it, so that none is overtaken by a later one.
/// No request goes through here: while the API is away nothing new is configured, and everything
/// else is as before (the talk: a region has one control-plane API, apart from its traffic). That
/// what was accepted outlives a stop is **assumed**: it is kept in a store of its own.
public struct RegionAPI: Sendable {
  public struct Rules: Sendable, Equatable {
    /// What a part has not acknowledged is said again after this; assumed.
    public var repeatAfter = Nanoseconds.seconds(1)

    public init() {}
  }

  private struct Part: Sendable {
    /// Changes that it has not acknowledged, the first one said.
    var changes: [UInt32] = []
    var saidAt = Instant.origin
  }

  public let rules: Rules
  private var parts: [Part]
  /// Asked only for members.
  private var known: Set<UInt32> = []

  /// - Parameter parts: numbered from 0.
  public init(parts: Int, rules: Rules = Rules()) {
    self.rules = rules
    self.parts = Array(repeating: Part(), count: parts)
  }

  /// Changes that some part has not acknowledged.
  public var open: Int { parts.reduce(0) { $0 + $1.changes.count } }

  /// Somebody asks for a change that concerns some parts. O(parts).
  public mutating func asked(
    for change: UInt32, concerning targets: [Int], at now: Instant,
    into effects: inout some RegionAPIEffects
  ) {
    effects.accepted(change)
    guard known.insert(change).inserted else { return }
    for target in targets {
      parts[target].changes.append(change)
      if parts[target].changes.count == 1 { say(to: target, at: now, into: &effects) }
    }
    rearm(into: &effects)
  }

  /// A part does as a change says.
  public mutating func acknowledged(
    _ change: UInt32, by target: Int, at now: Instant, into effects: inout some RegionAPIEffects
  ) {
    guard parts[target].changes.first == change else { return }
    parts[target].changes.removeFirst()
    if !parts[target].changes.isEmpty { say(to: target, at: now, into: &effects) }
    rearm(into: &effects)
  }

  /// Says again what was not acknowledged in time. O(parts).
  public mutating func wake(at now: Instant, into effects: inout some RegionAPIEffects) {
    for target in parts.indices
    where !parts[target].changes.isEmpty && parts[target].saidAt + rules.repeatAfter <= now {
      say(to: target, at: now, into: &effects)
    }
    rearm(into: &effects)
  }

  private mutating func say(
    to target: Int, at now: Instant, into effects: inout some RegionAPIEffects
  ) {
    parts[target].saidAt = now
    effects.apply(parts[target].changes[0], at: target)
  }

  private func rearm(into effects: inout some RegionAPIEffects) {
    let waiting = parts.lazy.filter { !$0.changes.isEmpty }.map(\.saidAt)
    if let first = waiting.min() { effects.wakeAPI(at: first + rules.repeatAfter) }
  }

  public borrowing func clone() -> Self { copy self }
}
