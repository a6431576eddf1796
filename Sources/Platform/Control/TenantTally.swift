import ControlPlane
import Primitives

/// What one tenant has held and waited for since the last restart of counts; integrals are brought
/// up to date when something changes.
struct TenantTally: Sendable {
  /// Of all its pods, those on virtual nodes too.
  private(set) var milliCoreSeconds = 0.0
  private(set) var most: Int64 = 0
  /// Pods that its quota had no room for.
  private(set) var refusals = 0
  /// Pods that no longer wait for room, what they waited, and those that got none.
  private(set) var waited = 0
  private(set) var waits = Nanoseconds.zero
  private(set) var longestWait = Nanoseconds.zero
  private(set) var gaveUp = 0
  private var since = Instant.origin

  /// What it has held so long is about to change.
  mutating func settle(_ held: Int64, at now: Instant) {
    milliCoreSeconds += Double(held) * (now - since).seconds
    since = now
  }

  mutating func reach(_ held: Int64) { most = max(most, held) }
  mutating func refuse() { refusals += 1 }

  mutating func waited(_ length: Nanoseconds, isGivenUp: Bool) {
    waited += 1
    waits = waits + length
    longestWait = max(longestWait, length)
    if isGivenUp { gaveUp += 1 }
  }

  /// Counts begin afresh.
  mutating func restart(_ held: Int64, at now: Instant) {
    self = TenantTally()
    most = held
    since = now
  }
}

/// What a tenant came to.
public struct TenantSummary: Sendable, Equatable {
  public var heldCoreHours = 0.0
  public var meanHeldCores = 0.0
  public var peakHeldCores = 0.0
  /// Pods that its quota had no room for.
  public var podsRefused = 0
  /// Pods that waited for room, and got it or gave up.
  public var podsWaited = 0
  public var meanWait: Nanoseconds?
  public var longestWait: Nanoseconds?
  public var podsGaveUp = 0

  public init() {}

  /// Of two clusters together; the most at once is not known, and their sum is a bound.
  func adding(_ other: Self) -> Self {
    var sum = self
    sum.heldCoreHours += other.heldCoreHours
    sum.meanHeldCores += other.meanHeldCores
    sum.peakHeldCores += other.peakHeldCores
    sum.podsRefused += other.podsRefused
    sum.podsGaveUp += other.podsGaveUp
    sum.podsWaited += other.podsWaited
    let waits =
      (meanWait?.count ?? 0) * Int64(podsWaited)
      + (other.meanWait?.count ?? 0) * Int64(other.podsWaited)
    sum.meanWait = sum.podsWaited > 0 ? Nanoseconds(waits / Int64(sum.podsWaited)) : nil
    sum.longestWait = [longestWait, other.longestWait].compactMap { $0 }.max()
    return sum
  }

  init(_ tally: TenantTally, seconds: Double) {
    heldCoreHours = tally.milliCoreSeconds / 1000 / 3600
    meanHeldCores = seconds > 0 ? tally.milliCoreSeconds / 1000 / seconds : 0
    peakHeldCores = Double(tally.most) / 1000
    podsRefused = tally.refusals
    podsWaited = tally.waited
    podsGaveUp = tally.gaveUp
    guard tally.waited > 0 else { return }
    meanWait = Nanoseconds(tally.waits.count / Int64(tally.waited))
    longestWait = tally.longestWait
  }
}

extension ControlShard {
  /// By tenant of the configuration, since the last restart of counts.
  var tenantSummaries: [TenantSummary] {
    let now = max(queueTime, reportedAt)
    return configuration.tenants.indices.map { tenant in
      var tally = kubernetes.tenants.tallies[tenant]
      tally.settle(kubernetes.tenants.total[tenant], at: now)
      return TenantSummary(tally, seconds: (now - countedSince).seconds)
    }
  }
}
