import ControlPlane
import Primitives

/// Who has machines to give: what is ordered of it, what is on its way, and what it gets back.
///
/// Everything that it is told and tells has a number, so that a repetition is taken as one.
struct MachineSupply: Sendable {
  /// A node pool in a zone.
  struct Group: Sendable {
    let pool: Int
    /// Machines that have not arrived, and how many of these nobody wants any more.
    var onTheWay = 0
    var void = 0
    /// What was given so far, less what was called off.
    var given = 0
    /// Machines begun, for their times.
    var begun: UInt64 = 0
    /// Since the last restart of counts.
    var refused = 0
    /// The latest request that was answered, and its answer.
    fileprivate var request: UInt32 = 0
    fileprivate var answer = 0
  }

  /// What a request has led to.
  struct Change: Equatable {
    /// Machines given, or less than none: called off.
    var done: Int
    var isRepeated = false
  }

  /// By node pool: machines in stock; nil: without end.
  private(set) var stock: [Int?]
  var groups: [Group]
  /// Machines that have arrived and that Kubernetes has not acknowledged, by their numbers.
  var deliveries: RetryLedger<UInt32>
  /// Machines that have arrived.
  private(set) var arrived: UInt32 = 0
  /// Numbers of machines that came back; asked only for members.
  private var returned: Set<UInt32> = []

  init(stock: [Int?], pools: [Int], retry: RetryRules) {
    self.stock = stock
    groups = pools.map { Group(pool: $0) }
    deliveries = RetryLedger(retry)
  }

  var returnedCount: Int { returned.count }

  /// Orders more machines of a group, as many as there are, or calls off what is on its way. A
  /// caller has one request of a group at a time. A dry supply gives none.
  mutating func change(
    _ group: Int, request: UInt32, by count: Int, isDry: Bool = false
  ) -> Change {
    guard request > groups[group].request else {
      return Change(done: groups[group].answer, isRepeated: true)
    }
    let pool = groups[group].pool
    var done: Int
    if count >= 0 {
      done = isDry ? 0 : min(count, stock[pool] ?? count)
      stock[pool] = stock[pool].map { $0 - done }
      groups[group].onTheWay += done
      groups[group].refused += count - done
    } else {
      done = -min(-count, groups[group].onTheWay - groups[group].void)
      groups[group].void -= done
    }
    groups[group].given += done
    groups[group].request = request
    groups[group].answer = done
    return Change(done: done)
  }

  /// A machine has arrived: its number, or nil where it is called off and stays.
  mutating func arrive(_ group: Int) -> UInt32? {
    groups[group].onTheWay -= 1
    if groups[group].void > 0 {
      groups[group].void -= 1
      restock(group)
      return nil
    }
    arrived += 1
    return arrived
  }

  /// A machine comes back, perhaps told again.
  mutating func takeBack(_ number: UInt32, of group: Int) {
    if returned.insert(number).inserted { restock(group) }
  }

  private mutating func restock(_ group: Int) {
    let pool = groups[group].pool
    stock[pool] = stock[pool].map { $0 + 1 }
  }
}

/// What Kubernetes knows of machines: which have joined, and which it has given back.
struct MachineRegister: Sendable {
  /// By group: machines that have joined so far.
  private(set) var joined: [Int]
  /// Their numbers; asked only for members.
  private var known: Set<UInt32> = []
  /// Machines given back that the supply has not acknowledged, by numbers of their own.
  var returns: RetryLedger<UInt32>
  private(set) var returned: UInt32 = 0

  init(groups: Int, retry: RetryRules) {
    joined = Array(repeating: 0, count: groups)
    returns = RetryLedger(retry)
  }

  /// Whether a machine is new.
  mutating func accept(_ machine: UInt32, of group: Int) -> Bool {
    guard known.insert(machine).inserted else { return false }
    joined[group] += 1
    return true
  }

  /// The number of the next machine that goes back.
  mutating func nextReturn() -> UInt32 {
    returned += 1
    return returned
  }
}
