import ControlPlane
import Primitives

/// What the configuration of a lane's service is.
struct LaneConfiguration: Sendable {
  /// By part.
  var rules: [RouterRules]
  var callTimeout: Nanoseconds
  /// Versions of which a share of the calls errs, each with the name of the fault.
  var errors: [(fault: UInt64, share: Double)]
}

extension LaneCore {
  /// What the configuration is from an instant on that the lane has not passed.
  mutating func configure(_ fresh: LaneConfiguration, at now: Instant) {
    configuration = fresh
    _ = queue.push(
      at: now, class: EventRank.alarm,
      LaneEvent(kind: .configured, part: 0, flags: 0, slot: 0, arrival: .origin))
  }

  /// Whether a call ends with an error since the service's version is wrong; by the identity of
  /// the attempt.
  func errsByVersion(_ identity: UInt64) -> Bool {
    wrongVersions.contains { version in
      var bits = settings.spoilKey.appending(version.fault).stream(identity)
      return Double(bits.next() >> 11) < version.share * 0x1p53
    }
  }
}

extension RequestLaneEngine {
  /// From now on the configuration holds that came last. Nothing where none was ever pushed.
  mutating func takeConfiguration(at now: Instant) {
    guard let step = core.configuration else { return }
    core.settings.callTimeout = step.callTimeout
    core.wrongVersions = step.errors
    if !step.errors.isEmpty { core.breaking.hasSpoiled = true }
    core.setForm()
    guard !core.isDown else {
      for part in 0..<routers.count { routers[part].rules = step.rules[part] }
      return
    }
    for part in 0..<routers.count {
      core.part = UInt8(part)
      // What consumers call goes without their doing.
      let isLess = step.rules[part].maximumInstances < routers[part].rules.maximumInstances
      if core.settings.isConsumed, isLess {
        scaleAway(to: step.rules[part].maximumInstances, part: part, at: now)
      }
      routers[part].follow(step.rules[part], at: now, into: &core)
    }
  }
}
