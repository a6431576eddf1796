/// A scaling policy: its name, what it does, and its parameters.
struct PolicyTable: Sendable {
  var name: String
  var about: String
  var parameters: [PolicyParameter]
  /// What its samples are means of, where the cluster does not say.
  var signalPeriod = Default.none
  /// Whether the name of the first parameter may be left out where it stands alone.
  var mayOmitFirstName = false

  /// The policies that a service may name.
  static let scaling: [PolicyTable] = [
    PolicyTable(
      name: "knative",
      about: "concurrency by the rules of Knative's autoscaler",
      parameters: PolicyParameter.knative,
      signalPeriod: .published("1s", source: "Knative serving: scrape interval")),
    PolicyTable(
      name: "hpa",
      about: "Kubernetes' horizontal autoscaler on the metrics that are given, of which the one "
        + "that wants the most decides; samples of CPU and memory have a period of their own, "
        + "with `concurrency` or `lag` it is 1 s (assumed)",
      parameters: PolicyParameter.kubernetes,
      signalPeriod: metricsServer),
    PolicyTable(
      name: "keda",
      about: "the lag of the service's topic by KEDA's Kafka scaler, from none to the first "
        + "instance and back by itself, between by Kubernetes' autoscaler",
      parameters: PolicyParameter.keda,
      // A look asks the broker, so that what it finds is of that moment; it is no mean.
      signalPeriod: .published("1s", source: "KEDA: a poll reads the offsets themselves")),
    PolicyTable(
      name: "cpu", about: "the CPU that instances use, of which it keeps a share in use",
      parameters: PolicyParameter.cpu, signalPeriod: metricsServer),
    PolicyTable(
      name: "past_days",
      about: "ahead of the load: for the greatest concurrency that the next slots had on past days",
      parameters: PolicyParameter.pastDays, signalPeriod: .assumed("1s")),
    PolicyTable(
      name: "holt_winters",
      about: "ahead of the load: for the concurrency that Holt and Winters' smoothing forecasts",
      parameters: PolicyParameter.holtWinters, signalPeriod: .assumed("1s")),
  ]

  private static let metricsServer = Default.published(
    "15s", source: "Kubernetes: metrics-server's manifests, metric-resolution")

  static func named(_ name: String) -> PolicyTable? { scaling.first { $0.name == name } }

  /// The same in nanoseconds; nil for what is told no samples.
  var signalNanoseconds: Int64? {
    signalPeriod.text.flatMap { try? Quantity.nanoseconds($0) }
  }

  /// What decides on idle instances beside fixed lengths.
  static let keepAlive: [PolicyTable] = [
    PolicyTable(
      name: "hybrid",
      about: "the hybrid histogram policy (Shahrad et al., Serverless in the Wild, 2020)",
      parameters: PolicyParameter.hybrid)
  ]

  /// What sizes pools beside fixed sizes. `hourly` has hours for names, and no table.
  static let poolSizes: [PolicyTable] = [
    PolicyTable(
      name: "following",
      about: "a share of the ready pods of the moment, of the pool's runtime, shape and zone",
      parameters: PolicyParameter.following, mayOmitFirstName: true),
    PolicyTable(
      name: "base_stock",
      about: "the smallest stock that misses no more than a share of takes, by what the last "
        + "whole window has shown of takes and refills",
      parameters: PolicyParameter.baseStock),
  ]
}

extension PolicyParameter {
  private static func kubernetes(_ text: String) -> Default {
    .published(text, source: "Kubernetes: HorizontalPodAutoscaler")
  }

  private static func keda(_ text: String) -> Default {
    .published(text, source: "KEDA: Apache Kafka scaler")
  }

  /// How fast instances may change in one direction: Kubernetes' `behavior`.
  private static func rates(_ way: String, percent: String, pods: String) -> [PolicyParameter] {
    [
      PolicyParameter(
        name: "\(way)_percent", value: .ratio(0...100), fallback: kubernetes(percent),
        about: "so much of the instances at most within `\(way)_period`; 0: no such bound"),
      PolicyParameter(
        name: "\(way)_pods", value: .count(0...1_000_000), fallback: kubernetes(pods),
        about: "so many at most within `\(way)_period`; 0: no such bound"),
      PolicyParameter(
        name: "\(way)_period", value: .duration(least: "1s", most: "30m"),
        fallback: kubernetes("15s"), about: "time in which these bounds hold"),
      PolicyParameter(
        name: "\(way)_select", value: .word(["max", "min", "disabled"]),
        fallback: kubernetes("max"),
        about: "which of the bounds counts: the wider, the narrower, or no change at all"),
    ]
  }

  private static let upRates = rates("up", percent: "100%", pods: "4")
  private static let downRates = rates("down", percent: "100%", pods: "0")

