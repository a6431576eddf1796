import Primitives
import SimulationKernel

/// A group of services that a model describes together: how popular each is and how its traffic
/// lies in time. Every member is a function of its number and of the group's key alone, so that one
/// asked for by itself has the arrivals that it has among all.
public struct SyntheticGroup: Sendable {
  public struct Law: Sendable {
    public var members: Int
    /// Requests or messages a second of all together, at the busiest minute of the day; 0: what
    /// timers and dormant services have by themselves.
    public var totalPeak: Double
    /// Spread of popularity, and the greatest share of one member.
    public var sigma: Double
    public var cap: Double
    public var curve: DailyCurve
    /// Factors on the rates of days, over and over again: weekends, holidays. Empty: all alike.
    public var days: [Double] = []
    /// Patterns by share of the members.
    public var patterns: [(pattern: TrafficPattern, share: Double)]
    /// So many of the busiest, as a share, have patterns of their own.
    public var busiest: Double
    public var busiestPatterns: [(pattern: TrafficPattern, share: Double)]
    /// Shape of the gamma factor on the rate of each second; nil: Poisson.
    public var dispersion: Double?
    /// Below this peak a second, batches and regular gaps are single arrivals.
    public var pointsBelow: Double
    /// Share of dormant members that are called at all in a day.
    public var calledShare: Double

    public init(members: Int, totalPeak: Double) {
      self.members = members
      self.totalPeak = totalPeak
      (sigma, cap, curve, busiest) = (0, 1, .online, 0.01)
      busiestPatterns = [(.steady, 1)]
      (patterns, dispersion, pointsBelow, calledShare) = ([(.steady, 1)], nil, 1, 0.25)
    }
  }

  public let law: Law
  public let deal: MemberDeal
  /// Of the members in the traffic, the most popular first.
  public let shares: [Double]
  private let key: StreamKey
  private let days: Int
  private let shared: SharedBursts

  /// - Parameters:
  ///   - key: of the group.
  ///   - seconds: of the run, for which bursts and firings are made.
  public init(_ law: Law, key: StreamKey, seconds: Int) {
    self.law = law
    self.key = key
    days = max(1, (seconds + 86_399) / 86_400)
    deal = MemberDeal(key: key)
    shares = Popularity.shares(count: law.members, sigma: law.sigma, cap: law.cap)
    let all = law.patterns.reduce(0) { $0 + $1.share }
    let bursts = law.patterns.reduce(0) { sum, item in
      let perDay = item.pattern == .moderate ? 2.0 : item.pattern == .spiky ? 0.5 : 0
      return sum + perDay * item.share / max(all, 1e-9)
    }
    shared = SharedBursts(
      bursts: bursts * Double(law.members * days), days: days, key: key)
  }

  /// Requests a second of each member at the peak of its own day, the most popular first, where
  /// its clock is ahead by so much: all together have `totalPeak` at their busiest minute of the
  /// first day, bursts and sessions with them.
  ///
  /// - Parameter keys: of each member.
  /// - Complexity: linear in the members and in the minutes of their bursts.
  public func peaks(ahead: [Int], keys: (Int) -> StreamKey) -> [Double] {
    guard law.totalPeak > 0 else { return shares.map { _ in 0 } }
    var minutes = [Double](repeating: 0, count: 1440)
    // By clock, in the order of first use: there are as many as regions.
    var byClock: [(ahead: Int, share: Double)] = []
    for (member, share) in shares.enumerated() {
      let pattern = pattern(of: member)
      guard pattern != .timer, pattern != .dormant else { continue }
      let own = member < ahead.count ? ahead[member] : 0
      guard let modulation = modulation(pattern, key: keys(member)) else {
        if pattern == .flat {
          for minute in minutes.indices { minutes[minute] += share }
        } else {
          if let place = byClock.firstIndex(where: { $0.ahead == own }) {
            byClock[place].share += share
          } else {
            byClock.append((own, share))
          }
        }
        continue
      }
      for minute in minutes.indices {
        minutes[minute] +=
          share * law.curve.relativeToPeak(second: minute * 60 + own)
          * modulation.factor(second: minute * 60)
      }
    }
    for (own, share) in byClock {
      for minute in minutes.indices {
        minutes[minute] += share * law.curve.relativeToPeak(second: minute * 60 + own)
      }
    }
    let scale = law.totalPeak / max(minutes.reduce(0, max), 1e-12)
    return shares.map { $0 * scale }
  }

