import ControlPlane
import Primitives
import SimulationKernel

/// Clients that try again, as counts: those who wait for an attempt's answer, by how often they
/// have tried, and those who wait before they try again.
///
/// Which of the requests in a lane completes or fails is not known, so it is drawn: each is as
/// likely as another to be at its n-th attempt. What clients of one attempt have waited so far is
/// kept as a mean and a variance.
///
/// Where they wait no longer than a time, a client leaves that long after its attempt came; the
/// ledger of the lane knows how many of the attempts nobody waits for.
struct FlowClients: Sendable {
  /// Clients that failed together and try again evenly over a time.
  struct Wave: BitwiseCopyable, Sendable {
    var from: Instant
    var to: Instant
    var count: Int
    /// Attempts that each has had.
    var attempts: Int
    /// When the first of these came, on average, and the variance of that, seconds².
    var first: Instant
    var variance: Double

    init(
      from: Instant, to: Instant, count: Int, attempts: Int, first: Instant, variance: Double = 0
    ) {
      (self.from, self.to, self.count) = (from, to, count)
      (self.attempts, self.first, self.variance) = (attempts, first, variance)
    }

    /// One client, whose time is known.
    init(_ retry: ClientRetry, at instant: Instant) {
      self.init(
        from: instant, to: instant + Nanoseconds(1), count: 1, attempts: Int(retry.attempts),
        first: retry.first)
    }
  }

  /// Clients who leave evenly between two instants, nanoseconds.
  struct Departure: BitwiseCopyable, Sendable {
    var from: Int64
    var to: Int64
    var count: Int
  }

  let rules: ClientConfiguration
  private(set) var waves: [Wave] = []
  /// Clients whose attempts have ended and who do not know it: they will leave.
  private(set) var departures: [Departure] = []
  private(set) var departing = 0
  /// The queue is long against what they wait for.
  var isBehind = false
  /// Of the attempts that have ended in the last seconds, those that nobody waited for.
  private(set) var lateOfLate = 0.0
  /// By attempts before this one: those who wait for an answer, and the seconds from the first
  /// attempt to this one, on average.
  private(set) var underWay: [Int]
  private(set) var delays: [Double]
  /// The mean of the squares of these, by attempt.
  private var squares: [Double]
  /// Where the next deal of delays begins, in [0, 1).
  private var phase = 0.5
  var budget: WindowRetryBudget?

  init(_ rules: ClientConfiguration, at now: Instant) {
    self.rules = rules
    underWay = Array(repeating: 0, count: rules.retries + 1)
    delays = Array(repeating: 0, count: rules.retries + 1)
    squares = delays
    budget = rules.makeBudget(at: now)
  }

  var heldCount: Int { underWay.reduce(0, +) }
  var backingOff: Int { waves.reduce(0) { $0 + $1.count } }
  /// Requests whose client waits for an answer or will try again.
  var open: Int { heldCount + backingOff }

  /// Requests come for the first time.
  mutating func begin(_ count: Int, at now: Instant) {
    guard count > 0 else { return }
    hold(count, attempts: 0, delay: 0, variance: 0)
    budget?.deposit(count, at: now)
  }

  /// Those come again who do so before an instant: parts of waves, each with the time in which it
  /// comes. Some of that may have passed: who fails in a step and comes again within it is known at
  /// its end.
  mutating func take(before end: Instant, using bits: inout some BitSource, _ body: (Wave) -> Void)
  {
    for index in waves.indices where waves[index].from < end {
      var wave = waves[index]
      let length = Double((wave.to - wave.from).count)
      wave.to = min(end, wave.to)
      let share = length > 0 ? Double((wave.to - wave.from).count) / length : 1
      wave.count = BinomialDraw.sample(wave.count, share: share, using: &bits)
      waves[index].count -= wave.count
      waves[index].from = wave.to
      if wave.count > 0 { body(wave) }
    }
    waves.removeAll { $0.count == 0 }
  }

