import ControlPlane
import Primitives
import SimulationKernel

/// The key-value store at flow fidelity: shares of hits and of stale reads by `KeyValueLaw`, for
/// classes of keys that are about as popular, and for each host's part of the lane's requests.
///
/// An ordered choice gives the i-th instance the requests that find those before it busy and it
/// not: the difference of two of Erlang's losses.
struct FlowKeyValue: Sendable {
  private struct KeyClass: Sendable {
    /// Of one key, of all reads and writes.
    var share: Double
    var keys: Double
    var visibleShare: Double
  }

  let rules: KeyValueConfiguration
  private let classes: [KeyClass]
  private let meanStoreRead: Double
  private(set) var hitShare = 0.0
  private(set) var staleShare = 0.0
  /// Calls on instances that have read.
  var haveRead = 0

  init(_ rules: KeyValueConfiguration) {
    self.rules = rules
    meanStoreRead = rules.storeRead.mean
    let points = 256
    let delays = (0..<points).map {
      rules.propagation.quantile((Double($0) + 0.5) / Double(points))
    }
    let shares = rules.shares
    var classes: [KeyClass] = []
    var first = 0
    while first < shares.count {
      // Single keys at first, then classes whose ranks differ by a sixteenth.
      let end = min(shares.count, first + max(1, first / 16))
      let keys = Double(end - first)
      let share = shares[first..<end].reduce(0, +) / keys
      let rate = rules.writesPerSecond * share
      let visible = delays.reduce(0) { $0 + Elementary.exp(-rate * $1) } / Double(points)
      classes.append(KeyClass(share: share, keys: keys, visibleShare: visible))
      first = end
    }
    self.classes = classes
  }

  /// Seconds that a request waits for reads that no cache serves, on average.
  var meanWait: Double { Double(rules.readsPerRequest) * (1 - hitShare) * meanStoreRead }

  /// The shares for a rate of requests and the indexOfHost of it that hosts have. O(classes ×
  /// hosts).
  mutating func update(requestsPerSecond: Double, hostShares: [Double]) {
    let reads = requestsPerSecond * Double(rules.readsPerRequest)
    let timeToLive = rules.timeToLive.seconds
    var (hits, stale) = (0.0, 0.0)
    for part in hostShares where part > 0 {
      for item in classes {
        let law = KeyValueLaw(
          reads: reads * part * item.share, writes: rules.writesPerSecond * item.share,
          visibleShare: item.visibleShare, timeToLive: timeToLive)
        let weight = part * item.share * item.keys
        hits += weight * law.hitShare
        stale += weight * law.staleShare
      }
    }
    hitShare = min(1, hits)
    staleShare = min(1, stale)
  }
}

extension FlowState {
  /// Follows the store's shares where the load or the instances have changed.
  mutating func adjustKeyValue() {
    guard keyValue != nil, instances.count > 0, rate.perSecond > 0 else { return }
    overflow.prepare(count: instances.count, load: offeredLoad)
    var indexOfHost: [PodID: Int] = [:]
    var shares: [Double] = []
    // With all of them busy the fewest requests decide, which is the same for each in the long run.
    let left = overflow.loss(instances.count) / Double(instances.count)
    for (position, entry) in instances.entries.enumerated() {
      guard let host = entry.host else { continue }
      let own = overflow.loss(position) - overflow.loss(position + 1) + left
      if let index = indexOfHost[host] {
        shares[index] += own
      } else {
        indexOfHost[host] = shares.count
        shares.append(own)
      }
    }
    // No more read than instances can serve: who is refused reads nothing.
    let most = service.mean > 0 ? Double(slots) / service.mean : .infinity
    keyValue!.update(requestsPerSecond: min(rate.perSecond, most), hostShares: shares)
  }

  /// All calls that are on instances have read.
  mutating func noteRead() {
    let onInstances = inService + inDraining
    keyValue?.haveRead = onInstances
  }

  /// Calls that have begun since the last time read their keys: those that are on instances now and
  /// had not read, and as many as have ended.
  mutating func countReads(ended: Int) {
    guard let keyValue else { return }
    let onInstances = inService + inDraining
    let begun = onInstances + ended - keyValue.haveRead
    self.keyValue!.haveRead = onInstances
    guard begun > 0 else { return }
    let reads = begun * keyValue.rules.readsPerRequest
    counters.keyReads &+= UInt64(reads)
    counters.keyHits &+= UInt64(
      BinomialDraw.sample(reads, share: keyValue.hitShare, using: &bits))
    counters.staleReads &+= UInt64(
      BinomialDraw.sample(reads, share: keyValue.staleShare, using: &bits))
  }
}
