import ControlPlane
import Primitives
import Testing

/// Instances that a breaker withholds, and those on trial, under every choice.
@Suite struct InstanceWithholdingTests {
  private struct Known {
    var slot: InstanceSlot
    var inFlight = 0
    var limit: Int
    var isDraining = false

    var isOpen: Bool { inFlight < limit && !isDraining }
  }

  /// Whatever happens, an instance is chosen only while it may have another request, and one is
  /// found as long as there is one; under choices that do not draw or remember, the right one.
  @Test(arguments: InstanceChoice.allCases, [1, 3, 100])
  func noneIsChosenThatIsWithheld(choice: InstanceChoice, limit: Int) {
    var bits = Xoshiro256PlusPlus(seed: 11)
    var policyBits = Xoshiro256PlusPlus(seed: 12)
    func random(_ bound: Int) -> Int { Int(bits.integer(below: UInt64(bound))) }
    var table = InstanceTable(choice: choice, concurrencyLimit: limit)
    var known = (0..<12).map { index in
      Known(slot: table.add(PodID(index), at: .origin), limit: limit)
    }
    for step in 1...20_000 {
      let now = Instant(nanoseconds: Int64(step))
      let index = random(known.count)
      switch random(12) {
      case 0:
        table.withhold(known[index].slot)
        known[index].limit = 0
      case 1:
        table.offerOnTrial(known[index].slot)
        known[index].limit = 1
      case 2:
        table.offer(known[index].slot)
        known[index].limit = limit
      case 3 where random(10) == 0:
        guard known[index].inFlight == 0 else { continue }
        table.remove(known[index].slot)
        known[index] = Known(slot: table.add(PodID(100 + step), at: now), limit: limit)
      case 4 where random(10) == 0:
        table.drain(known[index].slot)
        known[index].isDraining = true
      case 5...8:
        let open = known.filter(\.isOpen)
        let chosen = table.choose(using: &policyBits)
        #expect((chosen == nil) == open.isEmpty, "\(choice) at step \(step)")
        guard let chosen, let place = known.firstIndex(where: { $0.slot == chosen }) else {
          continue
        }
        #expect(known[place].isOpen, "\(choice) at step \(step)")
        if choice == .leastRequests {
          let least = open.map(\.inFlight).min() ?? 0
          let first = open.filter { $0.inFlight == least }.map(\.slot.raw).min()
          #expect(chosen.raw == first, "step \(step)")
        }
        table.begin(chosen)
        known[place].inFlight += 1
      default:
        guard known[index].inFlight > 0 else { continue }
        _ = table.end(known[index].slot, at: now)
        known[index].inFlight -= 1
      }
      #expect(table.inFlight == known.reduce(0) { $0 + $1.inFlight })
      #expect(table.usable == known.count { !$0.isDraining })
    }
  }

  /// On trial an instance has one request at a time, and none beside those that it has already.
  @Test func aTrialIsOneRequest() {
    var table = InstanceTable(choice: .leastRequests, concurrencyLimit: 10)
    let slot = table.add(PodID(0), at: .origin)
    var bits = Xoshiro256PlusPlus(seed: 1)
    table.begin(slot)
    table.withhold(slot)
    table.offerOnTrial(slot)
    #expect(table.choose(using: &bits) == nil)
    _ = table.end(slot, at: .origin)
    #expect(table.choose(using: &bits) == slot)
    table.begin(slot)
    #expect(table.choose(using: &bits) == nil)
    table.offer(slot)
    #expect(table.choose(using: &bits) == slot)
  }
}
