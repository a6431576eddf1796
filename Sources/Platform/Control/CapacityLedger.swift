import Primitives

/// What capacity was paid for: integrals over time, brought up to date when something changes.
struct CapacityLedger: Sendable {
  struct Item: Sendable {
    /// Units there now: machines, or pods.
    var units = 0
    /// What they cost in an hour, and the cores that they have.
    var perHour = 0.0
    var cpuMilli: Int64 = 0
    var unitSeconds = 0.0
    var coreSeconds = 0.0
    var cost = 0.0
    var most = 0
    fileprivate var since = Instant.origin
  }

  private(set) var items: [Item]

  init(count: Int) { items = Array(repeating: Item(), count: count) }

  mutating func change(
    _ index: Int, units: Int, perHour: Double, cpuMilli: Int64, at now: Instant
  ) {
    settle(index, at: now)
    items[index].units += units
    items[index].perHour += perHour * Double(units)
    items[index].cpuMilli += cpuMilli * Int64(units)
    items[index].most = max(items[index].most, items[index].units)
    // What is all gone costs nothing, whatever roundings of sums say.
    if items[index].units == 0 { items[index].perHour = 0 }
  }

  private mutating func settle(_ index: Int, at now: Instant) {
    let seconds = (now - items[index].since).seconds
    items[index].unitSeconds += Double(items[index].units) * seconds
    items[index].coreSeconds += Double(items[index].cpuMilli) / 1000 * seconds
    items[index].cost += items[index].perHour * seconds / 3600
    items[index].since = now
  }

  /// Everything up to an instant.
  func settled(at now: Instant) -> [Item] {
    var copy = self
    for index in items.indices { copy.settle(index, at: now) }
    return copy.items
  }

  /// Counts begin afresh.
  mutating func restart(at now: Instant) {
    for index in items.indices {
      settle(index, at: now)
      items[index].unitSeconds = 0
      items[index].coreSeconds = 0
      items[index].cost = 0
      items[index].most = items[index].units
    }
  }
}
