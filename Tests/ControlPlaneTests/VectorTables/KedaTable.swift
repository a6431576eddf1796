import Policies
import Primitives

extension VectorTables {
  /// KEDA's Kafka scaler.
  static var kedaKafka: [String: GroupCheck] {
    let lag = GroupCheck(
      .library,
      inputs: [
        "consumer_offset", "latest_offset", "policy", "scale_to_zero_on_invalid",
        "exclude_persistent", "previous_offset",
      ], expecting: [.init("expect_lag"), .init("expect_lag_with_persistent")],
      by: KedaCases.lag)
    return [
      "find_factors": GroupCheck(.library, inputs: ["n"], expecting: [.init("factors")]) {
        one, _ in
        .same("factors", KafkaLagRule.factors(try one.int("n")), try one.ints("factors"))
      },
      "next_balanced_factor": GroupCheck(
        .library, inputs: ["total_lag", "partitions", "lag_threshold"],
        expecting: [.init("factor")]
      ) { one, _ in
        let found = KafkaLagRule.balancedFactor(
          lag: Int64(try one.int("total_lag")), partitions: try one.int("partitions"),
          threshold: Int64(try one.int("lag_threshold")))
        return .same("factor", Double(found), try one.double("factor"))
      },
      "lag_for_partition": lag,
      "lag_for_partition_derived": lag,
      "total_lag_derived": GroupCheck(
        .library,
        inputs: [
          "partition_lags", "lag_threshold", "allow_idle", "even", "activation",
          "limit_with_lag",
        ],
        expecting: ["metric_value", "lag_with_persistent", "active", "hpa_replicas_ceil"].map {
          .init($0)
        }, by: KedaCases.total),
      "validation_and_defaults": KedaCases.defaults,
    ]
  }
}

private enum KedaCases {
  static func lag(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var settings = KafkaLagRule.Settings()
    guard let reset = KafkaLagRule.OffsetReset(rawValue: try one.text("policy")) else {
      throw VectorValue.Unreadable(description: "nobody knows the policy")
    }
    settings.offsetReset = reset
    settings.scaleToZeroOnInvalidOffset = try one.bool("scale_to_zero_on_invalid")
    settings.excludePersistentLag = try one.flag("exclude_persistent")
    var rule = try KafkaLagRule(settings)
    let end = try one["latest_offset"].map { Int64(try $0.double()) }
    if let before = one["previous_offset"] {
      _ = rule.lag(of: 0, .init(committed: Int64(try before.double()), logEnd: end))
    }
    let committed = Int64(try one.int("consumer_offset"))
    let found = rule.lag(of: 0, .init(committed: committed < 0 ? nil : committed, logEnd: end))
    return .same("lag", Double(found.lag), try one.double("expect_lag"))
      + .same(
        "with persistent", Double(found.withPersistent),
        try one.double("expect_lag_with_persistent"))
  }

  static func total(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var settings = KafkaLagRule.Settings()
    settings.lagThreshold = Int64(try one.int("lag_threshold"))
    settings.allowIdleConsumers = try one.flag("allow_idle")
    settings.ensureEvenDistribution = try one.flag("even")
    settings.limitToPartitionsWithLag = try one.flag("limit_with_lag")
    settings.activationLagThreshold = Int64(try one["activation"]?.double() ?? 0)
    let rule = try KafkaLagRule(settings)
    let found = rule.metric(
      try one.list("partition_lags").map { pair in
        let numbers = try pair.ints()
        return .init(lag: Int64(numbers[0]), withPersistent: Int64(numbers[1]))
      })
    return .same("metric", Double(found.value), try one.double("metric_value"))
      + .same("all", Double(found.lagWithPersistent), try one.double("lag_with_persistent"))
      + .same("active", found.isActive, try one.bool("active"))
      + .same("replicas", Double(rule.replicas(found)), try one.double("hpa_replicas_ceil"))
  }

  // MARK: Validation and defaults

  /// By the file's sentence: settings that it says are invalid, and the error they must give.
  private static func invalid(
    _ text: String
  ) throws -> (settings: KafkaLagRule.Settings, error: KafkaLagRule.Invalid) {
    var settings = KafkaLagRule.Settings()
    switch text {
    case "lag_threshold <= 0":
      settings.lagThreshold = 0
      return (settings, .lagThresholdNotPositive)
    case "activation_lag_threshold < 0":
      settings.activationLagThreshold = -1
      return (settings, .negativeActivation)
    case "allow_idle_consumers and limit_to_partitions_with_lag":
      settings.allowIdleConsumers = true
      settings.limitToPartitionsWithLag = true
      return (settings, .idleConsumersAndLimit)
    case "limit_to_partitions_with_lag without topic":
      settings.limitToPartitionsWithLag = true
      settings.hasTopic = false
      return (settings, .limitWithoutTopic)
    case "limit_to_partitions_with_lag and ensure_even_distribution":
      settings.limitToPartitionsWithLag = true
      settings.ensureEvenDistribution = true
      return (settings, .limitAndEvenDistribution)
    default: throw VectorValue.Unreadable(description: "nobody knows `\(text)`")
    }
  }

  private static let operatorFields = [
    "polling_interval_s", "cooldown_period_s", "min_replicas", "max_replicas",
  ]

  static var defaults: GroupCheck {
    let fields = [
      "lag_threshold_default", "activation_lag_threshold_default",
      "offset_reset_policy_default", "allow_idle_consumers", "exclude_persistent_lag",
      "limit_to_partitions_with_lag", "ensure_even_distribution",
      "scale_to_zero_on_invalid_offset",
    ]
    return GroupCheck(
      .library, inputs: ["invalid"],
      expecting: (fields + ["error"]).map { .init($0) }
        + operatorFields.map { .init("operator_defaults.\($0)") },
      reading: { one in
        guard one["error"] == nil, let text = one["invalid"] else { return one }
        return one.setting("error", to: .text("\(try invalid(text.text()).error)"))
      }, by: compare)
  }

  private static func compare(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    if let text = one["invalid"] {
      do {
        _ = try KafkaLagRule(try invalid(text.text()).settings)
        return .holds(false, "\(text) is not found")
      } catch let error as KafkaLagRule.Invalid {
        return .same("error", "\(error)", try one.text("error"))
      }
    }
    if let told = one["operator_defaults"] {
      let found = KedaAutoscaler.Settings()
      let values = [
        found.pollingInterval.seconds, found.cooldown.seconds, Double(found.minReplicas),
        Double(found.maxReplicas),
      ]
      return try zip(operatorFields, values).comparing { .same($0, $1, try told.double($0)) }
    }
    let found = KafkaLagRule.Settings()
    let flags = [
      ("allow_idle_consumers", found.allowIdleConsumers),
      ("exclude_persistent_lag", found.excludePersistentLag),
      ("limit_to_partitions_with_lag", found.limitToPartitionsWithLag),
      ("ensure_even_distribution", found.ensureEvenDistribution),
      ("scale_to_zero_on_invalid_offset", found.scaleToZeroOnInvalidOffset),
    ]
    return .same("threshold", Double(found.lagThreshold), try one.double("lag_threshold_default"))
      + .same(
        "activation", Double(found.activationLagThreshold),
        try one.double("activation_lag_threshold_default"))
      + .same(
        "reset", found.offsetReset.rawValue, try one.text("offset_reset_policy_default"))
      + (try flags.comparing { .same($0.0, $0.1, try one.bool($0.0)) })
  }
}
