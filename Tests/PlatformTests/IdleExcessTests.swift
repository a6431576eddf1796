import Primitives
import Testing

@testable import Platform

/// The table of `IdleExcess` beside the equilibrium of the chain that it is of.
@Suite struct IdleExcessTests {
  /// How many instances have 0, 1, 2 ... requests.
  private typealias State = [Int]

  /// The mean number of idle instances in equilibrium, services of one second: the chain is made
  /// one in discrete time, and run until nothing changes.
  private static func idle(_ instances: Int, most: Int, load: Double) -> Double {
    var numbers: [State: Int] = [:]
    var states: [State] = []
    func number(_ state: State) -> Int {
      if let known = numbers[state] { return known }
      numbers[state] = states.count
      states.append(state)
      return states.count - 1
    }
    var empty = [Int](repeating: 0, count: most + 1)
    empty[0] = instances
    _ = number(empty)
    var moves: [(from: Int, to: Int, rate: Double)] = []
    var next = 0
    while next < states.count {
      let state = states[next]
      func move(_ from: Int, _ to: Int, _ rate: Double) {
        var other = state
        other[from] -= 1
        other[to] += 1
        moves.append((next, number(other), rate))
      }
      if let fewest = state.firstIndex(where: { $0 > 0 }), fewest < most {
        move(fewest, fewest + 1, load)
      }
      for level in 1...most where state[level] > 0 {
        move(level, level - 1, Double(level * state[level]))
      }
      next += 1
    }
    var out = [Double](repeating: 0, count: states.count)
    for move in moves { out[move.from] += move.rate }
    let clock = 1.01 * (out.max() ?? 1)
    var chances = [Double](repeating: 0, count: states.count)
    chances[0] = 1
    for _ in 0..<Int(30 * clock) {
      var after = chances.indices.map { chances[$0] * (1 - out[$0] / clock) }
      for move in moves { after[move.to] += chances[move.from] * move.rate / clock }
      chances = after
    }
    return chances.indices.reduce(0) { $0 + chances[$1] * Double(states[$1][0]) }
  }

  /// E[max(0, n − N)] of a Poisson number.
  private static func fewest(_ instances: Int, load: Double) -> Double {
    var chance = Elementary.exp(-load)
    var sum = 0.0
    for count in 0..<instances {
      sum += Double(instances - count) * chance
      chance *= load / Double(count + 1)
    }
    return sum
  }

  /// At rows of the table, between them, and between its columns.
  @Test(arguments: [(2, 8), (3, 6), (4, 6), (5, 5), (8, 4), (10, 3), (15, 2)])
  func theTableIsTheChain(instances: Int, most: Int) {
    let root = Double(instances).squareRoot()
    // With so few requests on each the chain has none left where the load is high.
    for beta in [-1.0, -0.75, -0.25, 0, 0.25, 0.5, 1, 1.3] where most > 2 || beta > 0.4 {
      let load = Double(instances) - beta * root
      guard load > 0.05 else { continue }
      let chain = Self.idle(instances, most: most, load: load) - Self.fewest(instances, load: load)
      let table = IdleExcess.mean(instances, load: load)
      #expect(abs(table - chain) < 0.01 * root, "\(table) for \(chain) at \(beta)")
    }
  }

  @Test func oneInstanceHasNoOther() {
    #expect(IdleExcess.mean(1, load: 1) == 0)
    #expect(IdleExcess.mean(0, load: 1) == 0)
    #expect(IdleExcess.mean(10, load: 0) == 0)
    #expect(IdleExcess.mean(1000, load: 100) == 0)
    #expect(IdleExcess.mean(100, load: 400) < 0.01)
  }
}
