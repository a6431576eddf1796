import ControlPlane
import Primitives
import SimulationKernel

/// Clients that try again, as counts: those whose attempt the platform holds, by how often they
/// have tried, and those who wait before they try again.
///
/// Which of the requests in a lane completes or fails is not known, so it is drawn: each is as
/// likely as another to be at its n-th attempt. What clients of one attempt have waited so far is
/// kept as a mean.
struct FlowClients: Sendable {
  /// Clients that failed together and try again evenly over a time.
  struct Wave: BitwiseCopyable, Sendable {
    var from: Instant
    var to: Instant
    var count: Int
    /// Attempts that each has had.
    var attempts: Int
    /// When the first of these came, on average.
    var first: Instant

    init(from: Instant, to: Instant, count: Int, attempts: Int, first: Instant) {
      (self.from, self.to, self.count) = (from, to, count)
      (self.attempts, self.first) = (attempts, first)
    }

    /// One client, whose time is known.
    init(_ retry: ClientRetry, at instant: Instant) {
      self.init(
        from: instant, to: instant + Nanoseconds(1), count: 1, attempts: Int(retry.attempts),
        first: retry.first)
    }
  }

  let rules: ClientConfiguration
  private(set) var waves: [Wave] = []
  /// By attempts before this one: those that the platform holds, and the seconds from the first
  /// attempt to this one, on average.
  private(set) var underWay: [Int]
  private(set) var delays: [Double]
  var budget: WindowRetryBudget?

  init(_ rules: ClientConfiguration, at now: Instant) {
    self.rules = rules
    underWay = Array(repeating: 0, count: rules.retries + 1)
    delays = Array(repeating: 0, count: rules.retries + 1)
    budget = rules.makeBudget(at: now)
  }

  var heldCount: Int { underWay.reduce(0, +) }
  var backingOff: Int { waves.reduce(0) { $0 + $1.count } }
  /// Requests whose client waits for an answer or will try again.
  var open: Int { heldCount + backingOff }

  /// Requests come for the first time.
  mutating func begin(_ count: Int, at now: Instant) {
    guard count > 0 else { return }
    hold(count, attempts: 0, delay: 0)
    budget?.deposit(count, at: now)
  }

  /// Those come again who do so in [from, to): by attempts that they have had, with the time of the
  /// first of these on average.
  mutating func take(
    from: Instant, to: Instant, using bits: inout some BitSource,
    _ body: (_ count: Int, _ attempts: Int, _ first: Instant) -> Void
  ) {
    for index in waves.indices where waves[index].from < to {
      let wave = waves[index]
      let begin = max(from, wave.from)
      let left = Double((wave.to - begin).count)
      let share = left > 0 ? Double((min(to, wave.to) - begin).count) / left : 1
      let taken = BinomialDraw.sample(wave.count, share: share, using: &bits)
      guard taken > 0 else { continue }
      waves[index].count -= taken
      body(taken, wave.attempts, wave.first)
    }
    waves.removeAll { $0.count == 0 }
  }

  /// Attempts begin of clients that have tried before.
  mutating func resume(_ count: Int, attempts: Int, first: Instant, at now: Instant) {
    hold(count, attempts: attempts, delay: (now - first).seconds)
  }

  /// Clients will try again between two instants.
  mutating func put(_ wave: Wave) { waves.append(wave) }

  private mutating func hold(_ count: Int, attempts: Int, delay: Double) {
    let level = min(attempts, rules.retries)
    underWay[level] += count
    delays[level] += (delay - delays[level]) * Double(count) / Double(underWay[level])
  }

  /// Draws of which attempt so many are that leave the platform. `body` gets a count, attempts
  /// before that one, and the seconds from the first to it.
  mutating func leave(
    _ count: Int, using bits: inout some BitSource, _ body: (Int, Int, Double) -> Void
  ) {
    var left = min(count, heldCount)
    var all = heldCount
    for level in underWay.indices where left > 0 {
      let here = underWay[level]
      all -= here
      let share = Double(here) / Double(here + all)
      // No more than are here, and so many that the others have the rest.
      let drawn = all == 0 ? left : BinomialDraw.sample(left, share: share, using: &bits)
      let taken = min(max(drawn, left - all), min(here, left))
      guard taken > 0 else { continue }
      underWay[level] -= taken
      left -= taken
      body(taken, level, delays[level])
    }
  }

  /// So many attempts have failed after some seconds each. Returns how many clients give up.
  mutating func fail(
    _ count: Int, after seconds: Double, at now: Instant, using bits: inout some BitSource
  ) -> Int {
    var pieces: [(count: Int, level: Int, delay: Double)] = []
    leave(count, using: &bits) { pieces.append(($0, $1, $2)) }
    var givenUp = 0
    for piece in pieces {
      let granted = piece.level < rules.retries ? withdraw(upTo: piece.count, at: now) : 0
      givenUp += piece.count - granted
      guard granted > 0 else { continue }
      let most = rules.backoff.bound(attempt: piece.level)
      put(
        Wave(
          from: now, to: now + most + Nanoseconds(1), count: granted, attempts: piece.level + 1,
          first: now - Nanoseconds(seconds: piece.delay + seconds)))
    }
    return givenUp
  }

  private mutating func withdraw(upTo count: Int, at now: Instant) -> Int {
    budget?.withdraw(upTo: count, at: now) ?? count
  }
}
