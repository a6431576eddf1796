import Primitives

/// Orders for pods that found no room, and which of them gets room that appears.
///
/// Orders of a tenant and shape wait in the order in which they came. Room goes to the tenant that
/// holds the least for its weight of the machines in question, so that none that waits has less
/// than another could give up to it (max-min fairness, one pod at a time); warm pods of the
/// platform come last. A tenant whose pods do not fit is passed over: no room stays empty for it.
struct PendingPods: Sendable {
  struct Line: Sendable {
    var tenant: Int
    var shape: Int
    fileprivate var orders: [UInt64] = []
    fileprivate var head = 0
    /// Those that have not been given up.
    fileprivate(set) var count = 0
  }

  /// By table: lines in the order of tenant and shape.
  private(set) var lines: [[Line]]
  private(set) var count = 0

  init(tables: Int) { lines = Array(repeating: [], count: tables) }

  /// Whether pods wait that would take any room of this shape first.
  func waits(table: Int, tenant: Int, shape: Int) -> Bool {
    lines[table].contains { $0.tenant == tenant && $0.shape == shape && $0.count > 0 }
  }

  mutating func append(_ order: UInt64, table: Int, tenant: Int, shape: Int) {
    let place =
      lines[table].firstIndex { ($0.tenant, $0.shape) >= (tenant, shape) }
      ?? lines[table].count
    if place == lines[table].count || lines[table][place].tenant != tenant
      || lines[table][place].shape != shape
    {
      lines[table].insert(Line(tenant: tenant, shape: shape), at: place)
    }
    lines[table][place].orders.append(order)
    lines[table][place].count += 1
    count += 1
  }

  /// An order is waited for no more; its place in line goes when it comes up.
  mutating func giveUp(table: Int, tenant: Int, shape: Int) {
    guard
      let line = lines[table].firstIndex(where: { $0.tenant == tenant && $0.shape == shape })
    else { return }
    lines[table][line].count -= 1
    count -= 1
  }

  /// The first of a line that is still wanted; `isWanted` tells.
  mutating func first(table: Int, line: Int, _ isWanted: (UInt64) -> Bool) -> UInt64? {
    while lines[table][line].head < lines[table][line].orders.count {
      let order = lines[table][line].orders[lines[table][line].head]
      if isWanted(order) { return order }
      lines[table][line].head += 1
    }
    return nil
  }

  /// The first of a line has its room.
  mutating func removeFirst(table: Int, line: Int) {
    lines[table][line].head += 1
    lines[table][line].count -= 1
    count -= 1
    if lines[table][line].head > 64,
      lines[table][line].head * 2 > lines[table][line].orders.count
    {
      lines[table][line].orders.removeFirst(lines[table][line].head)
      lines[table][line].head = 0
    }
  }
}
