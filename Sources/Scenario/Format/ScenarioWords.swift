/// The words that fields allow, and what each means. Which words there are is the readers' say; a
/// test compares.
enum ScenarioWords {
  struct Meanings: Sendable {
    var path: String
    /// The heading among the policies; nil for what is told beside its section.
    var policy: String?
    var words: [(word: String, about: String)]

    init(_ path: String, policy: String? = nil, _ words: KeyValuePairs<String, String>) {
      self.path = path
      self.policy = policy
      self.words = words.map { ($0.key, $0.value) }
    }
  }

  /// Words that need no explanation.
  static let plain = ["true", "false", "s", "ms", "us", "ns"]

  static let all = run + cluster + services + arrivals

  static func meanings(_ path: String) -> Meanings? { all.first { $0.path == path } }

  private static let run = [
    Meanings(
      "start",
      [
        "warm":
          "instances for the initial rate, full pools, code caches filled by popularity, tokens "
          + "held",
        "empty": "nothing of that",
      ]),
    Meanings(
      "fidelity",
      [
        "request": "every request is a chain of events: exact, and the reference",
        "flow": "services advance in steps where flow has a form for them, see MODEL.md",
        "auto": "each service in each zone by its rate and state",
      ]),
    Meanings(
      "contention",
      [
        "epoch": "each node publishes a slowdown for the next epoch from the demand of the last",
        "exact": "processor sharing on each node; exact, and slower",
      ]),
    Meanings(
      "queue", ["ladder": "a radix ladder, the faster one", "heap": "a four-ary heap"]),
    Meanings("faults[].restart_after", ["never": "it does not come back"]),
  ]

  private static let cluster = [
    Meanings(
      "cluster.placement", policy: "Placement of pods",
      [
        "least_allocated":
          "Kubernetes' LeastAllocated: the greatest mean of the free shares of CPU and memory",
        "most_allocated": "Kubernetes' MostAllocated: the fullest node that still has room",
      ]),
    Meanings(
      "cluster.evict", policy: "Eviction",
      [
        "none": "the creation fails",
        "lru": "idle instances are given up, the least recently used first, until the pod fits",
        "faascache-lru":
          "as in the artifact of FaasCache: idle instances of the least recently used service "
          + "first, until the wanted size has been freed, whatever was free before",
      ]),
    Meanings(
      "cluster.worker_hosts.when_full",
      ["kubernetes": "another process is made", "refuse": "the start is refused"]),
    Meanings("cluster.node_pools[].supply", ["unlimited": "there are always more"]),
    Meanings("cluster.node_pools[].tenants", ["shared": "pods of all others are there"]),
    Meanings(
      "cluster.node_scaling.expander",
      [
        "least_waste": "the one that leaves the least of its machines unused",
        "least_nodes": "the one that needs the fewest machines",
        "most_pods": "the one that gives room to the most pods",
        "price": "the one whose machines cost the least for each pod",
        "random": "any",
      ]),
    Meanings(
      "cluster.node_scaling.balance_similar",
      ["off": "the chosen pool alone grows", "on": "pools of equal machines grow alike"]),
    Meanings("cluster.virtual_nodes", ["none": "there are none"]),
    Meanings("cluster.virtual_nodes.stock", ["unlimited": "there are always more"]),
    Meanings(
      "cluster.virtual_nodes.prefer",
      [
        "machines": "to a machine; to a virtual node when none has room",
        "virtual": "to a virtual node while there is stock; then to a machine",
      ]),
    Meanings("tenants[].quota_cores", ["unlimited": "without bound"]),
    Meanings(
      "cluster.balancer", ["none": "traffic stays in its zone, whatever becomes of that"]),
    Meanings(
      "cluster.balancer.phase", ["drawn": "any within `interval`, by cluster and replication"]),
    Meanings("cluster.autoscale", ["none": "nothing is scaled, whatever services ask for"]),
    Meanings(
      "cluster.autoscale.signal_period",
      [
        "by_policy":
          "as a service's policy wants it (Policies, below); of several the shortest"
      ]),
    Meanings(
      "cluster.gateways.per_lane",
      ["auto": "one, or so many that none bears more than 60 % of its `capacity`"]),
    Meanings("cluster.gateways.capacity", ["unlimited": "a gateway is never slow"]),
    Meanings("cluster.consumers.capacity", ["unlimited": "a consumer is never slow"]),
    Meanings("cluster.gateways.request_timeout", ["never": "requests wait as long as it takes"]),
    Meanings("cluster.gateways.call_timeout", ["never": "calls are waited for"]),
    Meanings("cluster.gateways.queue_limit", ["unlimited": "none is refused"]),
    Meanings("cluster.kubernetes.pods_per_second", ["unlimited": "creations never wait"]),
    Meanings("pools.size", ["none": "no warm pods"]),
    Meanings("pools.refill_parallelism", ["unlimited": "all at once"]),
    Meanings(
      "pools.rule", policy: "A start that finds its pool empty",
      [
        "lost": "the fallback serves it, and it orders no refill of its own",
        "backorder": "it orders a refill and waits for the next pod of the pool",
      ]),
    Meanings("pools.fallback", ["kubernetes": "a pod is created, placed and given the code"]),
  ]
}
