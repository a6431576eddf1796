import Primitives

extension ScenarioSection {
  static let downstreams = [
    ScenarioSection(
      "downstreams[]",
      "What services call that is not of the platform: a database, somebody else's service. Where "
        + "there are `regions` each cluster has one of its own.",
      [
        "name": "what services and faults call it",
        "capacity":
          "calls a second that it bears; after a second's worth beyond them it refuses the share "
          + "that is too much, and such a call ends with an error",
        "central_limit":
          "messages a second that the Coordinator hands out to the consumers of topics whose "
          + "services call it, as leases",
        "sharing": "how it is divided among consumers",
        "lease": "how long a consumer may go by what it was granted",
        "refresh": "how often consumers ask again, and look at how much they want",
        "learning":
          "after its restart the Coordinator only confirms what consumers have for so long",
        "safe": "what a consumer goes by whose lease has run out while nobody answers",
        "reports":
          "how often the downstream tells the Coordinator what it bears, with which the central "
          + "limit goes down and up",
      ])
  ]

  static let services = [
    ScenarioSection(
      "services[]", "What runs on the cluster. An entry describes one service, or many of a kind.",
      [
        "name": "name of the service or group, in results and objectives",
        "count":
          "services of this kind: if more than one they are `NAME-0`, `NAME-1` and so on; not used "
          + "with a trace, which has a service for each of its rows",
        "kind": "kind of service: what it needs and may have, see MODEL.md",
        "class":
          "class of its traffic, in results and objectives; with the process `timer`, `timer` "
          + "where it is not given",
        "tenant": "whose service it is, one of `tenants` where there are any",
        "runtime": "a name of `runtimes`",
        "shape": "a name of `shapes`",
        "labels": "by which faults may name it and others: `label KEY=VALUE`",
        "cluster": "where there are `regions`: the cluster that it is in, as in `north/online`",
        "clusters":
          "in the place of `cluster`: several clusters of a region, as `[north/a, north/b]`, or "
          + "with weights, as `{north/a: 70, north/b: 30}`; a weight of 0 stands by. Each has "
          + "`instances` of its own, and the region's balancer deals the traffic",
        "region":
          "in the place of `cluster`: the region whose rules, `regions[].assign`, say which; not "
          + "needed where there is one region",
        "zones": "zones that it runs in, with equal shares of its requests; without it, all",
        "concurrency":
          "requests that one instance serves at a time; of a native service 100 and of a worker 20 "
          + "where it is not given",
        "protocol": "protocol of the calls of a native service, one of `protocols`",
        "service_time": "time of a request on an instance, without waiting",
        "cold_service_time":
          "time of the first request of an instance that was made for it; without it, as any other",
        "cpu_fraction":
          "share of the service time that is processor time, which contention stretches",
        "cpu_share": "cores that a request wants while it computes",
        "code_size": "size of its code, which is what the caches of `code` hold",
        "choice": "which instance a request gets, among those below their concurrency",
        "keep_alive":
          "how long an idle instance stays; with `scaling`, `forever` where it is not given",
        "queue_limit": "as `cluster.gateways.queue_limit`, which counts where it is not given",
        "cold_start":
          "when a request that finds no free instance asks for one; with a `topic`, `from_zero` "
          + "where it is not given, and `never` where `scaling` is `keda` with an `activation`",
        "scaling": "how AutoScale makes and removes instances ahead of requests",
        "memory_base": "memory of an instance without requests, as AutoScale sees it",
        "memory_per_request": "memory that a request in flight adds",
        "importance":
          "0 is the most important, 7 the least: a gateway that has too much to do refuses the "
          + "less important first (`cluster.gateways.shedding`), and a region may assign by it",
        "downstream":
          "what an instance calls once for each request or message, one of `downstreams`; its "
          + "answer is a part of the service time",
        "pool": "whether its instances come from the warm pools; if not, Kubernetes makes each",
      ]),
    ScenarioSection(
      "services[].members",
      "How the members of a group differ. The busiest member is the first; what each has is dealt "
        + "so that each property has its law among any neighbours in popularity.",
      [
        "runtimes": "runtimes by share of the members, in the place of `runtime`",
        "shapes": "shapes by share of the members, in the place of `shape`",
        "tenants": "tenants by share of the members, in the place of `tenant`",
        "tenant_count":
          "in the place of `tenants`: so many of them, `tenant-0` the largest, whose numbers of "
          + "members have a Pareto law of exponent 1.1 (assumed)",
        "clusters":
          "clusters by share of the traffic, as in `north/online`, in the place of `cluster`",
        "service_time_sigma":
          "spread of the members' service times: sigma of a lognormal factor with median 1",
        "one_zone_below": "a member whose peak is below this is in one zone and not in all",
        "initial_concurrency":
          "with `start: warm`: requests in flight for each instance at second 0, as AutoScale "
          + "would have it, in the place of `concurrency`",
        "partition_rate":
          "messages a second for each partition of a member at its peak, which gives a power of "
          + "two of 8 to 4096 partitions in the place of `topic.partitions`",
      ]),
    ScenarioSection(
      "services[].trigger",
      "What calls a function. Without it arrivals are calls at the gateway.",
      [
        "kind": "what it is",
        "hop": "from an API gateway to the platform's gateway, one way",
        "handling_time": "of an API gateway for a request and its answer together; constant",
        "notification": "from an event in the store to its notification at the gateway",
        "duplicates": "share of the events that the store notifies of twice",
        "retries": "how often an invocation is made again that failed",
        "backoff": "before the first repetition; doubled for each that follows",
      ]),
    ScenarioSection(
      "services[].clients",
      "Clients that leave and try again. Without it they wait for any answer and take it.",
      [
        "timeout":
          "a client leaves an attempt after this; the platform does not know, and works on",
        "retries": "attempts of a request beyond its first",
        "backoff":
          "bound of the wait before the first retry, doubled for each that follows; the wait is "
          + "uniform from 0 to it",
        "backoff_max": "the greatest bound",
        "budget":
          "retries for each request, over the last 10 s and in each zone",
        "budget_least": "retries a second that there may be in any case",
      ]),
    ScenarioSection(
      "services[].breaking",
      "When its gateways or consumers give a single instance no more requests for a time; each "
        + "decides on its own. Without it they never do.",
      [
        "consecutive_errors":
          "errors in a row, calls without an answer among them, that break an instance",
        "consecutive_gateway_errors": "calls without an answer in a row that do",
        "interval":
          "rates and times are judged, and ejections end, at multiples of this",
        "base_ejection":
          "how long the first ejection of an instance lasts; the k-th in a row lasts k times as "
          + "long; then a single request decides",
        "max_ejection": "the longest",
        "max_ejection_percent":
          "of the instances of a gateway, how many may be broken at once; below ten instances the "
          + "default allows none",
        "always_eject_one": "one may be, however few there are",
        "success_rate":
          "whether instances are broken whose share of successes in an interval lies more than 1.9 "
          + "standard deviations below the mean; from 5 instances with 100 requests each on",
        "slowness":
          "an instance is broken whose mean time in an interval is so many times the others' "
          + "median; from 5 instances with 20 requests each on",
      ]),
    ScenarioSection(
      "services[].limits",
      "What the service may be asked for, in all its zones together and in each of its clusters, "
        + "whatever its instances bear. At gateways what is over is refused at once; a topic's "
        + "consumers leave it in the log.",
      [
        "qps": "requests or messages a second, by the generic cell rate algorithm",
        "burst":
          "requests that may come at once beyond the first; divided over zones and gateways, each "
          + "of which lets one in at least",
        "concurrency":
          "requests under way, those that wait at a gateway among them, or deliveries; divided in "
          + "the same way",
        "division": "how rate and concurrency are divided over its zones",
        "backpressure":
          "of a topic: whether consumers send less at once while deliveries fail, half as much "
          + "each 100 ms, and one more with each window of good answers",
        "latency_target": "answers above this push back too",
      ]),
    ScenarioSection(
      "services[].worker", "What a worker is besides: `shape` is that of its worker processes.",
      [
        "isolate_memory": "memory of one isolate, of that of its process",
        "ingress": "where its requests come in and its isolates are",
      ]),
    ScenarioSection(
      "services[].worker.kv",
      "Keys that requests read of a store that is consistent in the end: each zone has a replica, "
        + "and each worker process keeps what it has read.",
      [
        "reads": "keys that a request reads, one after the other",
        "writes": "writes a second of all keys together, by whoever it is",
        "keys": "keys of each service",
        "skew": "exponent of Zipf's law over the keys, of reads and writes; 0: all alike",
        "propagation": "from a write to its being visible in a zone",
        "cache_ttl": "how long a worker process keeps what it has read; 0s: not at all",
        "store_read": "time of a read that the process's cache does not serve",
      ]),
    ScenarioSection(
      "services[].topic.paused[]",
      "A window in which a topic's consumers read nothing, as in a deployment: what is under way "
        + "ends, and the lag grows.",
      ["from": "time since second 0", "to": "time since second 0 at which they read again"]),
    ScenarioSection(
      "services[].scaling_windows[]",
      "A window of time, over what the policies of `scaling` want. Second 0 is midnight of a "
        + "Monday. Each opens and closes at some time, and no two of a service are open together.",
      [
        "from": "when it begins, as cron has it: minute, hour, day, month, day of the week",
        "to": "when it ends",
        "time_zone":
          "the clock of the schedules: a place, as `Europe/Berlin`, whose clocks change by the "
          + "rules of \(TimeZoneTable.origin); or how far it is ahead of the scenario's, as "
          + "`+08:00`, or `UTC`: not at all. Second 0 is in January. A time that clocks leap over "
          + "when summer time begins does not come that day: a daily window from such a time stays "
          + "open from the day before until its `to` of that day, by KEDA's rule",
        "replicas": "so many instances, whatever the policies want; or `floor`",
        "floor": "at least so many instances",
      ]),
    ScenarioSection(
      "services[].topic",
      "A topic that the service's traffic comes through, and how consumers deliver its messages, "
        + "of which `arrivals` says when they are produced. Without it there are requests.",
      [
        "broker_kind":
          "what the topic is on; it sets the defaults of the fields that the two have differently",
        "partitions": "partitions of each service, spread evenly over its zones",
        "window": "deliveries of a partition that may be outstanding; 1 keeps its order",
        "batch": "messages of one delivery, at most: as many as wait in the partition",
        "skew": "exponent of Zipf's law over a zone's partitions; 0: equal shares",
        "delivery_overhead":
          "time of a delivery on an instance beside the `service_time` of each of its messages",
        "via": "who calls the instances",
        "session_timeout":
          "a consumer of which nothing was heard for so long is out of its group; `rocketmq`: 120s",
        "rebalance_pause":
          "how long partitions that change hands are read by nobody; all of them, but with "
          + "`cooperative-sticky` and with `rocketmq`, where it is 0s",
        "membership":
          "who a consumer of `kafka` is to its group when it is back before its session ends",
        "fetch_messages":
          "messages of a partition that one fetch brings at most; the next is asked for when half "
          + "of them are delivered; `rocketmq`: 32",
        "persist_interval":
          "how often a consumer tells the broker what it has committed; what it has not told is "
          + "delivered again after its crash; `rocketmq`: 5s",
        "rebalance_interval":
          "how often a consumer looks who is in its group, at multiples of this; `rocketmq`: 20s",
        "retry_attempts":
          "how often a message whose delivery has failed is delivered again, after 10 s, 30 s, "
          + "1 min and so on up to 2 h, before it is a dead letter; `rocketmq`: 16",
        "retention": "a message is deleted when it is so old, delivered or not",
        "retention_messages": "messages of a partition that are kept, at most",
        "assignor": "how partitions are dealt to the consumers of a zone that share them",
      ]),
    ScenarioSection(
      "services[].instances",
      "Instances of one service. `min` and `max` are divided over its zones and their gateways "
        + "(`cluster.gateways.per_lane`), upwards.",
      [
        "min":
          "idle instances are not given up below this number; of a native service at least one for "
          + "each zone, and there from second 0 on",
        "max": "instances that are there or being started, at most",
        "initial":
          "instances at second 0; without it, none with `start: empty`, and with `warm` offered "
          + "load a plus 2 √a, ÷ `concurrency`, in each zone, within `min` and `max`",
      ]),
  ]

