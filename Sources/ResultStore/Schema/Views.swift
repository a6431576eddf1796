extension ResultSchema {
  /// Every view, in an order in which views use only those before them.
  public static let views: [ViewDescription] =
    runViews + trafficViews + poolViews + platformViews + studyViews

  private static let runViews: [ViewDescription] = [
    .init(
      name: "v_runs", about: "runs with the names of their scenario and study",
      query: """
        SELECT r.id AS run, s.command, c.name AS scenario, r.arm, r.seed, r.replication,
          r.fidelity, r.status, r.verdict, r.simulated_ns / 1e9 AS simulated_seconds,
          r.warmup_ns / 1e9 AS warmup_seconds, r.wall_seconds,
          r.invocations_represented, r.events_executed, r.digest, s.program_version
        FROM runs r JOIN studies s ON s.id = r.study JOIN scenarios c ON c.id = r.scenario
        """),
    .init(
      name: "v_objectives", about: "verdicts on objectives, those that need attention first",
      query: """
        SELECT study, run, nullif(arm, '') AS arm, verdict, text AS objective, value, low, high,
          limit_value AS "limit", unit, note
        FROM objectives
        ORDER BY CASE verdict WHEN 'missed' THEN 0 WHEN 'undecided' THEN 1 ELSE 2 END,
          study, run, ordinal
        """),
    .init(
      name: "v_conservation",
      about: "balances of what came and what became of it; open must be 0",
      query: """
        SELECT run, scope, quantity, sum(CASE WHEN side > 0 THEN count ELSE 0 END) AS came,
          sum(CASE WHEN side < 0 THEN count ELSE 0 END) AS accounted_for,
          sum(side * count) AS open
        FROM conservation GROUP BY run, scope, quantity
        """),
    .init(
      name: "v_costs", about: "what capacity cost, the dearest first",
      query: """
        SELECT run, kind, name, zone, round(cost_per_hour, 4) AS cost_per_hour,
          round(cost, 4) AS cost, round(unit_hours, 3) AS unit_hours,
          round(core_hours, 3) AS core_hours, most_units, machines_ordered, machines_refused
        FROM capacity ORDER BY run, cost DESC, kind, name, zone
        """),
    .init(
      name: "v_tenants", about: "tenants with what they held, and what their pods waited for",
      query: """
        SELECT run, tenant, services, arrivals,
          round(100.0 * completed / nullif(arrivals, 0), 3) AS completed_percent, quota_cores,
          round(mean_held_cores, 3) AS mean_held_cores, peak_held_cores,
          round(100.0 * peak_held_cores / nullif(quota_cores, 0), 1) AS peak_percent_of_quota,
          round(held_core_hours, 3) AS held_core_hours, pods_refused, pods_waited, pods_gave_up,
          round(wait_mean_ns / 1e9, 3) AS wait_mean_seconds, wait_max_ns / 1e9 AS wait_max_seconds
        FROM tenants
        """),
    .init(
      name: "v_break_evens",
      about: "from which use on a machine is cheaper than virtual nodes, by shape",
      query: """
        SELECT run, machines, shape, pods_per_node, machine_pod_per_hour, virtual_pod_per_hour,
          round(break_even_pods, 2) AS break_even_pods,
          round(100 * break_even_use, 1) AS break_even_percent
        FROM break_evens
        """),
    .init(
      name: "v_assumptions",
      about: "values that an answer rests on and nobody has measured or published",
      query: """
        SELECT c.name AS scenario, a.path, a.value, a.origin
        FROM assumptions a JOIN scenarios c ON c.id = a.scenario WHERE a.origin = 'assumed'
        """),
  ]

  private static let trafficViews: [ViewDescription] = [
    .init(
      name: "v_latency", about: "distributions of measures, in milliseconds",
      query: """
        SELECT run, measure, scope, zone, class, runtime, service, tenant, count,
          round(mean_ns / 1e6, 3) AS mean_ms, round(p50_ns / 1e6, 3) AS p50_ms,
          round(p90_ns / 1e6, 3) AS p90_ms, round(p99_ns / 1e6, 3) AS p99_ms,
          round(p99_9_ns / 1e6, 3) AS p99_9_ms, round(max_ns / 1e6, 3) AS max_ms
        FROM histograms
        """),
    .init(
      name: "v_timeline",
      about: "what happened in each interval of a run, over all zones, classes and runtimes",
      query: """
        SELECT t.run, \(clock("t.t_ns")) AS at, t.t_ns / 1e9 AS t_seconds,
          sum(t.arrivals) * 1e9 / nullif(r.series_step_ns, 0) AS arrivals_per_second,
          sum(t.completed) AS completed, sum(t.refused) AS refused, sum(t.failed) AS failed,
          sum(t.timed_out) AS timed_out, sum(t.cold_starts) AS cold_starts,
          sum(t.in_flight) AS in_flight, sum(t.waiting) AS waiting, sum(t.lag) AS lag,
          sum(t.ready_instances) AS ready_instances,
          round(sum(t.latency_mean_ns * 1.0 * t.completed)
            / nullif(sum(CASE WHEN t.latency_mean_ns IS NULL THEN 0 ELSE t.completed END), 0) / 1e6,
            3) AS latency_mean_ms,
          round(max(t.latency_p99_ns) / 1e6, 3) AS worst_p99_ms
        FROM series t JOIN runs r ON r.id = t.run GROUP BY t.run, t.t_ns
        """),
    .init(
      name: "v_services", about: "services with their shares of trouble, the busiest first",
      query: """
        SELECT run, service, name, kind, class, tenant, runtime, shape, zones, arrivals, completed,
          refused, failed, timed_out, cold_starts, cold_starts_pool, cold_starts_fallback,
          cold_starts_virtual,
          cold_starts_isolate,
          round(100.0 * cold_starts / nullif(arrivals, 0), 4) AS cold_start_percent,
          round(latency_p50_ns / 1e6, 3) AS latency_p50_ms,
          round(latency_p99_ns / 1e6, 3) AS latency_p99_ms,
          round(start_p50_ns / 1e6, 3) AS start_p50_ms,
          round(start_p99_ns / 1e6, 3) AS start_p99_ms, peak_ready_instances,
          round(100.0 * idle_instance_seconds / nullif(instance_seconds, 0), 2) AS idle_percent
        FROM services ORDER BY run, arrivals DESC
        """),
    .init(
      name: "v_topics", about: "topics and how far their consumers were behind, the worst first",
      query: """
        SELECT t.run, s.name AS service, t.partitions, t.produced, t.completed, t.redelivered,
          t.repeated, t.expired, t.dead_lettered, t.stale_route_failures, t.lag, t.peak_lag,
          \(clock("t.peaked_ns")) AS peak_at, \(clock("t.caught_up_ns")) AS caught_up_at,
          round(t.delay_mean_ns / 1e6, 3) AS delay_mean_ms,
          round(t.delay_p50_ns / 1e6, 3) AS delay_p50_ms,
          round(t.delay_p99_ns / 1e6, 3) AS delay_p99_ms,
          round(t.delay_max_ns / 1e6, 3) AS delay_max_ms
        FROM topics t JOIN services s ON s.run = t.run AND s.service = t.service
        ORDER BY t.run, t.peak_lag DESC, t.service
        """),
    .init(
      name: "v_partitions",
      about: "partitions with their share of their topic's messages in a zone",
      query: """
        SELECT p.run, s.name AS service, p.zone, p.partition, p.consumer, p.leader, p.produced,
          round(100.0 * p.produced
            / nullif(sum(p.produced) OVER (PARTITION BY p.run, p.service, p.zone), 0), 2)
            AS percent_of_zone, p.lag, p.peak_lag
        FROM partitions p JOIN services s ON s.run = p.run AND s.service = p.service
        ORDER BY p.run, p.service, p.zone, p.partition
        """),
    .init(
      name: "v_groups",
      about: "cold starts of each entry of the scenario beside those of a trace's publishers",
      query: """
        SELECT run, name, services, arrivals, cold_starts,
          round(100.0 * cold_starts / nullif(arrivals, 0), 4) AS cold_start_percent,
          published_column,
          round(100.0 * published_cold_starts / nullif(published_invocations, 0), 4)
            AS published_percent,
          round(100.0 * file_cold_starts / nullif(file_invocations, 0), 4)
            AS published_percent_of_file
        FROM service_groups
        """),
    .init(
      name: "v_cold_starts", about: "invocations that waited for an instance, by its path",
      query: """
        SELECT run, runtime, zone, class,
          sum(CASE path WHEN 'pool' THEN count ELSE 0 END) AS pool,
          sum(CASE path WHEN 'fallback' THEN count ELSE 0 END) AS fallback,
          sum(CASE path WHEN 'virtual_node' THEN count ELSE 0 END) AS virtual_node,
          sum(CASE path WHEN 'isolate' THEN count ELSE 0 END) AS isolate,
          sum(count) AS cold_starts
        FROM cold_starts GROUP BY run, runtime, zone, class
        """),
    .init(
      name: "v_starts",
      about: "how instances were made and how long the parts took, in milliseconds",
      query: """
        SELECT run, runtime, zone, path, component, count,
          round(mean_ns / 1e6, 3) AS mean_ms, round(p50_ns / 1e6, 3) AS p50_ms,
          round(p99_ns / 1e6, 3) AS p99_ms, round(max_ns / 1e6, 3) AS max_ms
        FROM starts
        """),
  ]

  private static let poolViews: [ViewDescription] = [
    .init(
      name: "v_pools", about: "warm pools with their misses and what they cost in idle pods",
      query: """
        SELECT run, pool, runtime, shape, zone, tenants, size, first_pass_peak, peak_ready,
          round(100.0 * size / nullif(peak_ready, 0), 2) AS percent_of_peak, takes, misses,
          round(100.0 * misses / nullif(takes, 0), 4) AS miss_percent, refills, least_level,
          round(idle_pod_seconds / 3600, 2) AS idle_pod_hours, rule
        FROM pools
        """),
    .init(
      name: "v_pool_timeline", about: "levels of pools over time",
      query: """
        SELECT s.run, \(clock("s.t_ns")) AS at, s.t_ns / 1e9 AS t_seconds, s.pool, p.runtime,
          p.shape, p.zone, p.tenants, s.level, s.target, s.outstanding, s.takes, s.misses
        FROM pool_series s JOIN pools p ON p.run = s.run AND p.pool = s.pool
        """),
    .init(
      name: "v_alarms", about: "alarms on the levels of pools",
      query: """
        SELECT a.run, \(clock("a.raised_ns")) AS raised, \(clock("a.cleared_ns")) AS cleared,
          (a.cleared_ns - a.raised_ns) / 1e9 AS seconds, p.runtime, p.shape, p.zone, p.tenants,
          a.level, a.threshold
        FROM alarms a JOIN pools p ON p.run = a.run AND p.pool = a.pool
        """),
  ]

  private static let platformViews: [ViewDescription] = [
    .init(
      name: "v_zones", about: "how busy zones were over time",
      query: """
        SELECT s.run, \(clock("s.t_ns")) AS at, s.t_ns / 1e9 AS t_seconds, s.zone,
          s.cpu_used_cores, s.cpu_allocated_cores, s.cpu_cores,
          round(100 * s.cpu_used_cores / nullif(s.cpu_cores, 0), 2) AS utilisation_percent,
          round(100 * s.memory_allocated_mib / nullif(z.memory_mib, 0), 2)
            AS memory_allocated_percent, s.pods
        FROM zone_series s LEFT JOIN zones z ON z.run = s.run AND z.zone = s.zone
        """),
    .init(
      name: "v_leases", about: "pool shards that changed hands",
      query: """
        SELECT run, \(clock("t_ns")) AS at, t_ns / 1e9 AS t_seconds, shard, from_holder, to_holder,
          reason, gap_ns / 1e9 AS gap_seconds
        FROM leases
        """),
    .init(
      name: "v_components", about: "messages of the platform's components",
      query: """
        SELECT c.run, c.component, c.instance, c.messages_in, c.messages_out, c.retries,
          round(c.busy_ns / 1e9, 3) AS busy_seconds,
          round(100.0 * c.busy_ns / nullif(r.simulated_ns, 0), 3) AS busy_percent
        FROM components c JOIN runs r ON r.id = c.run
        """),
    .init(
      name: "v_events", about: "what a person would want to know, in the order of time",
      query: """
        SELECT run, \(clock("t_ns")) AS at, severity, kind, subject, text
        FROM events ORDER BY run, t_ns, rowid
        """),
  ]

  private static let studyViews: [ViewDescription] = [
    .init(
      name: "v_size", about: "pool sizes that were tried, with what they led to",
      query: """
        SELECT c.study, c.percentage, c.pods, c.cpu_cores, c.memory_mib, c.cost_per_hour, c.verdict,
          c.chosen, r.runtime, r.measure, r.mean, r.low, r.high, r.unit, r.seeds
        FROM size_candidates c
        LEFT JOIN size_results r ON r.study = c.study AND r.percentage = c.percentage
        """),
    .init(
      name: "v_losses",
      about: "losses that rehearse tried by itself, with what each came to, the worst first",
      query: """
        SELECT l.study, l.id AS loss, l.domain, l.name, \(clock("l.strike_ns")) AS at,
          l.outage_ns / 1e9 AS outage_seconds, l.searched, l.verdict, l.margin, l.least_margin,
          l.replications,
          round(100.0 * sum(r.unanswered) / nullif(sum(r.came), 0), 3) AS unanswered_percent,
          round(100.0 * sum(r.calm_unanswered) / nullif(sum(r.calm_came), 0), 3)
            AS calm_unanswered_percent,
          avg(r.seconds_to_detect) AS detect_seconds, avg(r.seconds_to_shift) AS shift_seconds,
          avg(r.seconds_degraded) AS degraded_seconds,
          CASE WHEN count(r.seconds_to_recover) = count(*) THEN avg(r.seconds_to_recover) END
            AS recover_seconds,
          round(100 * avg(r.peak_utilisation), 1) AS peak_percent,
          round(100 * avg(r.expected_utilisation), 1) AS expected_percent
        FROM losses l
        JOIN loss_replications r ON r.study = l.study AND r.loss = l.id
        GROUP BY l.study, l.id
        ORDER BY l.study, l.searched,
          CASE l.verdict WHEN 'missed' THEN 0 WHEN 'undecided' THEN 1 ELSE 2 END,
          sum(r.unanswered) DESC, l.id
        """),
    .init(
      name: "v_compare", about: "base against candidate, changes first",
      query: """
        SELECT c.study, s.name AS scenario, c.measure, c.unit, c.base, c.candidate, c.difference,
          c.low, c.high, c.tolerance, c.verdict, c.seeds, c.note
        FROM comparisons c JOIN scenarios s ON s.id = c.scenario
        ORDER BY CASE c.verdict WHEN 'worse' THEN 0 WHEN 'undecided' THEN 1 WHEN 'better' THEN 2
          ELSE 3 END, s.name, c.measure
        """),
  ]

  /// Nanoseconds as hours, minutes and seconds; hours go on past 24.
  private static func clock(_ column: String) -> String {
    """
    CASE WHEN \(column) IS NOT NULL THEN printf('%02d:%02d:%06.3f', \(column) / 3600000000000,
          \(column) / 60000000000 % 60, \(column) % 60000000000 / 1e9) END
    """
  }
}
