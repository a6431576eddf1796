import Primitives

/// How a pool answers a take that finds it empty.
public enum PoolRule: String, Sendable, CaseIterable, BitwiseCopyable {
  /// The fallback serves the take, which orders no refill of its own. Poisson demand at rate r with
  /// refill time R then misses with probability Erlang B(rR, w).
  case lost
  /// The take orders a refill and waits for the next pod (base stock): it misses with probability
  /// P(Poisson(rR) >= w).
  case backorder
}

/// What a pool is told.
public struct PoolRules: Sendable, Equatable, BitwiseCopyable {
  public var rule: PoolRule
  /// Refills under way at a time; more wait for their turn.
  public var refillParallelism: Int
  /// Pods below which the level alarm is raised; it is cleared at the target.
  public var alarmBelow: Int

  public init(rule: PoolRule, refillParallelism: Int, alarmBelow: Int) {
    self.rule = rule
    self.refillParallelism = refillParallelism
    self.alarmBelow = alarmBelow
  }
}

/// A warm pod: scheduled, image there, no code.
public struct WarmPod: Hashable, Sendable, BitwiseCopyable {
  public var pod: PodID
  public var node: NodeID
  public init(pod: PodID, node: NodeID) {
    self.pod = pod
    self.node = node
  }
}

/// The warm pods of one runtime, shape and zone: a stock that is ordered up to its target.
///
/// Ready pods and orders together make the target and the takes that wait; a surplus is given back.
public struct WarmPool: Sendable {
  public enum Take: Sendable, Equatable {
    case hit(WarmPod)
    /// The pool is empty and the take is served elsewhere.
    case miss
    /// The pool is empty and the take waits for the next pod.
    case waits
  }

  public private(set) var target: Int
  public var rules: PoolRules
  /// The oldest first; takes are served from the front.
  public private(set) var ready: [WarmPod] = []
  private var head = 0
  public private(set) var refillsUnderWay = 0
  public private(set) var refillsWaiting = 0
  public private(set) var waitingTakes: [StartRequest] = []
  public private(set) var isAlarmed = false

  public init(target: Int, rules: PoolRules) {
    self.target = target
    self.rules = rules
  }

  /// Warm pods that can be taken now.
  public var level: Int { ready.count - head }
  public var outstanding: Int { refillsUnderWay + refillsWaiting }

  /// A start wants a pod. New refills are in `ordersToPlace()` afterwards.
  ///
  /// - Parameter waits: whether the take may wait, where the rule would have it so.
  public mutating func take(for start: StartRequest, waits: Bool = true) -> Take {
    if level > 0 {
      let pod = removeOldest()
      orderUpToTarget()
      return .hit(pod)
    }
    // Nothing in the usual case, where all are on order; but a refill may have failed.
    orderUpToTarget()
    guard waits, rules.rule == .backorder else { return .miss }
    waitingTakes.append(start)
    refillsWaiting += 1
    return .waits
  }

  /// Refills to begin now; the caller orders each from Kubernetes.
  public mutating func ordersToPlace() -> Int {
    let room = max(0, rules.refillParallelism - refillsUnderWay)
    let orders = min(room, refillsWaiting)
    refillsWaiting -= orders
    refillsUnderWay += orders
    return orders
  }

  /// A refill has arrived: the start that it serves at once, if one waits.
  public mutating func refilled(_ pod: WarmPod) -> StartRequest? {
    refillsUnderWay -= 1
    if !waitingTakes.isEmpty { return waitingTakes.removeFirst() }
    ready.append(pod)
    return nil
  }

  /// A refill could not be made; what is missing is ordered again later.
  public mutating func refillFailed() { refillsUnderWay -= 1 }

  /// Adds a pod that nobody ordered here: the initial stock, or a predecessor's, found in
  /// Kubernetes.
  public mutating func adopt(_ pod: WarmPod) { ready.append(pod) }

  /// A predecessor's order, found in Kubernetes.
  public mutating func adoptOrder() { refillsUnderWay += 1 }

  /// A pod went without being asked to, as with its machine; what is missing is ordered. O(level).
  public mutating func lose(_ pod: PodID) {
    guard let index = ready[head...].firstIndex(where: { $0.pod == pod }) else { return }
    ready.remove(at: index)
    orderUpToTarget()
  }

  /// Orders what is missing to the target.
  public mutating func orderUpToTarget() {
    let missing = target + waitingTakes.count - level - outstanding
    if missing > 0 { refillsWaiting += missing }
  }

  /// Changes the target; returns pods beyond it, the youngest, which the caller deletes.
  public mutating func setTarget(_ newTarget: Int) -> [WarmPod] {
    target = newTarget
    refillsWaiting = max(
      0, min(refillsWaiting, target + waitingTakes.count - level - refillsUnderWay))
    orderUpToTarget()
    var surplus: [WarmPod] = []
    while level > target { surplus.append(ready.removeLast()) }
    return surplus
  }

  /// Raises or clears the level alarm; nil when nothing changed.
  public mutating func updateAlarm() -> Bool? {
    if !isAlarmed && level < rules.alarmBelow {
      isAlarmed = true
      return true
    }
    if isAlarmed && level >= target {
      isAlarmed = false
      return false
    }
    return nil
  }

  private mutating func removeOldest() -> WarmPod {
    let pod = ready[head]
    head += 1
    if head > 64 && head * 2 > ready.count {
      ready.removeFirst(head)
      head = 0
    }
    return pod
  }
}