  public func pattern(of member: Int) -> TrafficPattern {
    let isBusiest = Double(member) < law.busiest * Double(law.members)
    let shares = isBusiest ? law.busiestPatterns : law.patterns
    return shares[deal.choice(.pattern, of: member, shares: shares.map(\.share))].pattern
  }

  /// The arrivals of a member, `ahead` seconds by its region's clock.
  ///
  /// - Parameter peak: of its own day, of `peaks`.
  public func member(
    _ member: Int, peak: Double, ahead: Int, key: StreamKey
  ) -> SyntheticMember {
    SyntheticMember(group: self, member: member, peak: peak, ahead: ahead, key: key)
  }

  func modulation(_ pattern: TrafficPattern, key: StreamKey) -> RateModulation? {
    pattern.modulation(days: days, key: key, shared: shared)
  }

  var endSeconds: Int { days * 86_400 }
}

/// One service of a synthetic group.
public struct SyntheticMember: Sendable {
  public let pattern: TrafficPattern
  /// Requests a second at the busiest minute of an ordinary day.
  public let peak: Double
  public private(set) var intensity: Intensity
  private let law: SyntheticGroup.Law
  private let deal: MemberDeal
  private let number: Int
  private let key: StreamKey
  private let endSeconds: Int
  private var chain: Chain?

  /// What a chained service follows.
  private struct Chain {
    var intensity: Intensity
    var dispersion: Double?
    var key: StreamKey
    var factor: Double
    var delaySeconds: Int
  }

  init(group: SyntheticGroup, member: Int, peak own: Double, ahead: Int, key: StreamKey) {
    pattern = group.pattern(of: member)
    law = group.law
    deal = group.deal
    number = member
    self.key = key
    endSeconds = group.endSeconds
    switch pattern {
    case .timer:
      peak = 1 / Double(TimerPeriods.period(group.deal, member))
      intensity = .constant(perSecond: peak)
    case .dormant:
      peak = 0
      intensity = .constant(perSecond: 0)
    default:
      peak = own
      let isEven = pattern == .flat || (pattern == .renewal && own < group.law.pointsBelow)
      let day: Intensity =
        isEven
        ? .constant(perSecond: peak) : .daily(group.law.curve, peakPerSecond: peak)
      let week: Intensity =
        group.law.days.isEmpty ? day : .daywise(day, factors: group.law.days)
      let local: Intensity = ahead == 0 ? week : .ahead(week, seconds: ahead)
      intensity = group.modulation(pattern, key: key).map { .modulated(local, $0) } ?? local
    }
  }

  /// Whether others can follow it: its arrivals are counts of a rate.
  public var canBeFollowed: Bool {
    switch pattern {
    case .flat, .steady, .moderate, .spiky, .session: peak > 0
    case .clumped, .renewal: peak >= law.pointsBelow
    case .chained, .timer, .dormant: false
    }
  }

  /// The greatest number of messages that one request brings about; of the workload model.
  static let mostChained = 20.0

  /// How many messages each request that it follows should bring about, from 1 to 20, evenly in the
  /// logarithm.
  public var wantedChain: Double {
    Elementary.exp(Elementary.log(Self.mostChained) * deal.uniform(.variation, of: number))
  }

  /// The same with arrivals that a request of another service brings about, as many as its own peak
  /// has for each of the other's, 1 to 60 s later.
  public func following(_ cause: SyntheticMember) -> SyntheticMember {
    var made = self
    let factor = peak / max(cause.peak, 1e-12)
    let delay = 1 + Int(deal.uniform(.phase, of: number) * 60)
    made.chain = Chain(
      intensity: cause.intensity, dispersion: cause.dispersion, key: cause.key, factor: factor,
      delaySeconds: delay)
    made.intensity = .modulated(cause.intensity, RateModulation([], base: factor))
    return made
  }