  static let kubernetes: [PolicyParameter] =
    [
      PolicyParameter(
        name: "cpu", value: .ratio(0.01...10), fallback: .none,
        about: "CPU in use ÷ CPU of the instances' shapes that is aimed at"),
      PolicyParameter(
        name: "memory", value: .ratio(0.01...10), fallback: .none,
        about: "the same of memory"),
      PolicyParameter(
        name: "concurrency", value: .number(0.01...1e6), fallback: .none,
        about: "requests in flight and waiting for each instance"),
      PolicyParameter(
        name: "lag", value: .count(1...1_000_000_000_000), fallback: .none,
        about: "messages behind for each instance"),
      PolicyParameter(
        name: "tolerance", value: .share(0...1), fallback: kubernetes("10%"),
        about: "a ratio so near to 1 changes nothing"),
      PolicyParameter(
        name: "sync", value: .duration(least: "1s", most: "1h"), fallback: kubernetes("15s"),
        about: "time between two decisions"),
      PolicyParameter(
        name: "up_window", value: .duration(least: "0s", most: "1h"), fallback: kubernetes("0s"),
        about: "more instances only when every decision of this time wanted more"),
      PolicyParameter(
        name: "down_window", value: .duration(least: "0s", most: "1h"),
        fallback: kubernetes("300s"),
        about: "fewer instances only when every decision of this time wanted fewer"),
    ] + upRates + downRates

  static let keda: [PolicyParameter] =
    [
      PolicyParameter(
        name: "lag", value: .count(1...1_000_000_000_000), fallback: keda("10"),
        about: "messages behind that one instance is there for"),
      PolicyParameter(
        name: "activation", value: .count(0...1_000_000_000_000), fallback: keda("0"),
        about: "lag above which a service without instances gets one; above 0 the default of "
          + "`cold_start` is `never`, or the first message would start one"),
      PolicyParameter(
        name: "polling", value: .duration(least: "1s", most: "1h"), fallback: keda("30s"),
        about: "time between two looks at the topic"),
      PolicyParameter(
        name: "cooldown", value: .duration(least: "0s", most: "24h"), fallback: keda("300s"),
        about: "from the last look that found the topic active to no instance"),
      PolicyParameter(
        name: "idle_consumers", value: .flag, fallback: keda("false"),
        about: "whether there may be more instances than partitions"),
      PolicyParameter(
        name: "lagging_partitions", value: .flag, fallback: keda("false"),
        about: "no more instances than partitions that are behind"),
      PolicyParameter(
        name: "even_partitions", value: .flag, fallback: keda("false"),
        about: "as many instances as share the partitions evenly"),
      PolicyParameter(
        name: "exclude_persistent", value: .flag, fallback: keda("false"),
        about: "a partition that has not moved since the look before counts for nothing"),
      PolicyParameter(
        name: "down_window", value: .duration(least: "0s", most: "1h"),
        fallback: kubernetes("300s"),
        about: "as of `hpa`"),
    ] + upRates + downRates

  static let cpu: [PolicyParameter] = [
    PolicyParameter(
      name: "target", value: .share(0.01...1), fallback: .assumed("60%"),
      about: "share of the CPU of the instances' shapes that is to be in use"),
    PolicyParameter(
      name: "tolerance", value: .share(0...1), fallback: kubernetes("10%"),
      about: "use so near to the target changes nothing"),
    PolicyParameter(
      name: "delay", value: .duration(least: "0s", most: "24h"), fallback: .assumed("300s"),
      about: "fewer instances only when no moment of this time wanted more"),
  ]

  private static let ahead: [PolicyParameter] = [
    PolicyParameter(
      name: "target", value: .number(0.01...1e6), fallback: .assumed("0.7"),
      about: "concurrency that an instance is there for"),
    PolicyParameter(
      name: "horizon", value: .count(1...1000), fallback: .assumed("2"),
      about: "slots ahead that are provided for"),
    PolicyParameter(
      name: "margin", value: .ratio(0...10), fallback: .assumed("10%"),
      about: "added to what is forecast"),
  ]

  private static func slot(_ text: String) -> PolicyParameter {
    PolicyParameter(
      name: "slot", value: .duration(least: "1s", most: "24h"), fallback: .assumed(text),
      about: "concurrency is averaged over so long; whole seconds")
  }

  static let pastDays =
    [
      slot("60s"),
      PolicyParameter(
        name: "days", value: .count(1...30), fallback: .assumed("7"),
        about: "days that are looked back on; before the second day the latest slot counts"),
    ] + ahead

  static let holtWinters =
    [
      slot("5m"),
      PolicyParameter(
        name: "season", value: .count(2...10_000), fallback: .assumed("288"),
        about: "slots of a season; before two seasons are known there is only a trend"),
      PolicyParameter(
        name: "level", value: .share(0.001...1), fallback: .assumed("0.5"),
        about: "weight of the newest slot in the level"),
      PolicyParameter(
        name: "trend", value: .share(0...1), fallback: .assumed("0.1"),
        about: "the same in the trend"),
      PolicyParameter(
        name: "seasonal", value: .share(0...1), fallback: .assumed("0.3"),
        about: "the same in the season"),
    ] + ahead
}
