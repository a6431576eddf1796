import Primitives

/// Invocations of a flow lane that have completed and whose latencies have not been recorded yet,
/// counted by what they waited.
///
/// In a queue in order of arrival, what a request waits and how long its own service takes are
/// independent, so that service times can be dealt to all of one wait at once, as a whole law.
struct PendingLatencies: Sendable {
  private struct Bin: Sendable, BitwiseCopyable {
    var key: Int
    var count: Int
    var waitSum: Double
    /// Shares of the law that the service times are from, summed up.
    var shareSum: Double
  }

  /// Bins an octave of waits, as bits; a bin is represented by its own mean.
  private static let bitsPerOctave = 4
  /// With more, they should be recorded.
  private static let most = 96

  /// By ascending key.
  private var bins: [Bin] = []
  private(set) var count = 0
  /// What a service took when these completed; nil when there are none.
  private(set) var service: FlowService?
  /// Where the next deal begins, in [0, 1): a golden-ratio sequence, evenly spread over any number
  /// of deals.
  private var phase: Double
  /// How much of what is dealt together comes from here.
  private let weight: Double

  /// - Parameter weight: how much of what is dealt together comes from here, 0 to 1: of many lanes
  ///   each may be dealt coarsely.
  init(phase: Double, weight: Double = 1) {
    self.phase = phase
    self.weight = weight
  }

  /// Whether invocations of a service can join those that are here: its mean is within 1/512.
  func accepts(_ other: FlowService) -> Bool {
    guard let service else { return true }
    return bins.count < Self.most
      && abs(other.mean - service.mean) * 512 <= service.mean
  }

  /// Precondition: `accepts(service)`.
  ///
  /// - Parameter share: the service times are the shortest of the law, so large a share of it.
  mutating func add(
    wait: Int64, count more: Int, share: Double = 1, of service: FlowService
  ) {
    if count == 0 { self.service = service }
    count += more
    let key = wait > 0 ? Int(Double(wait).bitPattern >> UInt64(52 - Self.bitsPerOctave)) : 0
    let sum = Double(max(0, wait)) * Double(more)
    let shares = share * Double(more)
    if let last = bins.indices.last(where: { bins[$0].key <= key }) {
      if bins[last].key == key {
        bins[last].count += more
        bins[last].waitSum += sum
        bins[last].shareSum += shares
        return
      }
      bins.insert(Bin(key: key, count: more, waitSum: sum, shareSum: shares), at: last + 1)
    } else {
      bins.insert(Bin(key: key, count: more, waitSum: sum, shareSum: shares), at: 0)
    }
  }

  /// Deals service times to all and forgets them; `body` gets latencies in nanoseconds and how many
  /// invocations have them, `count` in all.
  mutating func deal(_ body: (Int64, Int) -> Void) {
    guard count > 0, let service else { return }
    for bin in bins {
      let wait = Int64((bin.waitSum / Double(bin.count)).rounded())
      let strata = ServiceStrata.fitting(
        share: weight * Double(bin.count) / Double(count))
      advancePhase()
      let share = bin.shareSum / Double(bin.count)
      strata.deal(bin.count, phase: phase) {
        let quantile = share < 1 ? Int(Double($0) * share) : $0
        body(wait + service.nanoseconds(quantile), $1)
      }
    }
    bins.removeAll(keepingCapacity: true)
    count = 0
    self.service = nil
  }

  mutating func advancePhase() {
    phase += 0.618_033_988_749_894_8
    if phase >= 1 { phase -= 1 }
  }

  mutating func reseed(phase: Double) { self.phase = phase }
}

/// Strata of the 4096 quantiles of a law: as wide as a fixed part of the whole in the body, and of
/// what lies above in the tail, so that high quantiles are as exact as the median.
struct ServiceStrata: Sendable {
  /// Strata i holds the quantiles from `bounds[i]` up to `bounds[i + 1]`.
  private let bounds: [Int]

  private static let fine = ServiceStrata(body: 32, perTail: 0.044)
  private static let middle = ServiceStrata(body: 128, perTail: 0.19)
  private static let coarse = ServiceStrata(body: 512, perTail: 0.5)

  /// The fewer of all a bin holds, the coarser its deal may be: errors are those of all bins
  /// together, each with a phase of its own.
  static func fitting(share: Double) -> ServiceStrata {
    share >= 0.25 ? fine : share >= 0.03 ? middle : coarse
  }

  /// - Parameters:
  ///   - body: quantiles in a stratum, at most.
  ///   - perTail: width of a stratum ÷ quantiles from its beginning on, at most.
  private init(body: Int, perTail: Double) {
    let all = ServiceShape.points
    var bounds = [0]
    var at = 0
    while at < all {
      at += max(1, min(body, Int(perTail * Double(all - at))))
      bounds.append(min(at, all))
    }
    self.bounds = bounds
  }

  /// Deals `count` over the strata in proportion to their widths, exactly in total; `body` gets
  /// the number of a quantile and a count above 0. O(min(count, strata)).
  func deal(_ count: Int, phase: Double, _ body: (Int, Int) -> Void) {
    let all = ServiceShape.points
    if count < bounds.count {
      // Evenly spaced, one each.
      for i in 0..<count {
        body(min(all - 1, Int((Double(i) + phase) / Double(count) * Double(all))), 1)
      }
      return
    }
    let each = Double(count) / Double(all)
    var dealt = 0
    var place = phase
    for i in 1..<bounds.count {
      let next = i + 1 == bounds.count ? count : Int(each * Double(bounds[i]) + phase)
      let share = next - dealt
      dealt = next
      place += 0.618_033_988_749_894_8
      if place >= 1 { place -= 1 }
      guard share > 0 else { continue }
      let low = bounds[i - 1]
      body(low + Int(place * Double(bounds[i] - low)), share)
    }
  }
}
