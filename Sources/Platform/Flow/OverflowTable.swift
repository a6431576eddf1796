import Primitives

/// The chance that an arrival finds the first i instances busy, for all i: Erlang's loss by his
/// recursion, exact for ordered choice without waiting and exponential service (Kosten 1937 for the
/// loads of the single instances).
struct OverflowTable: Sendable {
  private var load = -1.0
  private var blocking: [Double] = [1]
  /// Of the runs of arrivals that go beyond a level, the chance that an arrival begins one.
  private var runs: [Double] = [1]

  /// Makes the table hold for `count` instances at an offered load; a load within 2 % of the last
  /// is taken for it.
  mutating func prepare(count: Int, load wanted: Double) {
    if abs(wanted - load) > 0.02 * load {
      load = wanted
      blocking.removeLast(blocking.count - 1)
      runs.removeLast(runs.count - 1)
    }
    var last = blocking[blocking.count - 1]
    while blocking.count <= count {
      last = load * last / (Double(blocking.count) + load * last)
      blocking.append(last)
      // Arrivals beyond a level come in runs of 1/(1 - load/level) on average, of which one counts.
      let single = max(0.1, 1 - load / Double(blocking.count))
      runs.append(min(runs[runs.count - 1], last * single))
    }
  }

  /// The chance that an arrival finds the first `level` instances busy.
  func loss(_ level: Int) -> Double { blocking[level] }

  /// How many instances, from the first on, `arrivals` arrivals use, for `uniform` in (0, 1).
  func used(arrivals: Int, count: Int, uniform: Double) -> Int {
    guard arrivals > 0 else { return 0 }
    // All stay within the first levels with the chance (1 - p)ⁿ. Even one arrival uses the first.
    let least = 1 - Elementary.exp(Elementary.log(uniform) / Double(arrivals))
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      // An arrival that finds the first `middle` busy takes the next.
      if runs[middle] >= least { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
