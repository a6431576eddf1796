import ControlPlane
import Primitives
import SimulationKernel

/// The Coordinator's part in central limits: a server for each downstream that has one.
struct HostedQuotas: Sendable {
  private(set) var servers: [QuotaServer?]
  private let limits: [DownstreamConfiguration.CentralLimit?]
  private var life: UInt32 = 0

  /// Nil where there is no central limit.
  init?(_ configuration: ClusterConfiguration) {
    limits = configuration.downstreams.map(\.central)
    guard limits.contains(where: { $0 != nil }) else { return nil }
    servers = limits.map { limit in
      guard let limit else { return nil }
      // Nobody can have a lease from before the run begins, so that there is nothing to learn.
      let learning = limit.rules.learningTime ?? limit.rules.leaseLength
      return QuotaServer(
        capacity: limit.amount, limit.rules, at: Instant(nanoseconds: -learning.count))
    }
  }

  /// All that was known is lost; it learns what consumers have. That a downstream bears less than
  /// at first is told again with its next report.
  mutating func restart(at now: Instant) {
    life += 1
    servers = limits.map { limit in
      limit.map { QuotaServer(capacity: $0.amount, $0.rules, life: life, at: now) }
    }
  }

  /// The answer to a question; nil where the message is none, or an old one.
  mutating func receive(_ message: ControlMessage, at now: Instant) -> QuotaGrant? {
    switch message {
    case .askQuota(let lane, let part, let downstream, let question):
      let consumer = Int(Address.gateway(lane, part: Int(part)).tag)
      return servers[Int(downstream)]?.answer(question.ask(of: consumer), at: now)
    case .downstreamBears(let downstream, let partsPerMillion):
      guard let limit = limits[Int(downstream)] else { return nil }
      servers[Int(downstream)]?.change(
        capacity: limit.amount.scaled(Int64(partsPerMillion), over: 1_000_000))
      return nil
    default: return nil
    }
  }
}

extension ControlShard {
  func answer(_ message: ControlMessage, _ grant: QuotaGrant, at now: Instant) {
    guard case .askQuota(let lane, let part, let downstream, _) = message else { return }
    digest.record(
      RecordKind.quotaGranted, at: now,
      UInt64(lane.raw) << 16 | UInt64(part) << 8
        | UInt64(downstream), UInt64(grant.amount.micros))
    sendPlain(
      .quotaGranted(QuotaAnswer(grant)), from: .coordinator,
      to: .gateway(lane, part: Int(part)), leavingAt: now)
  }

  // MARK: The Coordinator stops and begins anew

  func stopCoordinator() {
    isCoordinatorUp = false
    // Migrations that were ordered are forgotten; callers tell of what they break again.
    if coordinator != nil { coordinator = HostedCoordinator(configuration) }
  }

  func startCoordinator(at now: Instant) {
    isCoordinatorUp = true
    quotas?.restart(at: now)
  }

  // MARK: What downstreams tell

  func beginReports() {
    for (index, downstream) in configuration.downstreams.enumerated() {
      guard let interval = downstream.central?.reports else { continue }
      schedule(.downstreamReports(Int32(index)), at: .origin + interval, class: EventRank.alarm)
    }
  }

  /// A downstream is none of the platform's parts: what it tells comes as from the control plane.
  func downstreamReports(_ index: Int, at now: Instant) {
    guard let interval = configuration.downstreams[index].central?.reports else { return }
    schedule(.downstreamReports(Int32(index)), at: now + interval, class: EventRank.alarm)
    let share = Downstreams.share(of: index, faults, at: now)
    sendPlain(
      .downstreamBears(
        downstream: UInt8(clamping: index), partsPerMillion: UInt32((share * 1e6).rounded())),
      from: .downstream(index), to: .coordinator, leavingAt: now)
  }
}
