/// Scenarios that take every branch of the readers, so that a recorder sees every field.
enum ScenarioProbes {
  /// The ways to write the arrivals of each process: bare, and with all that it may have.
  static let arrivals: [(process: ArrivalsSection.Process, fields: [String])] = [
    (.poisson, ["", "rate: 1/s, dispersion: 2", "total_rate: 1/s, popularity_sigma: 1"]),
    (.exactPoisson, ["", "rate: 1/s", "total_rate: 1/s, popularity_sigma: 1"]),
    (.diurnal, ["", "peak: 1/s, dispersion: 2", "total_peak: 1/s, popularity_sigma: 1"]),
    (.profile, ["", "points: [{at: 0s, rate: 1/s}], dispersion: 2"]),
    (.list, ["", "times: [1s]"]),
    (
      .trace,
      [
        "",
        "file: a.csv, within: batches, variation: b.csv, durations: c.csv, memory: d.csv, "
          + "busiest: 1, part: 1h, only: [e]",
      ]
    ),
    (.timer, ["", "schedule: '0 * * * *'", "every: 1m, requests: 1, jitter: 1s, spread: 1s"]),
    (
      .bytefaas,
      [
        "", "peak: 1/s, dispersion: 2, patterns: {flat: 1%}, busiest_patterns: {flat: 1%}",
        "total_peak: 1/s, popularity_sigma: 1, popularity_cap: 5%, days: [1]",
      ]
    ),
  ]

  /// Everything that has no default is missing.
  static func bare(_ arrivals: String) -> String {
    """
    cluster:
      zones: [{}]
      gateways: {capacity: 1/s, shedding: {}}
      node_pools: [{}]
      virtual_nodes: {prices: [{}]}
    tenants: [{}]
    runtimes: {r: {}}
    shapes: {s: {}}
    downstreams: [{}]
    services:
      - kind: worker
        scaling: knative
        topic: {paused: [{}]}
        worker: {kv: {}}
        breaking: {}
        limits: {qps: 1/s}
        scaling_windows: [{}]
        arrivals: {\(arrivals)}
    changes: [{}]
    zoom: {}
    rehearsal: {}
    faults:
      - {}
      - {slow: kubernetes}
      - {drop: everything}
      - {surge: all}
      - {cut: everything, from: control-plane}
    """
  }