  /// Attempts begin of clients that have tried before.
  mutating func resume(
    _ count: Int, attempts: Int, first: Instant, variance: Double = 0, at now: Instant
  ) {
    hold(count, attempts: attempts, delay: (now - first).seconds, variance: variance)
  }

  /// Clients will try again between two instants.
  mutating func put(_ wave: Wave) { waves.append(wave) }

  private mutating func hold(_ count: Int, attempts: Int, delay: Double, variance: Double) {
    let level = min(attempts, rules.retries)
    underWay[level] += count
    let share = Double(count) / Double(underWay[level])
    delays[level] += (delay - delays[level]) * share
    squares[level] += (delay * delay + variance - squares[level]) * share
  }

  /// Clients will leave whose attempts the platform has ended, each so long after it came as it
  /// waits at most. Precondition: they do not wait for ever.
  mutating func expect(_ came: WaitLedger.Cohort) {
    guard came.count > 0, let timeout = rules.timeout else { return }
    departing += came.count
    departures.append(
      Departure(from: came.from + timeout.count, to: came.to + timeout.count, count: came.count))
  }

  /// Takes out those who leave before an instant, in groups of some that do so evenly over a time.
  mutating func takeDepartures(before instant: Instant) -> [Departure] {
    var gone: [Departure] = []
    for index in departures.indices where departures[index].from < instant.nanoseconds {
      var part = departures[index]
      let length = Double(part.to - part.from)
      let share = length > 0 ? Double(instant.nanoseconds - part.from) / length : 1
      part.to = min(instant.nanoseconds, part.to)
      if share < 1 { part.count = Int(Double(part.count) * share) }
      departures[index].count -= part.count
      departures[index].from = part.to
      departing -= part.count
      if part.count > 0 { gone.append(part) }
    }
    departures.removeAll { $0.count == 0 }
    return gone
  }

  /// How many of invocations that end nobody waits for: who has not left yet will.
  mutating func late(
    among piece: WaitLedger.Settled, _ share: Double, using bits: inout some BitSource
  ) -> Int {
    if piece.isJudged { return piece.late }
    let late = BinomialDraw.sample(piece.count, share: share, using: &bits)
    var came = piece.came
    came.count = late
    expect(came)
    return late
  }

  /// So many attempts have ended, of which nobody waited for some: earlier ones weigh less by 1/e
  /// every ten seconds.
  mutating func note(late: Int, of count: Int, over seconds: Double) {
    guard count > 0, rules.timeout != nil else { return }
    let share = Double(late) / Double(count)
    lateOfLate += (share - lateOfLate) * min(1, seconds / 10)
  }

  /// Of attempts that have waited so long before they began, those that last longer than clients
  /// wait.
  func lateShare(wait: Int64, _ service: FlowService) -> Double {
    guard let timeout = rules.timeout else { return 0 }
    guard wait < timeout.count else { return 1 }
    return service.survival(beyond: Double(timeout.count - wait) * 1e-9)
  }

  /// Attempts of one number that leave the platform, and the seconds from the first to it.
  struct Leaving {
    var count: Int
    /// Before this one.
    var attempts: Int
    var delay: Double
    var variance: Double
  }

  /// Draws of which attempt so many are that leave the platform.
  mutating func leave(
    _ count: Int, using bits: inout some BitSource, _ body: (Leaving) -> Void
  ) {
    var left = min(count, heldCount)
    var all = heldCount
    for level in underWay.indices where left > 0 {
      let here = underWay[level]
      all -= here
      // Each leaves once.
      guard here > 0 else { continue }
      let taken = Int(
        Counts.hypergeometric(
          draws: UInt64(left), marked: UInt64(here), of: UInt64(here + all),
          uniform: bits.uniformOpen()))
      guard taken > 0 else { continue }
      underWay[level] -= taken
      left -= taken
      let variance = max(0, squares[level] - delays[level] * delays[level])
      body(
        Leaving(count: taken, attempts: level, delay: delays[level], variance: variance))
    }
  }

