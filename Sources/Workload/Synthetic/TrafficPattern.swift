import Primitives
import SimulationKernel

/// How a service's traffic lies in time, beyond the curve of its day.
///
/// The classes and their parameters are fitted to the variation of inter-arrival times of Azure
/// Functions 2019 (workload model, MODEL.md); Poisson arrivals with bursts alone have no tail like
/// it, which takes batches and sessions.
public enum TrafficPattern: String, Sendable, CaseIterable {
  /// The same rate all day, and the rate of the day.
  case flat, steady
  /// Two bursts a day of about three times the rate for some ten minutes.
  case moderate
  /// A spike every other day, ten to two hundred times the rate for some minutes.
  case spiky
  /// All traffic in one to five sessions a day.
  case session
  /// Batches: compound Poisson on the rate of the day.
  case clumped
  /// More regular than Poisson; where it is rare, day and night alike, since machines call.
  case renewal
  /// Messages that the requests of a service of another group bring about.
  case chained
  /// By the clock.
  case timer
  /// Hardly ever called: at most twice a day.
  case dormant

  /// Bursts and sessions of one service within `days` days; nil where it has none.
  public func modulation(days: Int, key: StreamKey, shared: SharedBursts?) -> RateModulation? {
    var bits = key.appending(0xB0257).sequence()
    switch self {
    case .moderate:
      return bursts(perDay: 2, days: days, meanSeconds: 600, shared, &bits) { bits in
        Elementary.exp(
          Elementary.log(3) + 0.6 * Elementary.normalQuantile(bits.uniformOpen()))
      }
    case .spiky:
      let bursts = bursts(perDay: 0.5, days: days, meanSeconds: 180, shared, &bits) { bits in
        min(200, 10 * Elementary.pow(bits.uniformOpen(), -1 / 1.3))
      }
      // Each request calls forth .6 others within some 20 s, which is how a spike fades.
      return RateModulation(bursts.windows, decaySeconds: 20 / (1 - 0.6))
    case .session: return sessions(days: days, &bits)
    default: return nil
    }
  }

  private func bursts(
    perDay: Double, days: Int, meanSeconds: Double, _ shared: SharedBursts?,
    _ bits: inout Xoshiro256PlusPlus, _ amplitude: (inout Xoshiro256PlusPlus) -> Double
  ) -> RateModulation {
    var windows: [RateModulation.Window] = []
    let expected = perDay * Double(days)
    let count = Int(Counts.poisson(mean: expected, uniform: bits.uniformOpen()))
    for _ in 0..<count {
      var start = Int(bits.uniform() * Double(days * 86_400))
      if let shared, let at = shared.start(bits.uniform()) { start = at }
      let length = max(1, Int(-Elementary.log(bits.uniformOpen()) * meanSeconds))
      windows.append(
        RateModulation.Window(from: start, to: start + length, factor: amplitude(&bits)))
    }
    return RateModulation(windows)
  }

  private func sessions(days: Int, _ bits: inout Xoshiro256PlusPlus) -> RateModulation {
    var windows: [RateModulation.Window] = []
    for day in 0..<days {
      for _ in 0...Int(bits.integer(below: 5)) {
        let start = day * 86_400 + Int(bits.uniform() * 86_400)
        let length = Elementary.exp(
          Elementary.log(1200) + 1.2 * Elementary.normalQuantile(bits.uniformOpen()))
        windows.append(
          RateModulation.Window(from: start, to: start + max(1, Int(length)), factor: 1))
      }
    }
    return RateModulation(windows, base: 0)
  }
}

/// Instants at which many services of a group have a burst together: a tenth of all bursts, five to
/// fifty services at a time.
public struct SharedBursts: Sendable {
  static let share = 0.1

  private let starts: [Int]

  /// - Parameter bursts: that the group has in all, expected.
  public init(bursts: Double, days: Int, key: StreamKey) {
    var bits = key.appending(0x5A4ED).sequence()
    let together = 5 * Elementary.exp(Elementary.log(10) * 0.5)
    let count = Int((bursts * Self.share / together).rounded())
    starts = (0..<count).map { _ in Int(bits.uniform() * Double(days * 86_400)) }
  }

  /// The start of the event that a burst belongs to; nil for nine in ten.
  func start(_ uniform: Double) -> Int? {
    guard uniform < Self.share, !starts.isEmpty else { return nil }
    return starts[min(starts.count - 1, Int(uniform / Self.share * Double(starts.count)))]
  }
}
