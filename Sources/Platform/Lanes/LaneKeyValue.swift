import ControlPlane
import Primitives
import SimulationKernel

/// The key-value store as a lane meets it: the writes of its service, which are the same in every
/// zone, the zone's replica, and the caches of the hosts that the lane's isolates are in.
///
/// Keys belong to the service, so that no other lane reads from these caches. Writes are followed
/// up to each read: O(1) a write, and O(log keys) for each key that is drawn.
struct LaneKeyValue: Sendable {
  /// The word of a write on its way.
  private struct Word: Sendable, BitwiseCopyable {
    var at: Instant
    var key: Int32
    var version: UInt32
  }

  let rules: KeyValueConfiguration
  private(set) var replica: KeyValueReplica
  /// Upper ends of the shares of keys but the last, as 64-bit fractions; empty for equal ones.
  private let thresholds: [UInt64]
  private let propagation: Sampler
  private let storeRead: Sampler

  private var readKey: StreamKey
  private var delayKey: StreamKey
  private var writes: Xoshiro256PlusPlus
  private var nextWrite = Instant.distantFuture
  private var writeCount: UInt64 = 0
  /// A heap, the earliest first.
  private var underWay: [Word] = []
  /// Numbers of hosts by their pods; asked only for keys.
  private var hostNumbers: [PodID: Int] = [:]

  init(
    _ rules: KeyValueConfiguration, key: StreamKey, zone: ZoneID, from now: Instant
  ) {
    self.rules = rules
    replica = KeyValueReplica(keyCount: rules.keys, timeToLive: rules.timeToLive)
    var sum = 0.0
    thresholds =
      rules.skew > 0
      ? rules.shares.dropLast().map { share in
        sum += share
        return UInt64(min(sum, 1) * 0x1p63) << 1
      } : []
    propagation = rules.propagation.sampler()
    storeRead = rules.storeRead.sampler()
    readKey = key.appending(1)
    delayKey = key.appending(2).appending(UInt64(zone.raw))
    writes = key.appending(3).sequence()
    planWrite(after: now)
  }

  /// Continues with the draws of another replication; what was written stays.
  mutating func reseed(key: StreamKey, zone: ZoneID, at now: Instant) {
    _ = advance(to: now)
    readKey = key.appending(1)
    delayKey = key.appending(2).appending(UInt64(zone.raw))
    writes = key.appending(3).appending(UInt64(now.nanoseconds)).sequence()
    planWrite(after: now)
  }

  /// The number of a host.
  mutating func index(of host: PodID) -> Int {
    if let known = hostNumbers[host] { return known }
    let added = replica.addHost()
    hostNumbers[host] = added
    return added
  }

  /// The pod of a host; nil where there is none of that number. O(hosts).
  func pod(of host: Int) -> PodID? {
    hostNumbers.first { $0.value == host }?.key  // order-free: numbers are unique
  }

  /// The reads of one request: how many its host's cache served, how many were stale, and how long
  /// the others took together.
  mutating func read(
    _ identity: UInt64, host: Int, at now: Instant
  ) -> (hits: Int, stale: Int, nanoseconds: Int64) {
    advance(to: now)
    var bits = readKey.stream(identity)
    var (hits, stale, nanoseconds) = (0, 0, Int64(0))
    for _ in 0..<rules.readsPerRequest {
      let read = replica.read(key(of: bits.next()), host: host, at: now)
      if read.isStale { stale += 1 }
      if read.isHit { hits += 1 } else { nanoseconds += storeRead.sampleNanoseconds(using: &bits) }
    }
    return (hits, stale, nanoseconds)
  }

  private func key(of word: UInt64) -> Int {
    guard !thresholds.isEmpty else {
      return Int(word.multipliedFullWidth(by: UInt64(rules.keys)).high)
    }
    var (low, high) = (0, thresholds.count)
    while low < high {
      let middle = (low + high) / 2
      if word < thresholds[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }

  // MARK: Writes

  private mutating func planWrite(after now: Instant) {
    guard rules.writesPerSecond > 0 else {
      nextWrite = .distantFuture
      return
    }
    let gap = ZigguratExponential.sample(using: &writes) / rules.writesPerSecond
    nextWrite = now + Nanoseconds(seconds: gap)
  }

  /// Commits what was written up to an instant, and takes in the words that have come by then.
  @discardableResult mutating func advance(to now: Instant) -> Int {
    var count = 0
    while nextWrite <= now {
      let key = key(of: writes.next())
      var bits = delayKey.stream(writeCount)
      let delay = Nanoseconds(propagation.sampleNanoseconds(using: &bits))
      push(Word(at: nextWrite + delay, key: Int32(key), version: replica.commit(key)))
      writeCount += 1
      count += 1
      planWrite(after: nextWrite)
    }
    while let word = underWay.first, word.at <= now {
      replica.arrive(Int(word.key), version: word.version)
      popFirst()
    }
    return count
  }

  private mutating func push(_ word: Word) {
    underWay.append(word)
    var index = underWay.count - 1
    while index > 0, underWay[index].at < underWay[(index - 1) / 2].at {
      underWay.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func popFirst() {
    underWay.swapAt(0, underWay.count - 1)
    underWay.removeLast()
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < underWay.count && underWay[child].at < underWay[least].at {
        least = child
      }
      guard least != index else { return }
      underWay.swapAt(index, least)
      index = least
    }
  }
}
