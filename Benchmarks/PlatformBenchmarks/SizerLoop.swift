import ControlPlane
import Primitives

/// A Worker Manager's sizes of pools, tick by tick, where ten pools have news at each.
struct SizerLoop {
  private struct Following: PoolSizing {
    var needsReadyPods: Bool { true }
    func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int { readyNow / 10 }
    func clone() -> Self { self }
  }

  private static let tick = Nanoseconds.seconds(10)
  private var sizer: PoolSizer
  private var now = Instant.origin
  private let pools: Int
  private var turn = 0

  init(pools: Int) {
    self.pools = pools
    let plan = PoolPlan(rule: Following(), readyAtPeak: 0, alarmShare: 0.25)
    sizer = PoolSizer(plans: Array(repeating: plan, count: pools), tick: Self.tick)
    for pool in 0..<pools { sizer.begin(PoolID(pool), at: now) }
    now = now + Self.tick
    _ = sizer.decide(at: now)
  }

  mutating func run(ticks: Int) -> Int {
    var sum = 0
    for _ in 0..<ticks {
      turn += 1
      for change in 0..<10 {
        sizer.heard(PoolID((turn * 977 + change * 199) % pools), ready: turn, at: now)
      }
      now = now + Self.tick
      sum += sizer.decide(at: now).count
    }
    return sum
  }
}