  /// Groups in which delays that differ are dealt.
  private static let groups = 16
  /// Quantiles of their middles, of the normal law and of a uniform one with its variance.
  private static let normals: [Double] = (0..<groups).map {
    Elementary.normalQuantile((Double($0) + 0.5) / Double(groups))
  }
  private static let uniforms: [Double] = (0..<groups).map {
    12.0.squareRoot() * ((Double($0) + 0.5) / Double(groups) - 0.5)
  }

  /// Deals delays to clients, by a law of the mean and variance that are known.
  mutating func deal(_ some: Leaving, _ body: (_ delay: Double, _ count: Int) -> Void) {
    let mean = some.delay
    guard mean > 0, some.variance > 1e-4 * mean * mean else { return body(mean, some.count) }
    phase += 0.618_033_988_749_894_8
    if phase >= 1 { phase -= 1 }
    let values = backoffValues(some) ?? Self.lognormalValues(some)
    // So that their mean is exact.
    let scale = mean * Double(Self.groups) / values.reduce(0, +)
    var dealt = 0
    for (index, value) in values.enumerated() {
      let share = Double(index + 1) / Double(Self.groups)
      let next =
        index + 1 == Self.groups ? some.count : Int(Double(some.count) * share + phase)
      let count = min(next, some.count) - dealt
      dealt += count
      if count > 0 { body(value * scale, count) }
    }
  }

  private static func lognormalValues(_ some: Leaving) -> [Double] {
    let sigma = Elementary.log1p(some.variance / (some.delay * some.delay)).squareRoot()
    return normals.map { Elementary.exp(sigma * $0) }
  }

  /// Where little but back-offs makes delays differ: these have a bound, and a lognormal law has
  /// none. The sum of several uniform times is between uniform and normal (the weights are
  /// assumed); nil: waits make the greater part of the variance, or that law is not of times.
  private func backoffValues(_ some: Leaving) -> [Double]? {
    var (squares, fourths) = (0.0, 0.0)
    for attempt in 0..<some.attempts {
      let bound = rules.backoff.bound(attempt: attempt).seconds
      squares += bound * bound
      fourths += bound * bound * bound * bound
    }
    guard squares > 0, some.variance < squares / 6 else { return nil }
    // Quantiles in between, by how much one of them makes of the sum's variance.
    let weight = fourths / (squares * squares)
    let mixed = zip(Self.uniforms, Self.normals).map { weight * $0 + (1 - weight) * $1 }
    let own = mixed.reduce(0) { $0 + $1 * $1 } / Double(Self.groups)
    let spread = (some.variance / own).squareRoot()
    let values = mixed.map { some.delay + spread * $0 }
    return values[0] > 0 ? values : nil
  }

  /// So many attempts have failed after some seconds each, evenly from one instant to another.
  /// Returns how many clients give up.
  ///
  /// - Parameter instant: within the step, so that retries are paid for in the part of the budget's
  ///   window in which its requests have paid in.
  mutating func fail(
    _ count: Int, after seconds: Double, variance: Double, from now: Instant, to end: Instant,
    paidAt instant: Instant, using bits: inout some BitSource
  ) -> Int {
    var pieces: [Leaving] = []
    leave(count, using: &bits) { pieces.append($0) }
    let length = (end - now).seconds
    var givenUp = 0
    let middle = now + Nanoseconds((end - now).count / 2)
    for piece in pieces {
      let isLast = piece.attempts >= rules.retries
      let granted = isLast ? 0 : withdraw(upTo: piece.count, at: instant)
      givenUp += piece.count - granted
      guard granted > 0 else { continue }
      let most = rules.backoff.bound(attempt: piece.attempts)
      put(
        Wave(
          from: now, to: end + most + Nanoseconds(1), count: granted,
          attempts: piece.attempts + 1, first: middle - Nanoseconds(seconds: piece.delay + seconds),
          variance: piece.variance + variance + length * length / 12))
    }
    return givenUp
  }

  private mutating func withdraw(upTo count: Int, at now: Instant) -> Int {
    budget?.withdraw(upTo: count, at: now) ?? count
  }
}
