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

  /// What the policies that keep an order or draw go by: where round robin goes on, the free slots
  /// in the order of the sampled set (the last takes the place of one that leaves), and the stream.
  private struct Memory {
    var cursor = 0
    var open: [InstanceSlot] = []
    var bits: Xoshiro256PlusPlus

    mutating func note(_ one: Known, isOpen: Bool) {
      if isOpen {
        if !open.contains(one.slot) { open.append(one.slot) }
      } else if let index = open.firstIndex(of: one.slot) {
        open.swapAt(index, open.count - 1)
        open.removeLast()
      }
    }

    mutating func draw(_ bound: Int) -> Int { Int(bits.integer(below: UInt64(bound))) }
  }

  /// The instance that a policy must choose; none when no slot is free.
  private static func expected(
    _ choice: InstanceChoice, _ all: [Known], limit: Int, _ memory: inout Memory
  ) -> InstanceSlot? {
    let free = all.filter { $0.inFlight < limit && !$0.isDraining }
    guard !free.isEmpty else { return nil }
    func load(_ slot: InstanceSlot) -> Int { free.first { $0.slot == slot }?.inFlight ?? .max }
    switch choice {
    case .leastRequests:
      let least = free.map(\.inFlight).min()
      return free.filter { $0.inFlight == least }.map(\.slot).min { $0.raw < $1.raw }
    case .newestCreated: return free.max { $0.order < $1.order }?.slot
    case .mostRecentlyUsed: return free.max { $0.lastUse < $1.lastUse }?.slot
    case .leastRecentlyUsed: return free.min { $0.lastUse < $1.lastUse }?.slot
    case .roundRobin:
      let slots = free.map(\.slot).sorted { $0.raw < $1.raw }
      let next = slots.first { $0.index >= memory.cursor } ?? slots[0]
      memory.cursor = next.index + 1
      return next
    case .random: return memory.open[memory.draw(free.count)]
    case .powerOfTwo:
      guard free.count > 1 else { return free[0].slot }
      let first = memory.draw(free.count)
      let second = memory.draw(free.count - 1)
      let a = memory.open[first]
      let b = memory.open[second < first ? second : second + 1]
      return load(b) < load(a) ? b : a
    }
  }

  @Test(arguments: InstanceChoice.allCases, [1, 3, 100])
  func agreesWithASearch(choice: InstanceChoice, limit: Int) {
    var bits = Xoshiro256PlusPlus(seed: 5)
    var policyBits = Xoshiro256PlusPlus(seed: 6)
    var memory = Memory(bits: policyBits)
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
        memory.note(known[known.count - 1], isOpen: true)
      case 1:
        guard let index = known.indices.first(where: { known[$0].inFlight == 0 && random(3) == 0 })
        else { continue }
        table.remove(known[index].slot)
        memory.note(known[index], isOpen: false)
        known.remove(at: index)
      case 2 where random(20) == 0 && !known.isEmpty:
        let index = random(known.count)
        known[index].isDraining = true
        table.drain(known[index].slot)
        memory.note(known[index], isOpen: false)
      case 3...6:
        let expected = Self.expected(choice, known, limit: limit, &memory)
        let chosen = table.choose(using: &policyBits)
        #expect(chosen == expected, "\(choice) at step \(step)")
        guard let chosen else { continue }
        table.begin(chosen)
        guard let index = known.firstIndex(where: { $0.slot == chosen }) else { continue }
        known[index].inFlight += 1
        known[index].lastUse = clock
        memory.note(known[index], isOpen: known[index].inFlight < limit)
      default:
        let busy = known.indices.filter { known[$0].inFlight > 0 }
        guard !busy.isEmpty else { continue }
        let index = busy[random(busy.count)]
        known[index].inFlight -= 1
        known[index].lastUse = clock
        let isIdle = table.end(known[index].slot, at: now)
        if !known[index].isDraining { memory.note(known[index], isOpen: true) }
        #expect(isIdle == (known[index].inFlight == 0))
      }
      #expect(table.count == known.count)
      #expect(table.inFlight == known.reduce(0) { $0 + $1.inFlight })
      #expect(table.idleCount == known.count { $0.inFlight == 0 })
    }
  }

  /// Random choice is uniform whatever the instances have to do; chi-square with 15 degrees of
  /// freedom, within five of its own deviations.
  @Test func randomIsUniform() {
    var table = InstanceTable(choice: .random, concurrencyLimit: 100)
    let slots = (0..<16).map { table.add(PodID($0), at: .origin) }
    for (index, slot) in slots.enumerated() { for _ in 0..<index { table.begin(slot) } }
    var bits = Xoshiro256PlusPlus(seed: 7)
    var counts = [Int](repeating: 0, count: 16)
    for _ in 0..<160_000 { counts[table.choose(using: &bits)?.index ?? 0] += 1 }
    let chi = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
    #expect(abs(chi - 15) < 5 * 30.0.squareRoot(), "\(counts)")
  }

  /// Of two samples without replacement among n instances with different loads, the k-th least
  /// loaded wins with probability 2 (n - k) / n (n - 1): the most loaded never does.
  @Test func powerOfTwoPrefersTheLessLoaded() {
    var table = InstanceTable(choice: .powerOfTwo, concurrencyLimit: 100)
    let slots = (0..<8).map { table.add(PodID($0), at: .origin) }
    for (index, slot) in slots.enumerated() { for _ in 0..<index { table.begin(slot) } }
    var bits = Xoshiro256PlusPlus(seed: 8)
    var counts = [Int](repeating: 0, count: 8)
    for _ in 0..<56_000 { counts[table.choose(using: &bits)?.index ?? 0] += 1 }
    for (index, count) in counts.enumerated() {
      let mean = Double(2000 * (7 - index))
      #expect(abs(Double(count) - mean) <= 5 * mean.squareRoot(), "\(counts)")
    }
  }
}
