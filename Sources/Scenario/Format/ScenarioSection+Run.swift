extension ScenarioSection {
  static let run = [
    ScenarioSection(
      "", "The document itself: what is run, and for how long.",
      [
        "headroom": "version of this format, 1",
        "name": "name of the scenario, in reports and results",
        "about": "what it is for, for people",
        "note": "what a reader of the figures must know; reports end with it",
        "duration": "simulated time; second 0 is midnight",
        "warmup": "time at the beginning that is simulated and not judged; shorter than `duration`",
        "start": "what is there at second 0",
        "seed": "of all draws: the same scenario, seed and version give the same results",
        "replications": "runs with draws of their own, which are judged together",
        "fidelity": "how requests are simulated",
        "scale":
          "share of the platform that is simulated: of groups their members and traffic, of zones "
          + "their nodes, upwards to whole ones",
        "contention": "how requests share the processors of a node",
        "queue": "which event queue orders events; the results are the same",
        "objectives": "limits that are judged, one text each: see [Objectives](#objectives)",
        "stop_when":
          "conditions, written as objectives are with `for`: a run ends as soon as one has held "
          + "for so long, interval by interval of the series, with exit code 103",
      ]),
    ScenarioSection(
      "regions[]",
      "Regions, which share no data and no components. Where there are none there is one cluster.",
      [
        "name": "name of the region",
        "clock_ahead":
          "how far its clock is ahead of the scenario's, for the curve of a day; 19h is five hours "
          + "behind",
        "clusters":
          "its clusters, each with the fields of `cluster`; what `cluster` itself says holds for "
          + "each that does not say otherwise. Zones are called `north/online/zone-a`",
      ]),
    ScenarioSection(
      "regions[].assign[]",
      "Which clusters take a service that names the region and no cluster: the first rule that "
        + "matches, in the order of writing. A rule without conditions takes all that is left.",
      [
        "importance": "the service's `importance`",
        "tenant": "its tenant",
        "class": "the class of its traffic",
        "kind": "its kind",
        "to": "the cluster, or several as in `services[].clusters`",
      ]),
    ScenarioSection(
      "grid", "The grid of simulated time.",
      [
        "epoch":
          "length of an epoch, of which a second has a whole number: nodes and gateways publish "
          + "their slowdown for the next, and AutoScale's orders reach gateways with it",
        "flow_step":
          "how long a flow lane may rest in which nobody waits, in whole seconds, up to the next "
          + "sample of its signals and row of the series: 60s makes large platforms fast",
      ]),
  ]

  static let zoom = [
    ScenarioSection(
      "zoom",
      "A window in which every request is an event, whatever the fidelity: flow lanes are carried "
        + "over at its beginning, with all that is under way, and back at its end. Before it the "
        + "run is the same as without, bit for bit. `--zoom A..B` writes it.",
      [
        "from": "when it begins, since second 0: a whole second",
        "to": "when it ends",
      ]),
    ScenarioSection(
      "rehearsal",
      "What `rehearse` judges, where that is not all after the warm-up: its runs end with it. "
        + "`--find-worst` writes it, so that the loss that it has found is judged as it was; "
        + "`run` does not ask for it.",
      [
        "from":
          "since second 0, a whole second before the first fault or earlier; without it, the end "
          + "of `warmup`",
        "until": "up to when; without it, the end of the run",
      ]),
  ]

  static let faults = [
    ScenarioSection(
      "changes[]",
      "What users and operators ask the control-plane API of a region for. A change comes about "
        + "some seconds after it is asked for, or when the API is there again.",
      [
        "name": "what reports call it",
        "at": "when it is asked for, since second 0",
        "service": "with `instances`: the service or group that is changed, in all of its clusters",
        "drain":
          "in the place of `service`: the zone or cluster that the balancer sends nothing any more",
        "for": "how long a drain lasts; without it, to the end",
      ]),
    ScenarioSection(
      "changes[].instances", "Other numbers of instances, as in `services[].instances`.",
      ["min": "the least; without it, as before", "max": "the greatest; without it, as before"]),
    ScenarioSection(
      "faults[]", "What goes wrong, and when.",
      [
        "name": "what reports call it",
        "at": "when it happens, since second 0",
        "crash":
          "one of `crash`, `lose`, `stop`, `slow`, `cut`, `drop`, `surge`, `spoil`, `push`, "
          + "`clock` and `limit`: which part stops and forgets everything: `worker-manager-0`, "
          + "`dispatcher-0`, `consumer-0 of zone-a`, `gateway-0 of zone-a`, "
          + "`host-agent of node-3 of zone-a`, `host-agent of 25% of zone-a`, `coordinator`, and "
          + "so on; a broker, `broker-0 of zone-a`, keeps its log",
        "lose":
          "the zone, cluster or region that is lost; machines: `node-3 of zone-a`, "
          + "`25% of zone-a`; or instances: `10% of pods of SERVICE`, `3 pods of SERVICE`; with a "
          + "zone its machines with all pods, its gateways and consumers, and the components that "
          + "stand in it",
        "stop":
          "what does not answer and keeps its state: `etcd` (without a leader), `kubernetes`, "
          + "`autoscaler`, `coordinator`, `api` (of the region: nothing new is configured), "
          + "`registry` (images for machines that join and for virtual nodes), "
          + "`object-store` (code), `remote-cache of zone-a`, `machine-supply` (it is dry)",
        "slow":
          "what takes `factor` times as long: one of the same, all hops in, to and from a zone, or "
          + "the requests of a service because of what it calls, `service NAME`, or those of all "
          + "services that call `downstream NAME`, which bears as much less; wherever a fault "
          + "names a service, `label KEY=VALUE` names all that have the label",
        "factor": "how many times as long, or as much",
        "cut":
          "a zone, `control-plane` or `everything`: no control message gets to it from the side "
          + "that `from` names, nor back",
        "from": "the other side of a cut",
        "one_way": "messages from the side of `cut` get through",
        "drop": "a side as in `cut`: control messages to and from it are lost",
        "share":
          "which share of them; of `limit`, of the capacity; "
          + "of `spoil`, which share of the instances, "
          + "and one of each zone at "
          + "least",
        "surge": "a service, its group, or `all`: `factor` times the traffic",
        "spoil":
          "a service or its group: some of the instances that it has then are bad, until they are "
          + "gone; those made later are well",
        "errors":
          "the share of its requests that a bad instance answers with an error; of `push`, that "
          + "every instance does",
        "push":
          "a service or its group: a bad configuration is asked for at the API of its region, and "
          + "rolled back at the end; what it says is in `concurrency`, `max_instances`, "
          + "`call_timeout`, `errors`",
        "concurrency": "of `push`: requests of an instance at a time, fewer than before",
        "max_instances": "of `push`: instances of the service, fewer than before",
        "call_timeout": "of `push`: how long gateways wait for its answers",
        "clock": "a Worker Manager whose clock is wrong, `worker-manager-0`",
        "ahead": "by how much its clock jumps forward",
        "behind": "by how much its clock jumps back",
        "rate": "how many times as fast its clock runs",
        "ramp":
          "of `slow`, `drop`, `surge`, `spoil` and `limit`: for how long it grows, evenly, from "
          + "nothing",
        "every": "where it comes more than once: from one beginning to the next",
        "times": "how often it comes",
        "limit": "a downstream that bears `share` of its capacity",
        "in":
          "where there are `regions`: the cluster of what a cluster has once, as in `north/online`",
        "restart_after":
          "how long it lasts: what was crashed or lost comes back without memory; or `for`, or "
          + "`until`; without any of them `spoil` and `clock` have no end",
        "for": "the same",
        "until": "when it ends, since second 0",
      ]),
  ]
}
