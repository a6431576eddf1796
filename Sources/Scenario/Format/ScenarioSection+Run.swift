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
        "contention": "how requests share the processors of a node",
        "queue": "which event queue orders events; the results are the same",
        "objectives": "limits that are judged, one text each: see [Objectives](#objectives)",
      ]),
    ScenarioSection(
      "grid", "The grid of simulated time.",
      [
        "epoch":
          "length of an epoch, of which a second has a whole number: nodes and gateways publish "
          + "their slowdown for the next, and AutoScale's orders reach gateways with it"
      ]),
  ]

  static let faults = [
    ScenarioSection(
      "faults[]", "What goes wrong, and when.",
      [
        "name": "what reports call it",
        "at": "when it happens, since second 0",
        "crash":
          "which part stops and forgets everything: `worker-manager-0`, `dispatcher-0`, "
          + "`consumer-0 of zone-a`, and so on; a broker, `broker-0 of zone-a`, keeps its log",
        "lose":
          "the zone that is lost, in the place of `crash`: its machines with all pods, its "
          + "gateways and consumers, and the components that stand in it",
        "restart_after": "how long it is down; it comes back without memory",
      ])
  ]
}
