/// Idle instances on one machine, and which go when room is needed: Greedy-Dual with sizes and
/// frequencies. (Fuerst and Sharma, "FaasCache", 2021, equation 1.)
///
/// An instance's priority is the clock plus frequency times cost of a cold start by size. The least
/// goes, the lowest function among equals, and the clock becomes its priority. Functions are dense.
public struct GreedyDualCache: Sendable, Equatable {
  public struct Function: Sendable, Equatable {
    public var size: Int64
    public var coldCost: Double

    /// Precondition: the size is positive.
    public init(size: Int64, coldCost: Double) {
      precondition(size > 0, "an instance takes room")
      self.size = size
      self.coldCost = coldCost
    }
  }

  private struct Entry: Sendable, Equatable {
    var function: Int
    var priority: Double
    var isBusy: Bool
  }

  public enum Use: Sendable, Equatable {
    case hit
    /// A new instance; the functions whose instances went for it, in order.
    case miss(evicted: [Int])
    /// Nothing idle is left to make room of; those that went are gone.
    case refused(evicted: [Int])
  }

  public let capacity: Int64
  private let functions: [Function]
  private var entries: [Entry] = []
  private var frequencies: [Int64]
  public private(set) var used: Int64 = 0
  public private(set) var clock = 0.0

  public init(capacity: Int64, functions: [Function]) {
    self.capacity = capacity
    self.functions = functions
    frequencies = Array(repeating: 0, count: functions.count)
  }

  /// The priority that an instance of a function gets when it is used now.
  public func priority(of function: Int) -> Double {
    let told = functions[function]
    return clock + Double(frequencies[function]) * told.coldCost / Double(told.size)
  }

  /// An invocation begins. O(instances), for each that goes.
  public mutating func use(_ function: Int) -> Use {
    if let idle = entries.firstIndex(where: { $0.function == function && !$0.isBusy }) {
      frequencies[function] += 1
      entries[idle].isBusy = true
      entries[idle].priority = priority(of: function)
      return .hit
    }
    var evicted: [Int] = []
    while used + functions[function].size > capacity {
      guard let gone = evict() else { return .refused(evicted: evicted) }
      evicted.append(gone)
    }
    frequencies[function] += 1
    used += functions[function].size
    entries.append(
      Entry(function: function, priority: priority(of: function), isBusy: true))
    return .miss(evicted: evicted)
  }

  /// An invocation ended; its instance is idle. Without one that is busy nothing happens.
  public mutating func release(_ function: Int) {
    let busy = entries.firstIndex { $0.function == function && $0.isBusy }
    if let busy { entries[busy].isBusy = false }
  }

  private mutating func evict() -> Int? {
    let idle = entries.indices.filter { !entries[$0].isBusy }
    let least = idle.min {
      (entries[$0].priority, entries[$0].function) < (entries[$1].priority, entries[$1].function)
    }
    guard let least else { return nil }
    let gone = entries.remove(at: least)
    // One that was busy while others went may have less than the clock, which does not go back.
    clock = max(clock, gone.priority)
    used -= functions[gone.function].size
    if !entries.contains(where: { $0.function == gone.function }) {
      frequencies[gone.function] = 0
    }
    return gone.function
  }
}