  /// Everything that may be left out is there, and words give way to values.
  static func full(_ arrivals: String) -> String {
    """
    headroom: 1
    name: probe
    duration: 1h
    zoom: {from: 1s, to: 2s}
    rehearsal: {from: 0s, until: 2s}
    cluster:
      zones: [{name: z, nodes: {count: 1, cpu: 1, memory: 1GiB}}]
      gateways: {per_lane: 1, capacity: 1/s, request_timeout: 1s, call_timeout: 1s, queue_limit: 1,
        shedding: {mark: 0.9, shares: [100%]}}
      consumers: {capacity: 1/s}
      kubernetes: {pods_per_second: 1}
      autoscale: {tick: 1s, signal_period: 1s}
      balancer: {phase: 1s}
      node_pools: [{name: n, zones: [z], cpu: 1, memory: 1GiB, max: 1, supply: 1, tenants: [t]}]
      virtual_nodes: {zones: [z], stock: 1, prices: [{cpu: 1, memory: 1GiB, per_hour: 1}]}
    tenants: [{name: t, quota_cores: 1}]
    runtimes: {r: {init: 1ms}}
    shapes: {s: {cpu: 1, memory: 1GiB}}
    pools: {size: 1, sizes: {r: 1}, refill: 1s, refill_parallelism: 1, only: [r]}
    downstreams:
      - {name: d, capacity: 1/s, central_limit: 1/s, learning: 1s, safe: 1/s, reports: 1s}
    services:
      - name: probe
        tenant: t
        runtime: r
        shape: s
        zones: [z]
        members: {runtimes: {r: 1%}, shapes: {s: 1%}, tenants: {t: 1%}, partition_rate: 1/s,
          initial_concurrency: 1}
        labels: {tier: gold}
        service_time: 1ms
        cold_service_time: 1ms
        queue_limit: 1
        downstream: d
        limits: {backpressure: on, latency_target: 1s}
        topic:
          partitions: 1
          persist_interval: 1s
          rebalance_interval: 1s
          retry_attempts: 1
          retention: 1s
          retention_messages: 1
          paused: [{from: 0s, to: 1s}]
        scaling: knative
        cold_start: never
        keep_alive: hybrid
        scaling_windows: [{from: "0 8 * * *", to: "0 9 * * *", replicas: 1}]
        memory_base: 1MiB
        instances: {initial: 1}
        arrivals: {\(arrivals)}
      - {name: fronted, tenant: t, runtime: r, shape: s, zones: [z], service_time: 1ms,
         trigger: {kind: api_gateway}, clients: {timeout: 1s}, importance: 1, downstream: d,
         limits: {qps: 1/s, burst: 1, concurrency: 1},
         breaking: {consecutive_errors: 1, consecutive_gateway_errors: 1, slowness: 2},
         arrivals: {process: list, times: [1s]}}
      - {name: notified, tenant: t, runtime: r, shape: s, zones: [z], service_time: 1ms,
         trigger: {kind: object_storage}, arrivals: {process: list, times: [1s]}}
      - {name: native, tenant: t, kind: native, runtime: r, shape: s, zones: [z],
         service_time: 1ms, protocol: grpc, concurrency: 10, instances: {min: 1},
         arrivals: {process: list, times: [1s]}}
      - {name: worker, tenant: t, kind: worker, runtime: r, shape: s, zones: [z],
         service_time: 1ms, concurrency: 10,
         worker: {isolate_memory: 8MiB, kv: {writes: 1/s}}, arrivals: {process: list, times: [1s]}}
    changes:
      - {at: 1s, service: probe, instances: {min: 1, max: 1}}
      - {at: 1s, drain: z, for: 1s}
    objectives: [requests > 0]
    stop_when: [failed > 1 for 1m]
    faults:
      - {at: 9s, crash: worker-manager-0, restart_after: 1s}
      - {at: 1s, lose: z, restart_after: 1s, every: 2s, times: 2}
      - {at: 1s, stop: etcd, for: 1s}
      - {at: 1s, slow: kubernetes, factor: 2, ramp: 1s, until: 2s}
      - {at: 1s, cut: z, from: control-plane, one_way: true}
      - {at: 1s, drop: z, share: 1%}
      - {at: 1s, limit: d, share: 1%}
      - {at: 1s, surge: probe, factor: 2, ramp: 1s}
      - {at: 1s, spoil: probe, share: 1%, errors: 1%, factor: 2, for: 1s}
      - {at: 1s, push: native, concurrency: 1, max_instances: 1, call_timeout: 1s, errors: 1%}
      - {at: 1s, clock: worker-manager-0, ahead: 1s, rate: 2, for: 1s}
      - {at: 3s, clock: worker-manager-0, behind: 1s}
    """
  }

  /// A cluster of a region.
  static let regional = """
    headroom: 1
    name: probe
    regions:
      - {name: r, clusters: [{name: c, zones: [{name: z}]}],
         assign: [{importance: 7, tenant: t, class: online, kind: native, to: c}, {}]}
      - {}
    services: [{name: s, cluster: r/c}, {name: t, clusters: {r/c: 1}}, {name: u, region: r}]
    faults: [{at: 1s, stop: etcd, in: r/c}]
    """

  /// Without the lists themselves.
  static let empty = "name: probe"

  /// What the readers ask for, by the pattern of its path.
  static let fields = recorded(
    [empty, regional, bare(""), bare("process: profile, points: [{}]")]
      + arrivals.flatMap { texts($0.process) })

  /// The processes whose arrivals have a field.
  static func processes(of path: String) -> [ArrivalsSection.Process] {
    ArrivalsSection.Process.allCases.filter { fieldsOfProcess[$0]?[path] != nil }
  }

  private static let fieldsOfProcess = Dictionary(
    uniqueKeysWithValues: arrivals.map { ($0.process, recorded(texts($0.process))) })

  /// Scenarios with one process: bare where nothing but the process is given.
  static func texts(_ process: ArrivalsSection.Process) -> [String] {
    let name = "process: \(process.rawValue)"
    return arrivals.filter { $0.process == process }.flatMap(\.fields).map {
      $0.isEmpty ? bare(name) : full("\(name), \($0)")
    }
  }

  private static func recorded(_ texts: [String]) -> [String: FieldRecorder.Field] {
    let recorder = FieldRecorder()
    for text in texts {
      _ = ScenarioReader().read(
        text, overrides: [], ReadingContext(file: "probe", recorder: recorder))
    }
    return recorder.fields
  }
}
