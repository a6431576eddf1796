import ControlPlane
import Primitives

// Which instances are idle and since when; the longest idle go first, as at a gateway.
extension FlowState {
  /// An instance that serves nothing.
  struct IdleInstance: BitwiseCopyable {
    var position: Int
    var since: Instant
  }

  /// Instances that serve at least one request, under a choice that prefers idle ones. Those that
  /// get none are idle.
  var busyInstances: Int { min(instances.count - breaking.withheld, callsInService) }

  /// Whether the instance at a position serves nothing.
  func isIdle(_ position: Int) -> Bool {
    if breaking.withheld > 0, breaking.isWithheld(instances.entries[position]) { return true }
    return followsPlaces
      ? instances.places.isIdle(position) : position >= self.position(ofOpen: busyInstances)
  }

  /// Up to which position there are so many that get requests. O(1), and while a breaker withholds
  /// any O(instances).
  func position(ofOpen count: Int) -> Int {
    guard breaking.withheld > 0 else { return min(count, instances.count) }
    var left = count
    for (position, entry) in instances.entries.enumerated() {
      if left == 0 { return position }
      if !breaking.isWithheld(entry) { left -= 1 }
    }
    return instances.count
  }

  /// When an instance was last used: one that is withheld as it was ejected or tried, since marks
  /// are of those that get requests.
  private func lastUse(_ position: Int) -> Instant {
    let entry = instances.entries[position]
    if breaking.withheld > 0, breaking.isWithheld(entry) { return entry.idleSince }
    return instances.lastUse(position)
  }

  /// All that are idle, by what was used of late. Where places are not followed. O(instances).
  func idleInstances() -> [IdleInstance] {
    guard !followsPlaces else { return [] }
    let busy = position(ofOpen: busyInstances)
    return instances.entries.indices.compactMap { position in
      let isOpen = breaking.withheld == 0 || !breaking.isWithheld(instances.entries[position])
      guard !isOpen || position >= busy else { return nil }
      return IdleInstance(position: position, since: lastUse(position))
    }
  }

  /// Up to this load it is drawn which instances are idle, erlang (assumed): with more of them
  /// those that are idle have not been used for some time, and that is known.
  private static let mostDrawnLoad = 400.0
  /// With fewer idle ones on average it is taken that there is none (assumed).
  private static let leastDrawnIdle = 0.03

  /// Whether there are so many calls that each instance has one, as good as always.
  private var allAreBusy: Bool {
    rules.choice == .leastRequests && breaking.withheld == 0 && callsInService > instances.count
      && IdleExcess.mean(instances.count, load: Double(callsInService)) < Self.leastDrawnIdle
  }

  /// The same for an instant at which somebody looks: under a choice that has all of them in use
  /// every second it is chance which of them serve nothing just now, and since when. The choice is
  /// run on a small copy of the lane, as for a change of fidelity.
  mutating func drawIdle() -> [IdleInstance] {
    let open = instances.count - breaking.withheld
    guard !followsPlaces, open > 0, waiting == 0, !isBatching, offeredLoad <= Self.mostDrawnLoad,
      callsInService < open * rules.concurrencyLimit
    else { return idleInstances() }
    guard !allAreBusy else { return [] }
    var rules = rules
    rules.keepAlive = Nanoseconds(.max)
    var source = bits
    // At the rate that keeps as many in service as there are: which instances they are on depends
    // on their number, and the copy has it often.
    let calls = callsInService
    let perSecond = calls > 0 && service.mean > 0 ? Double(calls) / service.mean : rate.perSecond
    let (places, window) = Occupancy.draw(
      instances: open, rules: rules, inService: calls, rate: perSecond, mean: service.mean,
      effort: .look, using: &source)
    bits = source
    var (idle, next): ([IdleInstance], Int) = ([], 0)
    for (position, entry) in instances.entries.enumerated() {
      if breaking.withheld > 0, breaking.isWithheld(entry) {
        idle.append(IdleInstance(position: position, since: entry.idleSince))
        continue
      }
      let place = places[next]
      next += 1
      guard place.inFlight == 0 else { continue }
      let since = now - Nanoseconds(seconds: place.idleSeconds ?? window)
      // What the copy has not used at all was used last when flow last reached it.
      let used = place.idleSeconds == nil ? min(since, instances.lastUse(position)) : since
      idle.append(IdleInstance(position: position, since: max(used, entry.idleSince)))
    }
    return idle
  }

  /// Gives up to so many idle instances up, the longest idle first, and of those alike the one that
  /// an ordered choice takes last; returns how many. O(n log n) for n instances.
  @discardableResult
  mutating func retireIdle(_ most: Int, _ idle: [IdleInstance]) -> Int {
    guard most > 0 else { return 0 }
    if followsPlaces { return retireIdlePlaces(most) }
    let gone = idle.sorted {
      $0.since != $1.since ? $0.since < $1.since : $0.position > $1.position
    }.prefix(most)
    let entries = gone.map { instances.entries[$0.position] }
    for position in gone.map(\.position).sorted(by: >) { _ = removeInstance(at: position) }
    for entry in entries { retire(entry) }
    return gone.count
  }

  private mutating func retireIdlePlaces(_ most: Int) -> Int {
    var count = 0
    while count < most, instances.count > busyInstances,
      let position = instances.findLongestIdle()
    {
      retire(instances.removePlace(at: position))
      count += 1
    }
    return count
  }

  // MARK: Keep-alive

  /// When the next instance has been idle for long enough; where places are followed no later.
  /// O(1), and while a breaker withholds any O(instances).
  func nextExpiry() -> Instant? {
    guard keepAliveLength.count < .max, instances.count > rules.minimumInstances,
      instances.count > busyInstances
    else { return nil }
    guard !followsPlaces else { return keepAliveEnd(instances.places.idleSinceAtLeast) }
    return longestIdle.map { keepAliveEnd($0.since) }
  }

  /// Of those that get requests the one that an ordered choice takes last, or one that is withheld.
  private var longestIdle: IdleInstance? {
    guard breaking.withheld > 0 else {
      let top = instances.count - 1
      return IdleInstance(position: top, since: instances.lastUse(top))
    }
    let idle = idleInstances()
    let top = idle.last { !breaking.isWithheld(instances.entries[$0.position]) }
    let withheld = idle.filter { breaking.isWithheld(instances.entries[$0.position]) }
    return ((top.map { [$0] } ?? []) + withheld).min { $0.since < $1.since }
  }

  private func keepAliveEnd(_ since: Instant) -> Instant {
    guard hasKeepAlive, let end = keepAlive?.end(idleSince: since) else {
      return since + rules.keepAlive
    }
    return end
  }

  /// Gives instances up that have been idle for long enough.
  mutating func expireIdle() {
    while let expiry = nextExpiry(), expiry <= now {
      if followsPlaces {
        // Only a bound was known.
        guard let position = instances.findLongestIdle(), let exact = nextExpiry(), exact <= now
        else { return }
        retire(instances.removePlace(at: position))
      } else {
        guard let longest = longestIdle else { return }
        retire(removeInstance(at: longest.position))
      }
    }
  }
}
