extension ScenarioSection {
  static let cluster = [
    ScenarioSection(
      "cluster", "The cluster: its zones and its control plane.",
      [
        "name": "name of the cluster, in results",
        "placement": "which node of a zone gets a new pod, among those with room",
        "evict": "what happens when no node of a zone has room for a new pod",
      ]),
    ScenarioSection(
      "cluster.zones[]", "The zones. A message or request that leaves its zone takes longer.",
      ["name": "name of the zone"]),
    ScenarioSection(
      "cluster.zones[].nodes", "The machines of a zone, all alike.",
      [
        "count": "nodes in the zone",
        "cpu": "cores of one node",
        "memory": "memory of one node, used in whole MiB",
        "price_per_hour": "what one node costs, for `v_costs`",
      ]),
    ScenarioSection(
      "cluster.node_pools[]",
      "Machines that a Cluster Autoscaler orders for pods without room and gives back when they "
        + "are not needed. Each zone has a pool of its own: `initial`, `min` and `max` are its "
        + "nodes.",
      [
        "name": "name of the pool, in results",
        "zones": "zones that have it; all when left out",
        "cpu": "cores of one node",
        "memory": "memory of one node, used in whole MiB",
        "initial": "nodes of a zone when the run begins",
        "min": "nodes of a zone that stay although they are not needed",
        "max": "nodes of a zone at most",
        "price_per_hour": "what one node costs",
        "provision": "from an order to a node that takes pods",
        "supply":
          "machines to be had beside the first ones, in all zones together; what goes comes back",
        "tenants": "tenants whose pods alone it takes, warm ones too; they are on no others",
      ]),
    ScenarioSection(
      "cluster.node_scaling",
      "How the Cluster Autoscaler orders machines of `node_pools` and gives them back.",
      [
        "scan_interval": "time between two looks at pods without room and at machines",
        "unneeded_time": "a machine that is not needed for so long goes",
        "utilisation_threshold":
          "a machine of whose cores and memory less is asked for is not needed where its pods "
          + "find room elsewhere",
        "delay_after_add": "so long after a machine has come none goes",
        "delay_after_failure": "so long after one could not be emptied none goes",
        "provision_time": "a machine that has not come by then is not waited for any more",
        "expander": "of several pools whose machines would help, the one that grows",
        "balance_similar":
          "whether pools of equal machines in several zones share what is ordered",
      ]),
    ScenarioSection(
      "cluster.virtual_nodes",
      "Elastic containers behind a virtual kubelet in each zone: pods that need no machine of the "
        + "cluster. Only pods that are made for a start go there, never warm ones.",
      [
        "zones": "zones that have them; all when left out",
        "start": "from an order to a pod that is ready for code",
        "stock": "cores that can be had at a time, in all zones together",
        "prefer": "where a pod goes first",
      ]),
    ScenarioSection(
      "cluster.virtual_nodes.prices[]",
      "Sizes that can be had. A pod pays for the cheapest that holds it.",
      [
        "cpu": "cores of the size", "memory": "its memory", "per_hour": "what a pod of it costs",
      ]),
    ScenarioSection(
      "cluster.worker_hosts",
      "Worker processes: pods in which the isolates of workers live. They are those of a runtime, "
        + "shape and zone, and stay.",
      [
        "per_zone": "processes of each runtime and shape in each zone, from the beginning",
        "max": "the same, at most",
        "reserved": "memory of a process that is not for isolates",
        "module_cache": "size of each process's cache of modules, the `code_size` of workers",
        "start": "an isolate starts with its module there; neither pod nor runtime is made",
        "when_full": "what happens when no process has room for an isolate",
      ]),
    ScenarioSection(
      "cluster.worker_hosts.ingress",
      "The way from the client to each place, one way; latency has it twice.",
      ["edge": "to the edge", "centre": "to the centre"]),
    ScenarioSection(
      "tenants[]",
      "Tenants, to whom services belong. Without the list the names of `services[].tenant` are for "
        + "people alone.",
      [
        "name": "name of the tenant",
        "quota_cores":
          "cores that all its pods of a cluster may ask for together; more starts are refused",
        "reserve":
          "share of its quota that shared machines keep free for it while it has less than that "
          + "there, an equal part in each zone",
        "weight":
          "where room is short it goes to the tenant that holds the least of the machines for its "
          + "weight",
      ]),
    ScenarioSection(
      "cluster.gateways",
      "Gateways hold the requests of their zone, know routes and pick instances.",
      [
        "per_zone": "gateways in each zone",
        "per_lane":
          "gateways that share the requests of one service in one zone, not more than `per_zone`; "
          + "each has instances of its own; `auto` follows the rate of each service",
        "capacity":
          "requests a second that one gateway bears: beyond, they wait in a "
          + "queue before it, from the next epoch on",
        "handling_time": "added to the time of every request; constant",
        "route_ttl": "how long a cached route is fresh",
        "route_stale": "how long after that it is still used while the Dispatcher is asked again",
        "negative_ttl": "how long the answer that a service has no instance is believed",
        "request_timeout":
          "a request that has waited at the gateway for so long has failed",
        "call_timeout":
          "a call that has no answer from its instance after this has failed, and the instance is "
          + "free again; also where the call or its answer is lost",
        "start_timeout": "an instance that has not come by then is asked for again",
        "ask_timeout": "an unanswered question for a route is repeated after this",
        "start_attempts": "how often an instance is asked for before its start has failed",
        "start_backoff":
          "after a failed start a gateway asks for no instance of the service for so long",
        "queue_limit":
          "requests of a service that may wait at one gateway without a start under way for them; "
          + "more are refused",
      ]),
    ScenarioSection(
      "cluster.gateways.shedding",
      "How gateways refuse the less important when they have too much to do. Without it they only "
        + "slow down.",
      [
        "mark": "what a gateway takes in, as a multiple of its `capacity`",
        "shares":
          "by `importance`: up to which share of that it is let in, together with all that is more "
          + "important; services beyond the last are as the last",
      ]),
    ScenarioSection(
      "cluster.consumers",
      "The fleet that consumes topics. A consumer is to deliveries what a gateway is to requests: "
        + "it caches routes, holds deliveries that wait for an instance, and calls instances.",
      [
        "per_zone": "consumers in each zone",
        "per_lane":
          "consumers that share the partitions of one service in one zone, each with instances of "
          + "its own",
        "capacity":
          "deliveries a second that one consumer bears: beyond, they wait in a "
          + "queue before it, from the next epoch on",
        "handling_time": "added to the time of every delivery; constant",
      ]),
    ScenarioSection(
      "cluster.brokers",
      "The brokers that topics are on. A zone's partitions are led by its brokers in turn.",
      [
        "per_zone": "brokers in each zone",
        "election":
          "from a broker's crash until others lead its partitions, which nobody reads or writes "
          + "until then",
      ]),
    ScenarioSection(
      "cluster.dispatchers",
      "Dispatchers know the instances of the services that rendezvous hashing gives them.",
      [
        "count": "Dispatchers of the cluster, spread over its zones",
        "timeout": "when a Worker Manager has not answered a start by then, the next one is asked",
        "retries": "Worker Managers that are asked after the first before a start has failed",
        "handling_time": "of a message, one at a time; constant",
      ]),
    ScenarioSection(
      "cluster.worker_managers",
      "Worker Managers give out the pods of the warm pools whose shard's token they hold.",
      [
        "count": "Worker Managers of the cluster, spread over its zones",
        "shards": "shards over which the pools are spread, each with a token",
        "lease_ttl": "time to live of the etcd lease that all tokens of a Worker Manager hang on",
        "clock_margin":
          "how long before its lease can run out a Worker Manager stops serving, by its own clock",
        "retry": "an unanswered question of theirs is repeated after this",
        "campaign_step":
          "rank r in a shard's order waits r times this before it reaches for a free token",
        "handling_time": "of a message, one at a time; constant",
      ]),
    ScenarioSection(
      "cluster.etcd", "etcd keeps the leases.", ["handling_time": "of a message; constant"]),
    ScenarioSection(
      "cluster.kubernetes", "Kubernetes makes pods and places them on nodes.",
      [
        "pods_per_second": "pods whose creation may begin in a second",
        "burst": "pods whose creation may begin at once after a quiet time",
        "create": "from the beginning of a creation to a pod that is ready for code",
        "start_deadline":
          "a pod that was taken for a start and does not serve after this is deleted",
        "node_grace": "a machine of which nothing was heard for so long is taken for gone",
      ]),
    ScenarioSection(
      "cluster.balancer",
      "The region's layer-7 balancer asks zones whether they are well, and sends the traffic of "
        + "those that are not to the others.",
      [
        "interval": "from one question to the next",
        "phase": "when the first question comes; all zones and gateways are asked at once",
        "timeout": "an answer that takes longer is none",
        "unhealthy_after": "questions in a row without an answer until a zone is taken for gone",
        "healthy_after": "answers in a row until it is taken for well again",
        "window":
          "what a change of weights needs to reach everybody; it holds from the next whole second "
          + "on",
      ]),
    ScenarioSection(
      "cluster.api",
      "The control-plane API of the region, which `changes` go through, and no request does. Of a "
        + "region that of its first cluster counts.",
      [
        "handling_time": "of a message, one at a time",
        "repeat_after": "what a cluster has not acknowledged is said again after this",
        "ask_again": "whoever has no answer of it asks again after this",
      ]),
    ScenarioSection(
      "cluster.coordinator",
      "The Coordinator hears of instances that callers break (`services[].breaking`), and replaces "
        + "those whose break is a long one: the new instance first, then the old one drains.",
      [
        "long_break_ejections": "a break is long with so many ejections in a row by one caller",
        "long_break": "or when it has lasted for so long",
        "long_break_callers": "or when so many callers have broken the instance",
        "most_migrations": "instances of a service that are being replaced at once, at most",
        "budget": "the same as a share of its instances; one is always allowed",
        "repeat_after": "what was not answered is said again after this",
      ]),
    ScenarioSection(
      "cluster.autoscale",
      "When AutoScale decides. Which services it scales is said by `services[].scaling` alone.",
      [
        "tick": "time between two decisions about a service",
        "signal_period":
          "time between two samples of a service's signals, over which each is a mean; whole "
          + "seconds",
        "signal_delay":
          "how late a sample is known to the policies, beside the way to them; windows end where "
          + "the known samples do",
      ]),
    ScenarioSection(
      "network", "Delays of a message, one way, constant for a pair of places.",
      [
        "same_node": "within a node; not used yet, nothing is sent through the network there",
        "same_zone": "between parts of one zone, and from a gateway to an instance",
        "cross_zone": "between parts of two zones",
        "control_plane": "to and from what the cluster has once: Kubernetes, etcd, AutoScale",
        "loss": "share of all messages that are lost: the control plane's, calls and answers",
      ]),
  ]

