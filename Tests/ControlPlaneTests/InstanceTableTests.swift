import ControlPlane
import Primitives
import Testing

/// The table of instances against a list that is searched, under random use.
@Suite struct InstanceTableTests {
  private struct Known {
    var slot: InstanceSlot
    var pod: PodID
    var order: Int
    var inFlight = 0
    var lastUse: Int
    var isDraining = false
  }

  /// The instances that a policy may choose; nil: it draws, so any with room.
  private static func allowed(_ choice: InstanceChoice, _ all: [Known], limit: Int) -> [Known] {
    let free = all.filter { $0.inFlight < limit && !$0.isDraining }
    switch choice {
    case .leastRequests:
      let least = free.map(\.inFlight).min()
      return free.filter { $0.inFlight == least }
    case .newestCreated: return free.max { $0.order < $1.order }.map { [$0] } ?? []
    case .mostRecentlyUsed: return free.max { $0.lastUse < $1.lastUse }.map { [$0] } ?? []
    case .leastRecentlyUsed: return free.min { $0.lastUse < $1.lastUse }.map { [$0] } ?? []
    case .powerOfTwo, .roundRobin, .random: return free
    }
  }

  @Test(arguments: InstanceChoice.allCases, [1, 3, 100])
  func agreesWithASearch(choice: InstanceChoice, limit: Int) {
    var bits = Xoshiro256PlusPlus(seed: 5)
    var policyBits = Xoshiro256PlusPlus(seed: 6)
    func random(_ bound: Int) -> Int { Int(bits.integer(below: UInt64(bound))) }
    var table = InstanceTable(choice: choice, concurrencyLimit: limit)
    var known: [Known] = []
    var clock = 0
    for step in 0..<20_000 {
      clock += 1
      let now = Instant(nanoseconds: Int64(clock))
      switch random(10) {
      case 0 where known.count < 40:
        let slot = table.add(PodID(step), at: now)
        known.append(Known(slot: slot, pod: PodID(step), order: step, lastUse: clock))
      case 1:
        guard let index = known.indices.first(where: { known[$0].inFlight == 0 && random(3) == 0 })
        else { continue }
        table.remove(known[index].slot)
        known.remove(at: index)
      case 2 where random(20) == 0 && !known.isEmpty:
        let index = random(known.count)
        known[index].isDraining = true
        table.drain(known[index].slot)
      case 3...6:
        let allowed = Self.allowed(choice, known, limit: limit)
        let chosen = table.choose(using: &policyBits)
        #expect(allowed.isEmpty == (chosen == nil))
        guard let chosen else { continue }
        #expect(allowed.contains { $0.slot == chosen }, "\(choice) chose what it must not")
        table.begin(chosen)
        guard let index = known.firstIndex(where: { $0.slot == chosen }) else { continue }
        known[index].inFlight += 1
        known[index].lastUse = clock
      default:
        let busy = known.indices.filter { known[$0].inFlight > 0 }
        guard !busy.isEmpty else { continue }
        let index = busy[random(busy.count)]
        known[index].inFlight -= 1
        known[index].lastUse = clock
        let isIdle = table.end(known[index].slot, at: now)
        #expect(isIdle == (known[index].inFlight == 0))
      }
      #expect(table.count == known.count)
      #expect(table.inFlight == known.reduce(0) { $0 + $1.inFlight })
      #expect(table.idleCount == known.count { $0.inFlight == 0 })
    }
  }
}
