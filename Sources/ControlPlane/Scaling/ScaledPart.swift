import Primitives

/// One gateway's part of a service as AutoScale sees it: the last sample, and what was asked for
/// since.
public struct ScaledPart: Sendable {
  /// Its shares of the service's limits.
  public var least: Int
  public var most: Int
  public private(set) var instances: InstanceCounts
  /// Starts asked for here that no sample has shown the end of, by the instant of asking, the
  /// oldest first.
  public private(set) var orderedAt: [Instant] = []
  private var settled: UInt32 = 0
  /// When Kubernetes was asked to withdraw orders, of which it has not told yet.
  public private(set) var withdrawingSince: Instant?
  private var census = OrderCensus()
  /// Whether requests come here.
  public var isInUse = false
  /// Its zone is gone: nothing is ordered here.
  public private(set) var isClosed = false

  public init(least: Int, most: Int, instances: InstanceCounts = InstanceCounts()) {
    self.least = least
    self.most = most
    self.instances = instances
  }

  public var usable: Int { Int(instances.usable) }
  /// Instances on their way, asked for by the gateway or by AutoScale.
  public var coming: Int { Int(instances.starting) + orderedAt.count }

  /// Takes a sample; true when it tells anything new about instances.
  public mutating func take(_ sample: PartSample) -> Bool {
    let ended = Int(sample.settled &- settled)
    orderedAt.removeFirst(min(ended, orderedAt.count))
    settled = sample.settled
    defer { instances = sample.instances }
    return ended > 0 || sample.instances != instances
  }

  /// An instance is there from the beginning.
  public mutating func adopt() { instances.usable += 1 }

  public mutating func order(at now: Instant) { orderedAt.append(now) }

  /// Kubernetes is asked to withdraw orders; what comes of it is told.
  public mutating func withdraw(at now: Instant) { withdrawingSince = now }

  /// The latest so many orders will not be made.
  public mutating func withdrawn(_ count: Int) {
    withdrawingSince = nil
    orderedAt.removeLast(min(count, orderedAt.count))
  }

  /// Instances were told to go; the next sample shows what has become of it.
  public mutating func shrink(to target: Int) { instances.usable = Int32(clamping: target) }

  /// Its zone is gone with all instances, or is there again.
  public mutating func setClosed(_ isClosed: Bool) {
    self.isClosed = isClosed
    instances = InstanceCounts()
    orderedAt.removeAll()
    withdrawingSince = nil
    census = OrderCensus(number: census.number)
    isInUse = false
  }

  /// Orders that were given before an instant are taken for lost: where nobody can be asked.
  public mutating func forgetOrders(before instant: Instant) {
    guard let oldest = orderedAt.first, oldest < instant else { return }
    orderedAt.removeAll { $0 < instant }
  }

  /// A withdrawal of which nothing was heard for an interval may be asked for again.
  public mutating func forgetWithdrawal(at now: Instant) {
    if let since = withdrawingSince, since + OrderCensus.interval <= now { withdrawingSince = nil }
  }

  /// The number of the question that is to be put to Kubernetes now: how many of the orders are
  /// under way. Nil while all are young, or were asked about lately.
  public mutating func asksAboutOrders(at now: Instant) -> UInt32? {
    guard let oldest = orderedAt.first, oldest + OrderCensus.interval <= now else {
      census.answered = nil
      return nil
    }
    return census.ask(at: now)
  }

  /// Kubernetes has so many of the orders; true when some are lost, which are forgotten.
  ///
  /// An order is lost that two counts in turn did not have: what the first one did not see may have
  /// been on its way to Kubernetes, and of what it saw the end is known by the second. Orders that
  /// came after the first question only make fewer of the others seem lost. O(orders).
  public mutating func counted(_ count: Int, question: UInt32) -> Bool {
    guard let pair = census.answer(question, count: count) else { return false }
    let old = orderedAt.count { $0 <= pair.cutoff }
    let lost = old - pair.most
    guard lost > 0 else { return false }
    orderedAt.removeFirst(lost)
    return true
  }
}

/// What Kubernetes was asked of a part's orders, and what it has answered.
struct OrderCensus: Sendable {
  /// Between questions, and from an order to the first about it (assumed): as often as a Kubernetes
  /// controller would list what it owns if it could not watch it.
  static let interval = Nanoseconds.seconds(10)

  /// The latest question; 0: none was put.
  var number: UInt32 = 0
  private var askedAt: Instant?
  private var isOpen = false
  /// Orders up to here the latest question was about.
  private var cutoff = Instant.origin
  /// The answer before, to the question just before the latest.
  var answered: (cutoff: Instant, count: Int)?

  init(number: UInt32 = 0) { self.number = number }

  mutating func ask(at now: Instant) -> UInt32? {
    if let askedAt, askedAt + Self.interval > now { return nil }
    // Nobody has answered: what was said before that is too old.
    if isOpen { answered = nil }
    number &+= 1
    askedAt = now
    isOpen = true
    cutoff = now - Self.interval
    return number
  }

  /// Of two answers in turn, what the first was about, and the more that were found; nil where this
  /// is the first, or answers something else.
  mutating func answer(_ question: UInt32, count: Int) -> (cutoff: Instant, most: Int)? {
    guard isOpen, question == number else { return nil }
    isOpen = false
    defer { answered = (cutoff, count) }
    return answered.map { ($0.cutoff, max($0.count, count)) }
  }
}

/// Where a service gets its next instance, and where it gives one up: parts are kept alike. The
/// first part wins a tie on the way up and the last on the way down.
public enum EvenSpread {
  /// Whether an open part has two usable instances or more less than another.
  public static func isUneven(_ parts: [ScaledPart]) -> Bool {
    let open = parts.filter { !$0.isClosed }.map(\.usable)
    return (open.max() ?? 0) - (open.min() ?? 0) > 1
  }

  /// The part with the fewest instances, among those below their limit.
  public static func fewest(_ parts: [ScaledPart]) -> Int? {
    var best: Int?
    for (index, part) in parts.enumerated()
    where !part.isClosed && part.instances.total + part.orderedAt.count < part.most {
      guard let other = best else {
        best = index
        continue
      }
      if part.usable + part.coming < parts[other].usable + parts[other].coming { best = index }
    }
    return best
  }

  /// The part with the most instances, coming ones among them, of those that wait for orders.
  public static func fullestToWithdraw(_ parts: [ScaledPart], less taken: [Int]) -> Int? {
    var (best, most): (Int?, Int) = (nil, 0)
    for (index, part) in parts.enumerated()
    where part.withdrawingSince == nil && part.orderedAt.count > taken[index] {
      let count = part.usable + part.coming - taken[index]
      guard count > max(most, part.least) else { continue }
      (best, most) = (index, count)
    }
    return best
  }

  /// The part with the most usable instances above its least number.
  ///
  /// A part in use keeps its last instance unless all are to go: requests of one part cannot go to
  /// another, so that it would start the same instance again.
  public static func fullest(_ parts: [ScaledPart], toZero: Bool) -> Int? {
    var best: Int?
    for (index, part) in parts.enumerated() {
      let kept = toZero || !part.isInUse ? part.least : max(1, part.least)
      guard part.usable > kept else { continue }
      if let other = best, part.usable - part.least < parts[other].usable - parts[other].least {
        continue
      }
      best = index
    }
    return best
  }
}
