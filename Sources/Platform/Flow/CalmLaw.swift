import Primitives

/// Waiting in seconds whose queues are over long before the second is: by the count of a second
/// alone, from a table over the utilisation whose points `CongestionLaw` gives when they are
/// needed.
///
/// A queue forgets what was in a time of about 2 m ÷ (C (1 − ρ)²). Where that is a twentieth of a
/// second the requests of a second wait as in equilibrium at that second's rate, whatever the
/// seconds around it are like, so that many seconds can be one step.
struct CalmLaw: Sendable {
  /// Relaxation up to which a second is in equilibrium with itself, seconds; flow_facts, section 2.
  static let longestRelaxation = 0.05
  /// Beyond, the stationary law of a count says less than the backlog that comes of it.
  static let highestUtilisation = 0.8
  /// Where no more than this share waits, what waits matters so little that it may be forgotten
  /// more slowly.
  static let rareWaits = 1e-3
  private static let points = 32

  let slots: Int
  /// In the unit of the mean service time.
  private let squaredCV: Double
  private let mean: Double
  /// The greatest utilisation of a calm second; 0: none is.
  let highest: Double
  /// Over even steps of the utilisation up to `highest`: share of requests that wait, and their
  /// mean wait in mean service times; not a number where nobody has asked yet.
  private var waiting: [Double]
  private var waits: [Double]
  private var last: CongestionLaw?

  /// - Parameter mean: seconds.
  init(slots: Int, mean: Double, squaredCV: Double) {
    self.slots = slots
    self.mean = mean
    self.squaredCV = squaredCV
    let least = (2 * mean / (Double(max(1, slots)) * Self.longestRelaxation)).squareRoot()
    highest =
      slots > 0
      ? min(Self.highestUtilisation, max(1 - least, Self.utilisation(ofRareWaits: slots))) : 0
    waiting = Array(repeating: .nan, count: highest > 0 ? Self.points + 1 : 0)
    waits = waiting
  }

  private func law(_ point: Int) -> CongestionLaw {
    CongestionLaw(
      slots: slots, utilisation: highest * Double(point) / Double(Self.points),
      squaredCV: squaredCV)
  }

  private mutating func find(_ point: Int) {
    guard waiting[point].isNaN else { return }
    let law = law(point)
    waiting[point] = law.waitProbability
    waits[point] = law.meanPositiveWait
  }

  /// The utilisation at which `rareWaits` wait, by bisection to within 1/256. O(slots), up to 64.
  private static func utilisation(ofRareWaits slots: Int) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<8 {
      let middle = (low + high) / 2
      if CongestionLaw.erlangC(slots: slots, utilisation: middle) <= rareWaits {
        low = middle
      } else {
        high = middle
      }
    }
    return low
  }

  /// Whether it holds for a capacity and a service; else it must be made anew.
  func fits(slots: Int, mean: Double, squaredCV: Double) -> Bool {
    slots == self.slots && abs(mean - self.mean) * 256 <= self.mean
      && abs(squaredCV - self.squaredCV) * 64 <= self.squaredCV + 1
  }

  /// The share of requests that wait, and their mean wait in mean service times. Between points
  /// straight. Precondition: a utilisation from 0 to `highest`, which is above 0.
  mutating func at(utilisation: Double) -> (share: Double, wait: Double) {
    let place = utilisation / highest * Double(Self.points)
    let index = min(Int(place), Self.points - 1)
    find(index)
    find(index + 1)
    let rest = place - Double(index)
    return (
      waiting[index] + rest * (waiting[index + 1] - waiting[index]),
      waits[index] + rest * (waits[index + 1] - waits[index])
    )
  }

  /// A quantile of the waits whose mean is given, in the same unit: of the law at the highest
  /// utilisation, where most of them are from.
  mutating func wait(quantile: Double, mean: Double) -> Double {
    guard highest > 0 else { return 0 }
    let last = last ?? law(Self.points)
    self.last = last
    guard last.meanPositiveWait > 0 else { return 0 }
    let backlog = -Elementary.log1p(-quantile) * last.meanPositiveWait
    return last.wait(backlog: backlog) / last.meanPositiveWait * mean
  }
}

/// What a rest will have of requests that wait.
struct CalmWaits: Sendable, BitwiseCopyable {
  /// How many, on average, and what they wait together, seconds.
  var count = 0.0
  var seconds = 0.0
  /// Of so many that come.
  var arrivals = 0
}
