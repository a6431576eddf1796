import ControlPlane
import Primitives

/// Who has a part of a lane from an instant on, where gateways of its zone crash.
struct GatewayHosting: Sendable, Equatable {
  var at: Instant
  var part: UInt8
  /// Position among all gateways; nil: it was the one that crashed, and nobody has the part.
  var gateway: Int?
}

/// A gateway that is away.
struct GatewayCrash: Sendable, Equatable {
  var gateway: Int
  /// Until it is there again, without memory.
  var span: Range<Instant>
  /// While the balancer sends nothing to it; empty where it is back before that is noticed.
  var unwanted: Range<Instant>

  /// - Parameters:
  ///   - health: how the balancer asks gateways, all at once.
  ///   - phase: when it does for the first time, after the beginning.
  init(
    gateway: Int, span: Range<Instant>, health: HealthChecker.Rules, phase: Nanoseconds = .zero
  ) {
    self.gateway = gateway
    self.span = span
    func question(_ instant: Instant, _ more: Int) -> Instant {
      guard instant < .distantFuture else { return instant }
      let interval = max(1, health.interval.count)
      let past = max(0, instant.nanoseconds - phase.count)
      let first = (past + interval - 1) / interval
      return .origin + phase + Nanoseconds((first + Int64(more)) * interval)
    }
    let noticed = question(span.lowerBound, health.unhealthyThreshold - 1) + health.timeout
    unwanted =
      noticed < span.upperBound
      ? noticed..<question(span.upperBound, health.healthyThreshold - 1)
      : span.upperBound..<span.upperBound
  }
}

extension GatewayHosting {
  /// What becomes of a part: it is nobody's from the crash of its gateway until that is back, or
  /// the balancer sends it to the next in its rendezvous order that it takes for well; it returns
  /// when the balancer takes its own for well again. Where it takes none for well it goes on with
  /// its own, as without health checks. O(edges × gateways).
  ///
  /// - Parameter order: gateways in the part's order, its own first.
  static func course(
    of part: UInt8, order: [Int], _ crashes: [GatewayCrash]
  ) -> [GatewayHosting] {
    let some = crashes.filter { order.contains($0.gateway) }
    let edges = some.flatMap {
      [
        $0.span.lowerBound, $0.span.upperBound, $0.unwanted.lowerBound, $0.unwanted.upperBound,
      ]
    }
    var host: Int? = order.first
    var course: [GatewayHosting] = []
    for edge in edges.sortedOnce() where edge < .distantFuture {
      func isAway(_ gateway: Int) -> Bool {
        some.contains { $0.gateway == gateway && $0.span.contains(edge) }
      }
      func isUnwanted(_ gateway: Int) -> Bool {
        some.contains { $0.gateway == gateway && $0.unwanted.contains(edge) }
      }
      let before = host
      if let gateway = host, isAway(gateway) { host = nil }
      if let wanted = order.first(where: { !isUnwanted($0) }) ?? order.first, !isAway(wanted) {
        host = wanted
      }
      if host != before { course.append(GatewayHosting(at: edge, part: part, gateway: host)) }
    }
    return course
  }
}

extension Array where Element == Instant {
  /// In order, each once.
  func sortedOnce() -> [Instant] {
    sorted().reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
