import ControlPlane
import Primitives

/// How the calls of a lane lie on its instances under a choice of the fewest requests, whose ties
/// go to the lowest slot: that is hunting in order, where of `a` erlang the r-th slot carries a
/// (B(r − 1, a) − B(r, a)) by Erlang's loss B (Kosten 1937). Where several fit on an instance, all
/// have one before one has two, and the slots hunted over are those first, second and further
/// calls.
///
/// What finds all slots busy waits and fills whatever becomes free, so that it adds to each as much
/// as that is idle, in one ratio.
struct CallSpread: Sendable {
  /// Calls on each instance on average as a multiple of the mean; empty: all alike.
  private(set) var weights: [Double] = []
  private var load = -1.0

  /// Makes the weights hold for so many instances and so many erlang; a load within 2 % of the last
  /// is taken for it. O(instances × calls on each), where that has changed.
  mutating func prepare(count: Int, concurrency: Int, load wanted: Double) {
    guard count != weights.count || abs(wanted - load) > 0.02 * load else { return }
    load = wanted
    weights.removeAll(keepingCapacity: true)
    guard count > 0 else { return }
    // Beyond two calls on each the first has hardly more than the last.
    guard wanted > 0, wanted < 2 * Double(count) else {
      for _ in 0..<count { weights.append(1) }
      return
    }
    for _ in 0..<count { weights.append(0) }
    let reached = (wanted + 6 * wanted.squareRoot() + 2) / Double(count)
    let layers = max(1, min(concurrency, Int(reached.rounded(.up))))
    var (blocking, carried) = (1.0, 0.0)
    for slot in 0..<(layers * count) {
      let next = wanted * blocking / (Double(slot + 1) + wanted * blocking)
      let own = wanted * (blocking - next)
      weights[slot % count] += own
      carried += own
      blocking = next
    }
    let all = Double(layers * count)
    let level = min(wanted, all)
    let more = all > carried ? max(0, level - carried) / (all - carried) : 0
    let mean = level / Double(count)
    for index in weights.indices {
      weights[index] = (weights[index] + more * (Double(layers) - weights[index])) / mean
    }
  }

  /// Precondition: a position of those that the weights were made for, unless there are none.
  func weight(_ position: Int) -> Double { weights.isEmpty ? 1 : weights[position] }

  /// The mean over instances of a value that each has, weighted by calls; where there are others
  /// than the weights were made for, unweighted. Precondition: there is one instance.
  func mean(of count: Int, _ value: (Int) -> Double) -> Double {
    var sum = 0.0
    guard weights.count == count else {
      for index in 0..<count { sum += value(index) }
      return sum / Double(count)
    }
    for index in 0..<count { sum += weights[index] * value(index) }
    return sum / Double(count)
  }
}
