import Primitives

/// Doorman's shares for one consumer that asks (`go/server/doorman/algorithm.go`; published), in
/// whole millionths, each division rounded down.
enum QuotaShares {
  /// - Parameters:
  ///   - leases: those that are there, of the asker perhaps among them.
  ///   - count: subclients, as Doorman counts them here: the asker's new ones only where it is new.
  ///   - sumWants: what is wanted by leases, before this question.
  static func proportional(
    _ ask: QuotaAsk, among leases: [QuotaServer.Lease], count: Int64, sumWants: QuotaAmount,
    capacity: QuotaAmount
  ) -> QuotaAmount {
    let count = max(1, count)
    let equal = capacity.scaled(ask.subclients, over: count)
    if sumWants <= capacity || ask.wants <= equal { return ask.wants }
    var extra = QuotaAmount.zero
    var need = QuotaAmount.zero
    for lease in leases {
      let isAsker = lease.consumer == ask.consumer
      let wants = isAsker ? ask.wants : lease.wants
      let share = capacity.scaled(isAsker ? ask.subclients : lease.subclients, over: count)
      if wants < share { extra += share - wants } else { need += wants - share }
    }
    guard need > .zero else { return equal }
    return equal + extra.scaled((ask.wants - equal).micros, over: need.micros)
  }

  static func fair(
    _ ask: QuotaAsk, among leases: [QuotaServer.Lease], count: Int64, capacity: QuotaAmount
  ) -> QuotaAmount {
    let count = max(1, count)
    let deserved = capacity.scaled(ask.subclients, over: count)
    if ask.wants <= deserved { return ask.wants }
    let others = leases.filter { $0.consumer != ask.consumer }
    var extra = QuotaAmount.zero
    var contenders = ask.subclients
    for lease in others {
      let share = capacity.scaled(lease.subclients, over: count)
      if lease.wants < share {
        extra += share - lease.wants
      } else if lease.wants > share {
        contenders += lease.subclients
      }
    }
    let first = deserved + extra.scaled(ask.subclients, over: contenders)
    if ask.wants < first { return ask.wants }
    // Contenders that want less than this leave something again. Doorman compares all of them with
    // the asker's own claim, whatever their subclients.
    var left = QuotaAmount.zero
    var stillContending = ask.subclients
    for lease in others where lease.wants > capacity.scaled(lease.subclients, over: count) {
      if lease.wants < first {
        left += first - lease.wants
      } else if lease.wants > first {
        stillContending += lease.subclients
      }
    }
    return first + left.scaled(ask.subclients, over: stillContending)
  }
}

/// Max-min fairness: everybody gets what it wants up to one level for each subclient, and the level
/// is as high as the capacity lets it be.
public struct WaterLevel: Sendable, Equatable {
  /// What each subclient of the unsatisfied gets, as a part: amount / weight.
  private var amount: QuotaAmount
  private var weight: Int64

  /// - Parameter wishes: what is wanted, and by how many subclients.
  /// - Complexity: O(n log n).
  public init(_ wishes: [(wants: QuotaAmount, subclients: Int64)], capacity: QuotaAmount) {
    // By what a subclient wants; products of 60 and 31 bits.
    let sorted = wishes.sorted { a, b in
      let left = a.wants.micros.multipliedFullWidth(by: b.subclients)
      let right = b.wants.micros.multipliedFullWidth(by: a.subclients)
      return left.high != right.high ? left.high < right.high : left.low < right.low
    }
    amount = capacity
    weight = sorted.reduce(0) { $0 + $1.subclients }
    for wish in sorted {
      guard weight > 0, amount.scaled(wish.subclients, over: weight) >= wish.wants else { return }
      amount -= wish.wants
      weight -= wish.subclients
    }
  }

  public func share(wants: QuotaAmount, subclients: Int64) -> QuotaAmount {
    weight > 0 ? min(wants, amount.scaled(subclients, over: weight)) : wants
  }
}
