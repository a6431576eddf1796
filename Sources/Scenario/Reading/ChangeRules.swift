import Primitives

/// What changes name must be there, and they must have an effect.
struct ChangeRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    for change in document.changes {
      let path = "changes[\(change.index)]"
      if change.at >= document.duration, context.isSound("\(path).at"), context.isSound("duration")
      {
        context.fail(
          .neverHappens, at: "\(path).at", "change `\(change.name)` comes after the end of the run",
          help: "lengthen `duration` or let it come earlier")
      }
      switch change.kind {
      case .limits(let service, let least, let most): limits(service, least, most, at: path)
      case .drain(let target, _): drain(target, at: path)
      case .nothing: break
      }
    }
    let isAsked =
      !document.changes.isEmpty
      || document.faults.contains { if case .push? = $0.effect { true } else { false } }
    for (index, fault) in document.faults.enumerated() where !isAsked {
      let key: String
      switch fault.effect {
      case .stop(let part)? where part.kind == .api: key = "stop"
      case .slow(let part, _)? where part.kind == .api: key = "slow"
      default: continue
      }
      context.fail(
        .neverHappens, at: "faults[\(index)].\(key)", "nobody asks the API for anything",
        help: "add `changes`, or remove the fault: no request goes through the API")
    }
  }

  private func limits(_ name: String, _ least: Int?, _ most: Int?, at path: String) {
    let names = document.services.map(\.name)
    guard let service = document.services.first(where: { $0.name == name }) else {
      return context.fail(
        .unknownName, at: "\(path).service", length: name.count, "there is no service `\(name)`",
        help: Nearest.hint(name, in: names) ?? "the services are \(names.joined(separator: ", "))")
    }
    let (lower, upper) = (least ?? service.minimumInstances, most ?? service.maximumInstances)
    if lower > upper, context.isSound("\(path).instances") {
      context.fail(
        .inconsistent, at: "\(path).instances",
        "`\(path)` wants \(lower) instances at least, \(upper) at most",
        help: "raise `max` or lower `min`")
    }
    if service.scaling.isEmpty, least != nil, context.isSound("\(path).instances") {
      context.fail(
        .neverHappens, at: "\(path).instances",
        "service `\(name)` is not scaled: nobody makes instances that are not asked for",
        help: "add `scaling` to the service")
    }
  }

  private func drain(_ target: String, at path: String) {
    let zones = document.cluster.zones.map(\.name)
    let all = zones + document.clusterPaths
    guard all.contains(target) else {
      return context.fail(
        .unknownName, at: "\(path).drain", length: target.count,
        "there is no zone or cluster `\(target)`",
        help: Nearest.hint(target, in: all) ?? "there are \(all.joined(separator: ", "))")
    }
    guard document.regions.isEmpty,
      document.cluster.zones.count == 1 || document.cluster.balancer == nil
    else { return }
    context.fail(
      .neverHappens, at: "\(path).drain", "there is nowhere else for the traffic of `\(target)`",
      help: "add a zone, or a balancer")
  }
}
