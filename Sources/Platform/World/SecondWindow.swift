/// What came within the last second, epoch by epoch, of several kinds side by side.
///
/// What comes one by one is added in its epoch. A lane that knows what has come only when a step is
/// over tells a rate that it expects from then on, and at the step's end what that was wrong by:
/// this is put where it belongs, into those epochs of the step that are still in the window. So no
/// step is counted in a single epoch, and where long and short steps follow on one another nothing
/// is counted twice or left out.
struct SecondWindow<Counts: SIMD & Sendable>: Sendable where Counts.Scalar == Double {
  /// What is expected in a second.
  private(set) var rate = Counts()
  /// What came in the last second, up to the epoch that was closed last.
  private(set) var sum = Counts()
  private var open = Counts()
  /// The epochs of the last second, in a ring; the oldest is the next to be replaced.
  private var past: [Counts]
  private var oldest = 0
  private let epochSeconds: Double

  init(epochSeconds: Double) {
    self.epochSeconds = epochSeconds
    past = Array(repeating: Counts(), count: Self.epochs(in: 1, of: epochSeconds))
  }

  /// Whole epochs in some seconds, one at least.
  static func epochs(in seconds: Double, of epochSeconds: Double) -> Int {
    max(1, Int((seconds / epochSeconds).rounded()))
  }

  /// Nothing has come in the last second, and nothing is expected.
  var isEmpty: Bool { rate == Counts() && open == Counts() && sum == Counts() }

  mutating func add(_ some: Counts) { open += some }

  /// So much more is expected in a second, from the epoch on that is open.
  mutating func expect(_ change: Counts) {
    rate += change
    // What was added and taken back leaves no rounding behind.
    rate.replace(with: 0, where: (rate .< 1e-9) .& (rate .> -1e-9))
  }

  /// So much more has come than was expected, evenly over some seconds up to now. O(epochs).
  mutating func correct(_ some: Counts, over seconds: Double) {
    let count = min(past.count, Self.epochs(in: seconds, of: epochSeconds))
    // Of a longer time only its last second is in the window.
    let share = some / (Double(count) * max(1, seconds))
    open += share
    for age in 1..<max(1, count) {
      past[(oldest + past.count - age) % past.count] += share
    }
  }

  /// Closes an epoch, or a time that is longer than the window. O(epochs in a second).
  mutating func close(seconds: Double) {
    past[oldest] = open + rate * seconds
    oldest = (oldest + 1) % past.count
    open = Counts()
    sum = past.reduce(Counts(), +)
    sum.replace(with: 0, where: sum .< 1e-9)
  }
}
