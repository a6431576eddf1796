import ControlPlane
import Primitives

/// What is wrong with the network and with what is asked through it, as faults come and go.
///
/// A few rules at a time, each looked at for each message while there are any. O(rules).
struct NetworkConditions: Sendable {
  private struct Rule: Sendable {
    var fault: Int
    var kind: FaultConfiguration.Kind
    var growth: FaultGrowth
  }

  private var rules: [Rule] = []

  var isEmpty: Bool { rules.isEmpty }

  mutating func begin(_ fault: Int, _ configuration: FaultConfiguration) {
    rules.append(
      Rule(fault: fault, kind: configuration.kind, growth: configuration.growth))
  }

  mutating func end(_ fault: Int) { rules.removeAll { $0.fault == fault } }

  func isStopped(_ part: Dependency) -> Bool { rules.contains { $0.kind == .stop(part) } }

  /// How many times as long something takes.
  func slowdown(of part: Dependency, at now: Instant) -> Double {
    rules.reduce(1) { product, rule in
      guard case .slow(part, let factor) = rule.kind else { return product }
      return product * rule.growth.grown(factor, at: now)
    }
  }

  /// What becomes of a message between two places: so many times its delay, and the chance that it
  /// is lost.
  func passage(
    from: Address, at fromPlace: Place, to: Address, at toPlace: Place, now: Instant
  ) -> (factor: Double, loss: Double) {
    var (factor, passes) = (1.0, 1.0)
    for rule in rules {
      switch rule.kind {
      case .stop(let part):
        if part.hears(at: to) || part.hears(at: from) { passes = 0 }
      case .slowZone(let zone, let k):
        if fromPlace == Place(zone) || toPlace == Place(zone) {
          factor *= rule.growth.grown(k, at: now)
        }
      case .cut(let side, let other, let isOneWay):
        let isForth = side.contains(toPlace) && other.contains(fromPlace)
        let isBack = side.contains(fromPlace) && other.contains(toPlace)
        // Within a side everybody hears everybody.
        if fromPlace != toPlace, isForth || (isBack && !isOneWay) { passes = 0 }
      case .drop(let side, let share):
        if side.contains(fromPlace) || side.contains(toPlace) {
          passes *= 1 - share * rule.growth.level(at: now)
        }
      default: break
      }
    }
    return (factor, 1 - passes)
  }
}

extension NetworkSide {
  func contains(_ place: Place) -> Bool {
    switch self {
    case .zone(let zone): place == Place(zone)
    case .controlPlane: place == .controlPlane
    case .everything: true
    }
  }
}

extension Dependency {
  /// Whether it is who a message is from or for; stores of images and code are no party of
  /// messages.
  func hears(at address: Address) -> Bool {
    switch self {
    case .etcd: address.kind == .etcd
    case .kubernetes: address.kind == .kubernetes
    case .autoscaler: address.kind == .autoscaler
    case .coordinator: address.kind == .coordinator
    // They say no, or are asked by other ways.
    case .machineSupply, .remoteCache, .registry, .objectStore: false
    // It is in no cluster.
    case .api: false
    }
  }
}
