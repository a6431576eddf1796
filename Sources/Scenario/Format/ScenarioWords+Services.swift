extension ScenarioWords {
  static let services = [
    Meanings(
      "services[].kind",
      [
        "function": "an event handler, called by a `trigger`",
        "native":
          "a long-lived service that runs serverless: many calls an instance, never without one",
        "worker": "a light runtime: isolates in a process of the host",
      ]),
    Meanings(
      "services[].class",
      [
        "online": "somebody waits for the answer", "offline": "throughput counts, not latency",
        "timer": "started by the clock", "other": "everything else",
      ]),
    Meanings(
      "services[].shape",
      [
        "by_memory":
          "the smallest shape that holds 99 % of the memory that the trace gives, else the largest"
      ]),
    Meanings("services[].queue_limit", ["unlimited": "none is refused"]),
    Meanings(
      "services[].service_time",
      [
        "trace":
          "with a trace: each request's own, or drawn from the quantiles of its service"
      ]),
    Meanings(
      "services[].choice", policy: "Choice of an instance",
      [
        "least_requests": "the fewest requests in flight",
        "power_of_two": "the less loaded of two that are drawn",
        "newest_created": "the one that was made last",
        "most_recently_used": "the one whose last request began or ended most recently",
        "least_recently_used": "the one whose last request began or ended longest ago",
        "round_robin": "the next in a fixed cycle",
        "random": "any, all alike",
      ]),
    Meanings(
      "services[].keep_alive",
      [
        "none": "an instance goes when it becomes idle",
        "forever": "idle instances stay",
      ]),
    Meanings(
      "services[].cold_start", policy: "Cold start",
      [
        "on_demand": "as soon as more requests wait than instances are being started for",
        "from_zero": "only while there is no instance at all: AutoScale does the rest",
        "never": "never",
      ]),
    Meanings(
      "services[].topic.membership",
      [
        "dynamic":
          "another member: the group waits for the one that it was until its session ends, and "
          + "with an eager assignor nobody reads meanwhile",
        "static": "the same member: it reads on, and nobody else stops",
      ]),
    Meanings(
      "services[].topic.broker_kind",
      [
        "kafka": "Kafka: what is committed is told at once, what fails is delivered again at once",
        "rocketmq":
          "RocketMQ: what is committed is told from time to time, what fails is put aside, and "
          + "queues change hands without a stop of the others",
      ]),
    Meanings("services[].topic.persist_interval", ["none": "with every commit"]),
    Meanings("services[].topic.rebalance_interval", ["none": "it is told at once"]),
    Meanings(
      "services[].topic.retry_attempts", ["none": "at once, until it succeeds; order is kept"]),
    Meanings("services[].topic.retention", ["none": "messages do not grow too old"]),
    Meanings("services[].topic.retention_messages", ["none": "all are kept"]),
    Meanings(
      "services[].topic.via",
      [
        "consumers": "consumers, past the gateways",
        "gateways": "the gateways, as for requests",
      ]),
    Meanings(
      "services[].topic.assignor", policy: "Assignment of partitions",
      [
        "range": "Kafka's range assignor: contiguous partitions",
        "roundrobin": "Kafka's round-robin assignor: one by one",
        "sticky": "Kafka's sticky assignor: balanced, with the fewest moves",
        "cooperative-sticky":
          "the same, where a partition that moves is given up one rebalance before it is taken",
      ]),
    Meanings("services[].clients.timeout", ["never": "clients wait for what the platform says"]),
    Meanings(
      "services[].breaking.consecutive_errors", ["off": "however many, they break nothing"]),
    Meanings(
      "services[].breaking.consecutive_gateway_errors", ["off": "they count as errors alone"]),
    Meanings(
      "services[].breaking.success_rate", ["on": "they are", "off": "they are not"]),
    Meanings("services[].breaking.slowness", ["off": "however slow it is, it is used"]),
    Meanings("services[].limits.qps", ["unlimited": "without bound"]),
    Meanings("services[].limits.burst", ["second": "as many as come in a second at that rate"]),
    Meanings(
      "services[].limits.concurrency",
      [
        "unlimited": "without bound",
        "gradient":
          "each gateway finds it: Envoy's gradient of the least round trip to the present one",
        "gradient2": "the same by Netflix's Gradient2: of the long mean to the latest",
        "aimd": "the same by Netflix's AIMD: one more while it is used, a tenth less for a drop",
      ]),
    Meanings(
      "services[].limits.division",
      [
        "even": "all zones have the same share",
        "traffic": "a zone's share follows the weights by which the balancer sends it traffic",
      ]),
    Meanings(
      "services[].limits.backpressure",
      ["on": "they do", "off": "they send what their windows let out"]),
    Meanings("services[].limits.latency_target", ["none": "only failures count"]),
    Meanings("downstreams[].central_limit", ["none": "consumers are not limited"]),
    Meanings(
      "downstreams[].sharing", policy: "Central limit",
      [
        "water_filling": "max-min fairness: nobody gets more while somebody who wants it has less",
        "fair_share": "Doorman's: an equal share, and what others leave of theirs in two rounds",
        "proportional_share":
          "Doorman's: an equal share, and what others leave in proportion to what is wanted",
      ]),
    Meanings("downstreams[].learning", ["lease": "as long as a lease"]),
    Meanings("downstreams[].safe", ["equal": "an equal share of the limit"]),
    Meanings("downstreams[].reports", ["never": "the Coordinator never hears of it"]),
    Meanings("services[].clients.budget", ["none": "without bound"]),
    Meanings(
      "services[].trigger.kind",
      [
        "none": "nothing that adds to the call",
        "api_gateway": "an API gateway in front of the platform's, with a hop and time of its own",
        "object_storage":
          "notifications of events in a store: late, at least once, and made again when they fail",
        "queue": "the messages of `topic`, which it needs",
        "timer": "the clock: `arrivals` of the process `timer`, which it needs",
      ]),
    Meanings(
      "services[].protocol",
      [
        "http": "HTTP with JSON", "thrift": "Thrift's binary form",
        "grpc": "gRPC: HTTP/2 with Protocol Buffers",
      ]),
    Meanings(
      "services[].worker.ingress",
      ["edge": "near the clients", "centre": "in the region's data centres"]),
    Meanings("services[].memory_base", ["half": "half of that of its shape"]),
    Meanings("services[].scaling", ["none": "instances start on demand only"]),
  ]

  static let arrivals = [
    Meanings(
      "services[].arrivals.process",
      [
        "poisson":
          "a count for each second, by inversion below a mean of 20 and a rounded normal number "
          + "above, spread uniformly over the second",
        "exact_poisson": "exponential gaps, for references",
        "diurnal": "as `poisson`, with a rate that follows a daily curve",
        "profile": "as `poisson`, with a rate that follows the points of `points`",
        "list": "given instants",
        "trace": "measured traffic from files",
        "timer": "a number of requests whenever the clock says so",
        "bytefaas":
          "many services of a large platform by laws of their popularity and patterns; peaks add "
          + "up to `total_peak` at the busiest minute of all regions together",
      ]),
    Meanings("services[].arrivals.dispersion", ["poisson": "no factor"]),
    Meanings(
      "services[].arrivals.curve",
      [
        "online": "peak ÷ trough of 4.1 (XFaaS)",
        "offline": "flatter, between Azure's 1.19 and XFaaS (assumed)",
      ]),
    Meanings(
      "services[].arrivals.format",
      [
        "auto": "found from the header",
        "azure2019":
          "a row a function: `HashOwner`, `HashApp`, `HashFunction`, `Trigger`, then a count for "
          + "each minute",
        "azure2021": "a row an invocation: `app`, `func`, `end_timestamp`, `duration` in seconds",
        "requests": "a row a request, with the columns that `columns` names",
        "minutes": "a row a service: its name, then a count for each minute",
        "blocks":
          "a row a service and block of time: its name, the number of the block from 0 in a column "
          + "`block…`, `invocations`, and perhaps the publishers' cold starts in a column "
          + "`cold_starts…`",
        "series":
          "a row an interval of one service: its time and its count, with the columns that "
          + "`columns` names; never found from the header, which does not say what is measured",
      ]),
    Meanings(
      "services[].arrivals.within",
      [
        "poisson": "uniformly",
        "regular": "at equal gaps, with a phase of the service's own",
        "batches": "in gaps and batches of a variation that each service gets from `variation`",
      ]),
    Meanings("services[].arrivals.part", ["all": "each replays all of it, from its beginning"]),
    Meanings(
      "services[].arrivals.origin",
      ["zero": "the zero of the file's times", "first": "its first request"]),
  ]
}