  static let arrivals = [
    ScenarioSection(
      "services[].arrivals",
      "When requests arrive. In brackets the processes that a field belongs to, if not to all.",
      [
        "process": "how arrivals are made",
        "rate": "requests a second of each service; or `total_rate`",
        "total_rate": "requests a second of all services of the group together",
        "peak": "requests a second of each service at its busiest minute; or `total_peak`",
        "total_peak": "the same of all services of the group together",
        "popularity_sigma":
          "with `total_rate` or `total_peak`: spread of the services' shares, sigma of a lognormal "
          + "law; 0: all alike",
        "dispersion":
          "shape of a gamma factor of mean 1 on the rate of each second, which makes variance ÷ "
          + "mean of its count 1 + mean ÷ shape",
        "curve": "shape of the day; hours are local, and second 0 is midnight",
        "popularity_cap": "the greatest share that one member has",
        "patterns":
          "patterns of traffic by share of the members: `flat`, `steady`, `moderate`, `spiky`, "
          + "`session`, `clumped`, `renewal`, `chained`, `timer`, `dormant`; see MODEL.md",
        "busiest_patterns": "patterns of the `busiest` members by share of them",
        "points_below":
          "members of a lower peak that come in batches or at regular gaps do so one by one",
        "called": "share of the dormant members that are called on a day",
        "days":
          "factors on the rates of days by the region's clock, from second 0 on and over again, "
          + "for weekends and holidays; `total_peak` is that of a day with the factor 1",
        "chained_to":
          "the group whose requests bring about the messages of members with the pattern "
          + "`chained`: one to twenty for each, one to sixty seconds later",
        "times": "instants of the requests, since second 0, each dealt to one of the zones",
        "file": "file of the trace, plain or gzip, within the directory that `--data` names",
        "format": "form of the file",
        "within": "how requests lie within a minute or block of which only their number is known",
        "variation":
          "file of values of the variation of gaps and shares of services at or below, for "
          + "`within: batches`, which needs it",
        "origin": "what second 0 is, for `format: requests`; times with a date begin at the first",
        "block": "length of a block, in whole seconds, for `format: blocks`",
        "part":
          "length of a part, in whole seconds: each replication replays another part of the trace, "
          + "in an order that the seed deals, after as much of what comes before it as the warm-up "
          + "is long",
        "durations": "file of quantiles of service times, for `format: azure2019`",
        "memory": "file of quantiles of memory, for `format: azure2019`",
        "busiest":
          "takes only so many services, those with the most requests; of `bytefaas`: the share of "
          + "members, the busiest, that have `busiest_patterns`",
        "only": "takes only the services of these names",
        "source": "who publishes the file, for the message when it is not there",
        "schedule":
          "when a timer fires, as cron has it: minute, hour, day, month, day of the week; second 0 "
          + "is midnight of a Monday",
        "every": "time between two firings, the first at second 0, in the place of `schedule`",
        "requests": "requests of each firing, of each service",
        "jitter": "a firing of a service is late by a uniform time up to this",
        "spread": "time after that over which the requests of a firing are spread uniformly",
      ]),
    ScenarioSection(
      "services[].arrivals.points[]",
      "A point of the process `profile`: rates are straight between points and constant before and "
        + "after.",
      ["at": "time since second 0", "rate": "requests a second of each service then"]),
    ScenarioSection(
      "services[].arrivals.columns",
      "Columns of a trace of `format: requests` or `series`, by their names in its header.",
      [
        "time": "when a request arrived: a number, or a date and time",
        "service": "whose request it is; without the column, all are of the service `requests`",
        "duration": "how long the request took on an instance",
        "value": "how many requests came in the interval that begins at `time`, for a series",
        "time_unit": "unit of `time`",
        "duration_unit": "unit of `duration`",
      ]),
  ]
}
