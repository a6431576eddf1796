import Primitives

/// Expected requests a second of a service as a function of the second.
public indirect enum Intensity: Sendable, Equatable {
  /// A rate at a second.
  public struct Point: Sendable, Equatable {
    public var second: Double
    public var perSecond: Double

    public init(second: Double, perSecond: Double) {
      self.second = second
      self.perSecond = perSecond
    }
  }

  case constant(perSecond: Double)
  /// A daily curve with a given peak; hours are local, second 0 is local midnight.
  case daily(DailyCurve, peakPerSecond: Double)
  /// One rate for each minute; nothing afterwards.
  case minutes([Double])
  /// Rates at some seconds, in order, straight between them and constant outside.
  case profile([Point])
  /// Another intensity times the factors of its bursts and sessions.
  case modulated(Intensity, RateModulation)
  /// Another intensity times one factor for each day, over and over again.
  case daywise(Intensity, factors: [Double])
  /// Another intensity by a clock that is so many seconds ahead.
  case ahead(Intensity, seconds: Int)
  /// Another intensity, multiplied by a factor within a window with linear ramps before and after.
  case burst(Intensity, factor: Double, from: Int, to: Int, rampSeconds: Int)

  public func perSecond(_ second: Int) -> Double {
    switch self {
    case .constant(let rate): return rate
    case .daily(let curve, let peak): return peak * curve.relativeToPeak(second: second)
    case .minutes(let rates):
      let minute = second / 60
      return minute < rates.count ? rates[minute] : 0
    case .profile(let points): return Self.between(points, at: Double(second))
    case .modulated(let base, let modulation):
      return base.perSecond(second) * modulation.factor(second: second)
    case .daywise(let base, let factors):
      let day = second / 86_400
      return factors.isEmpty
        ? base.perSecond(second) : base.perSecond(second) * factors[day % factors.count]
    case .ahead(let base, let seconds): return base.perSecond(second + seconds)
    case .burst(let base, let factor, let from, let to, let ramp):
      return base.perSecond(second) * (1 + (factor - 1) * Self.ramp(second, from, to, ramp))
    }
  }

  /// O(log points). Of two points at one second the later one holds from it on.
  private static func between(_ points: [Point], at second: Double) -> Double {
    var (low, high) = (0, points.count)
    while low < high {
      let middle = (low + high) / 2
      if points[middle].second <= second { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return points.first?.perSecond ?? 0 }
    let before = points[low - 1]
    guard low < points.count else { return before.perSecond }
    let after = points[low]
    let share = (second - before.second) / (after.second - before.second)
    return before.perSecond + share * (after.perSecond - before.perSecond)
  }

  /// The greatest rate over the seconds of a window, by the minute.
  public func peak(from: Int, to: Int) -> Double {
    stride(from: from, to: to, by: 60).reduce(perSecond(from)) { max($0, perSecond($1)) }
  }

  private static func ramp(_ second: Int, _ from: Int, _ to: Int, _ ramp: Int) -> Double {
    if second < from - ramp || second >= to + ramp { return 0 }
    if second < from { return Double(second - from + ramp) / Double(ramp) }
    if second >= to { return Double(to + ramp - second) / Double(ramp) }
    return 1
  }
}

/// The shape of a day as three harmonics: 1 + sum of a cos(n w (t - phase)), hours local; taken at
/// whole minutes and straight between them.
///
/// Sources: `online` fits the peak-to-trough ratio of 4.1 that XFaaS publishes (4.3) with an
/// assumed phase, `offline` is assumed between Azure's 1.19 and XFaaS.
public struct DailyCurve: Sendable, Equatable {
  public struct Harmonic: Sendable, Equatable {
    public var amplitude: Double
    public var phaseHours: Double
    public init(amplitude: Double, phaseHours: Double) {
      self.amplitude = amplitude
      self.phaseHours = phaseHours
    }
  }

  public let harmonics: [Harmonic]
  /// Rate at each minute over the rate at the peak; the last is the first again.
  private let minutes: [Double]

  public init(_ harmonics: [Harmonic]) {
    self.harmonics = harmonics
    let day = (0...1440).map { relative(minute: $0 % 1440, harmonics) }
    let peak = day.reduce(0, max)
    minutes = day.map { $0 / peak }
  }

  public static let online = DailyCurve([
    Harmonic(amplitude: 0.52, phaseHours: 17.0), Harmonic(amplitude: 0.17, phaseHours: 20.8),
    Harmonic(amplitude: 0.06, phaseHours: 21),
  ])
  public static let offline = DailyCurve([
    Harmonic(amplitude: 0.32, phaseHours: 18.5), Harmonic(amplitude: 0.10, phaseHours: 21.5),
    Harmonic(amplitude: 0.03, phaseHours: 21),
  ])

  /// Rate at a second over the rate at the peak of the day.
  public func relativeToPeak(second: Int) -> Double {
    let (minute, rest) = (second % 86_400).quotientAndRemainder(dividingBy: 60)
    return minutes[minute] + (minutes[minute + 1] - minutes[minute]) * Double(rest) / 60
  }
}

private func relative(minute: Int, _ harmonics: [DailyCurve.Harmonic]) -> Double {
  let hours = Double(minute) / 60
  var sum = 1.0
  for (index, harmonic) in harmonics.enumerated() {
    let angle = 2 * Double.pi * Double(index + 1) * (hours - harmonic.phaseHours) / 24
    sum += harmonic.amplitude * Elementary.cos(angle)
  }
  return max(0, sum)
}
