import Primitives

// Long steps of a lane in which nothing can happen but arrivals and completions.
extension FlowState {
  /// Whether nothing here asks to be looked at before something comes from outside: no start is
  /// awaited, nobody waits, nothing runs out.
  var isAtEase: Bool {
    guard settings.longestStepSeconds > 1, instances.count > 0, waiting == 0, backlog <= 0,
      control.starts.isEmpty, !control.route.isAsking, control.retirements.count == 0,
      draining.isEmpty,
      !followsPlaces, keepAlive == nil, keyValue == nil, !isDown
    else { return false }
    guard keepAliveLength.count == .max || instances.count <= rules.minimumInstances else {
      return false
    }
    guard clients == nil, groups.isEmpty, absences.isEmpty, repeating == 0, unknownGone == 0,
      batches == nil, windows == nil, consumers == nil, !hasLimits, settings.downstream == nil,
      !service.isStretched
    else { return false }
    return settings.topic.map { !$0.rules.hasRetention && $0.rules.persistInterval == nil } ?? true
  }

  /// Makes the step as long as the seconds are quiet that come, each by its own count: up to the
  /// next instant at which somebody looks at the lane.
  ///
  /// The bound is that of a single quiet second (flow_facts: C >= a + 5 √a + 4), solved for a.
  mutating func rest() {
    let root = (max(0, 4 * Double(slots) + 9).squareRoot() - 5) / 2
    guard root > 0, service.mean > 0 else { return }
    let most = Int(min(root * root / service.mean, 1e15))
    let grid = settings.longestStepSeconds
    let end = (feed.second / grid + 1) * grid
    let reached = feed.firstSecond(beyond: most, before: end)
    guard reached > feed.second + 1 else { return }
    stepEnd = .seconds(Int64(reached))
    quietUntil = stepEnd
  }
}
