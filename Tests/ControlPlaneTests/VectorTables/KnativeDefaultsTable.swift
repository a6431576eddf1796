import ControlPlane
import Primitives

/// Knative's defaults, one case with a field for each.
enum KnativeDefaultsTable {
  static var check: GroupCheck {
    let names =
      values.map(\.0) + [
        "enable_scale_to_zero", "stable_window_bounds_s", "panic_window_pct_bounds",
      ]
    return GroupCheck(.simulation, inputs: [], expecting: names.map { .init($0) }) { one, _ in
      let defaults = KnativeDefaults()
      let stable = KnativeDefaults.stableWindowBounds
      let panic = KnativeDefaults.panicWindowPercentageBounds
      return try values.comparing { .same($0.0, $0.1, try one.double($0.0)) }
        + .same(
          "to zero", VectorValue.bool(defaults.enableScaleToZero),
          try one.member("enable_scale_to_zero"))
        + .same(
          "stable bounds", [stable.lowerBound.seconds, stable.upperBound.seconds],
          try one.doubles("stable_window_bounds_s"))
        + .same(
          "panic bounds", [panic.lowerBound, panic.upperBound],
          try one.doubles("panic_window_pct_bounds"))
    }
  }

  private static var values: [(String, Double)] {
    let defaults = KnativeDefaults()
    return [
      ("container_concurrency_target_percentage", defaults.containerConcurrencyTargetPercentage),
      ("container_concurrency_target_default", defaults.containerConcurrencyTargetDefault),
      ("requests_per_second_target_default", defaults.requestsPerSecondTargetDefault),
      ("target_burst_capacity", defaults.targetBurstCapacity),
      ("max_scale_up_rate", defaults.maxScaleUpRate),
      ("max_scale_down_rate", defaults.maxScaleDownRate),
      ("panic_window_percentage", defaults.panicWindowPercentage),
      ("panic_threshold_percentage", defaults.panicThresholdPercentage),
      ("stable_window_s", defaults.stableWindow.seconds),
      ("scale_to_zero_grace_period_s", defaults.scaleToZeroGracePeriod.seconds),
      ("scale_to_zero_pod_retention_s", defaults.scaleToZeroPodRetention.seconds),
      ("scale_down_delay_s", defaults.scaleDownDelay.seconds),
      ("activator_capacity", defaults.activatorCapacity),
      ("initial_scale", Double(defaults.initialScale)),
      ("min_scale", Double(defaults.minScale)), ("max_scale", Double(defaults.maxScale)),
      ("tick_s", defaults.tick.seconds), ("target_min", MetricTarget.leastTarget),
    ]
  }
}