  static let protocols =
    [
      ScenarioSection(
        "protocols", "What protocols cost that native services are called by.", [:])
    ]
    + ["http", "thrift", "grpc"].map { name in
      ScenarioSection(
        "protocols.\(name)", "Overhead of a call by \(name).",
        [
          "wire": "in proxies and on the wire, there and back together; constant",
          "cpu": "processor time of a call on the machine of its instance, stretched as any other",
        ])
    }

  static let starts = [
    ScenarioSection(
      "code", "Where the code of services lies, and how long it takes to bring it to a pod.",
      [
        "node_cache": "size of each node's cache",
        "zone_cache": "size of each zone's cache",
        "node_hit": "to mount code that is in the node's cache",
        "zone_hit": "to bring code to the node from the zone's cache",
        "origin": "to bring code to the node from the object store",
      ]),
    ScenarioSection(
      "start_components", "Parts of a start that are the same for all services.",
      [
        "pool_take": "the Worker Manager hands out a pod",
        "agent": "the node's agent prepares pod and network",
        "publish": "the new route reaches the gateway",
      ]),
    ScenarioSection(
      "runtimes.NAME", "The runtimes, each under its name.",
      ["init": "the runtime starts with a service's code in it"]),
    ScenarioSection(
      "shapes.NAME", "The sizes of pods, each under its name.",
      ["cpu": "cores of a pod", "memory": "memory of a pod, used in whole MiB"]),
    ScenarioSection(
      "pools", "The warm pools: one for each runtime, shape and zone that services use.",
      [
        "size":
          "warm pods of each pool: a percentage of its peak of ready pods in a first pass, rounded "
          + "half up, a number of pods, or a policy",
        "sizes": "sizes of the pools of single runtimes, by their names, in the place of `size`",
        "sizing_tick":
          "how often Kubernetes tells of ready pods, and Worker Managers ask the sizes' policies",
        "rule": "what a start does that finds its pool empty",
        "refill":
          "from an order to a warm pod; without it, as long as `cluster.kubernetes.create` says",
        "refill_parallelism": "refills of one pool under way at a time",
        "alarm_below":
          "share of its size below which a pool's level raises an alarm, which a full pool clears",
        "fallback": "who makes a pod when the pool has none",
        "only": "runtimes that have warm pools; all where it is not given",
      ]),
  ]
}
