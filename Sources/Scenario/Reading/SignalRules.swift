import Primitives

/// What must hold between the scaling policies of one service and the signals that they are told.
struct SignalRules {
  let service: ServiceSection
  let path: String
  let document: ScenarioDocument
  let context: ReadingContext

  private static let signals = "cluster.autoscale"
  private static let second: Int64 = 1_000_000_000

  func check() {
    guard document.cluster.autoscaleTick != nil, !service.scaling.isEmpty else { return }
    for (index, policy) in service.scaling.enumerated() {
      let list = "\(path).scaling[\(index)]"
      let place = context.isPlaced(list) ? list : "\(path).scaling"
      if let before = service.scaling.firstIndex(of: policy), before < index {
        again(policy, place)
      }
      processors(of: policy, at: place)
      window(of: policy)
      slots(of: policy, at: place)
    }
    beyondTheRun()
  }

  private func again(_ policy: ScalingSection, _ place: String) {
    fail(
      .implausible, place,
      "service `\(service.name)`: `\(policy.policy)` is there twice with the same parameters, and "
        + "wants no more for it", help: "leave one of them out")
  }

  /// Of CPU there is something to measure.
  private func processors(of policy: ScalingSection, at place: String) {
    guard policy.policy == "cpu" || (policy.policy == "hpa" && policy["cpu"] != nil),
      context.isSound("\(path).cpu_fraction")
    else { return }
    let overhead = document.protocols.first { $0.name == service.protocolName }?.processor
    if service.cpuFraction == 0, (overhead ?? .zero) == .zero {
      fail(
        .implausible, place,
        "service `\(service.name)` is scaled on CPU, of which its requests use none: "
          + "`cpu_fraction` is 0",
        help: "give the share of `service_time` that is computed, for example `cpu_fraction: 80%`")
    } else if document.contention == "exact" {
      fail(
        .implausible, place,
        "service `\(service.name)` is scaled on CPU, which nobody measures with "
          + "`contention: exact`", help: "use `contention: epoch`, which is the default")
    } else {
      reach(of: policy, at: place, hasOverhead: overhead ?? .zero > .zero)
    }
  }

  /// A target that instances never exceed, however many requests wait for them. What is near it
  /// (Kubernetes' tolerance) is taken for the target.
  private func reach(of policy: ScalingSection, at place: String, hasOverhead: Bool) {
    guard !hasOverhead,
      let target = policy.policy == "cpu" ? policy["target"] ?? 0.6 : policy["cpu"],
      service.concurrency > 0, context.isSound("\(path).concurrency"),
      let shape = document.shapes.first(where: { $0.name == service.shape }), shape.cpuMilli > 0
    else { return }
    let cores = Double(service.concurrency) * service.cpuFraction * service.cpuShare
    let most = cores * 1000 / Double(shape.cpuMilli)
    let tolerance = policy["tolerance"] ?? 0.1
    guard most <= target * (1 + tolerance) * (1 + 1e-9) else { return }
    func percent(_ share: Double) -> String { Quantity.plain((share * 1000).rounded() / 10) }
    fail(
      .implausible, place,
      "service `\(service.name)` is never scaled up on CPU: an instance with all the requests "
        + "that it takes uses \(percent(most)) % of its CPU, and the target is "
        + "\(percent(target)) % with a tolerance of \(percent(tolerance)) % of that",
      help: "lower the target below \(percent(most / (1 + tolerance))) %, raise `concurrency`, or "
        + "scale on `concurrency`")
  }

  /// A window that is no longer than samples are late, or than what one is the mean of, never shows
  /// the load as it is.
  private func window(of policy: ScalingSection) {
    guard policy.policy == "knative", let window = policy.duration("window") else { return }
    let delay = document.cluster.signalDelay
    if delay >= window {
      fail(
        .implausible, "\(Self.signals).signal_delay",
        "service `\(service.name)` is scaled by a window of \(Quantity.plain(window.seconds)) s, "
          + "all of which has passed when a sample is there: samples are "
          + "\(Quantity.plain(delay.seconds)) s late",
        help: "lower `signal_delay`, or lengthen `window`")
    }
    guard let period = document.cluster.signalPeriod, period > window else { return }
    fail(
      .implausible, "\(Self.signals).signal_period",
      "service `\(service.name)` is scaled by a window of \(Quantity.plain(window.seconds)) s, and "
        + "a sample is the mean of \(Quantity.plain(period.seconds)) s",
      help: "lower `signal_period`, or lengthen `window`")
  }

  /// A forecast's slots hold whole samples, and a day whole slots.
  private func slots(of policy: ScalingSection, at place: String) {
    guard let slot = policy.duration("slot"), context.isSound(place) else { return }
    let period = service.signalPeriod(in: document.cluster)
    let text = Quantity.plain(slot.seconds)
    if slot.count % Self.second != 0 {
      fail(
        .inconsistent, place,
        "service `\(service.name)`: a slot of \(text) s is no whole number of seconds",
        help: "for example `slot: 60s`")
    } else if policy.policy == "past_days", 86_400 * Self.second % slot.count != 0 {
      fail(
        .inconsistent, place,
        "service `\(service.name)`: a day is no whole number of slots of \(text) s",
        help: "for example `slot: 60s`")
    } else if period.count % Self.second == 0, slot.count % period.count != 0 {
      fail(
        .inconsistent, place,
        "service `\(service.name)`: a slot of \(text) s holds no whole number of samples, each of "
          + "which is the mean of \(Quantity.plain(period.seconds)) s",
        help: "let `slot` be a multiple of `cluster.autoscale.signal_period`")
    }
  }

  private func beyondTheRun() {
    guard context.isSound("duration") else { return }
    for (key, value) in [
      ("signal_delay", document.cluster.signalDelay),
      ("signal_period", document.cluster.signalPeriod ?? .zero),
    ] where value >= document.duration {
      fail(
        .neverHappens, "\(Self.signals).\(key)",
        "no sample of a service is known before the run ends",
        help: "lower `\(key)` or lengthen `duration`")
    }
  }

  private func fail(
    _ kind: Diagnostic.Kind, _ path: String, _ message: String, help: String
  ) {
    guard context.isSound(path) else { return }
    context.fail(kind, at: path, else: service.mark, message, help: help)
  }
}
