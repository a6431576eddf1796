import ControlPlane
import Primitives

/// Instances that a lane's gateways have given up, until Kubernetes confirms that their pods are
/// deleted: the message is repeated, and a late announcement of such a pod is not believed.
struct RetirementLedger: Sendable {
  /// Time-outs are assumed.
  private var ledger = RetryLedger<PodID>(
    RetryRules(timeout: .seconds(1), pollInterval: .seconds(30)))

  var count: Int { ledger.count }

  func contains(_ pod: PodID) -> Bool { ledger.contains(pod) }

  mutating func begin(
    _ pod: PodID, _ message: ControlMessage, to address: Address, at now: Instant
  ) {
    ledger.open(pod, message, to: address, at: now)
  }

  mutating func end(_ pod: PodID) { _ = ledger.close(pod) }

  /// What is to be sent again now.
  mutating func due(at now: Instant) -> [(message: ControlMessage, to: Address)] {
    var due: [(message: ControlMessage, to: Address)] = []
    ledger.repeatDue(at: now) { due.append(($0, $1)) }
    return due
  }

  mutating func nextDue() -> Instant? { ledger.nextDue() }
}