  /// Whether anything comes at all.
  public var isCalled: Bool { pattern != .dormant || !dormantPoints.isEmpty }

  /// The shape of the gamma factor of its seconds; nil: Poisson, or single arrivals.
  ///
  /// Batches of geometric size with mean b that fall into one second make variance ÷ mean of its
  /// count 2 b − 1, as a gamma factor of shape rate ÷ (2 b − 2) does. Shapes are rounded to a few,
  /// whose tables are shared.
  public var dispersion: Double? {
    // The factors are drawn with the service that it follows.
    if let chain { return chain.dispersion }
    return switch pattern {
    case .spiky: 1
    case .clumped: Self.rounded(max(0.05, peak / (2 * batchMean - 2)))
    case .renewal, .timer, .dormant: nil
    default: law.dispersion
    }
  }

  /// Shapes that tables are made for.
  public static let shapes = [0.05, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]

  private static func rounded(_ shape: Double) -> Double {
    shapes.last { $0 <= shape } ?? shapes[0]
  }

  /// 1 + lognormal(ln 6, 1.6), at most half of what comes in a second, and at least 1.1.
  var batchMean: Double {
    let drawn = 1 + Elementary.exp(Elementary.log(6) + 1.6 * deal.normal(.variation, of: number))
    return max(1.1, min(drawn, max(peak, law.pointsBelow * 60) / 2))
  }

  private var dormantPoints: [PointSource.Point] {
    var points: [PointSource.Point] = []
    for day in 0..<(endSeconds / 86_400) {
      var bits = key.appending(0xD0A3).stream(UInt64(day))
      guard bits.uniform() < law.calledShare else { continue }
      for _ in 0...Int(bits.integer(below: 2)) {
        let at = (Double(day) + bits.uniform()) * 86_400e9
        points.append(PointSource.Point(nanoseconds: Int64(at), ordinal: 0))
      }
    }
    points.sort { $0.nanoseconds < $1.nanoseconds }
    for index in points.indices { points[index].ordinal = index }
    return points
  }

  /// - Parameter factors: the table of `dispersion`.
  public func source(lane: Int, zones: Int, factors: GammaFactorTable?) -> any ArrivalSource {
    switch pattern {
    case .timer:
      return TimerSource(
        TimerPeriods.rule(deal, number, end: endSeconds), key: key, lane: lane,
        by: PlaceDeal(even: zones))
    case .dormant:
      return PointSource.deal(dormantPoints, zone: lane, by: PlaceDeal(even: zones), key: key)
    case .clumped where peak < law.pointsBelow:
      return ClumpedSource(
        intensity: intensity, batchMean: batchMean, key: key, lane: lane, zones: zones)
    case .renewal where peak < law.pointsBelow:
      let variation = 0.1 + 0.8 * deal.uniform(.variation, of: number)
      return RenewalSource(
        counts: hourlyCounts(variation), blockSeconds: 3600,
        pattern: RenewalPattern(variation: variation), key: key, lane: lane,
        by: PlaceDeal(even: zones))
    default:
      let weights = [Double](repeating: 1, count: zones)
      guard let chain else {
        return KeyedRateSource(
          intensity: intensity, factors: factors, key: key, lane: lane, weights: weights,
          byMinute: true)
      }
      let cause = KeyedRateSource(
        intensity: chain.intensity, factors: factors, key: chain.key, lane: 0, weights: [1],
        byMinute: true)
      return KeyedRateSource(
        following: cause, factor: chain.factor, delaySeconds: chain.delaySeconds, key: key,
        lane: lane, weights: weights)
    }
  }

  /// Of a renewal process: a normal number whose variance ÷ mean is that of its gaps, squared.
  private func hourlyCounts(_ variation: Double) -> [UInt32] {
    (0..<endSeconds / 3600).map { hour in
      let mean = (0..<60).reduce(0) { $0 + 60 * intensity.perSecond(hour * 3600 + $1 * 60) }
      var bits = key.appending(0x4E77).stream(UInt64(hour))
      let normal = Elementary.normalQuantile(bits.uniformOpen())
      return UInt32(max(0, (mean + variation * mean.squareRoot() * normal).rounded()))
    }
  }
}
