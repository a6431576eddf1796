extension ResultSchema {
  /// Every view, in an order in which views use only those before them.
  public static let views: [ViewDescription] = [
    .init(
      name: "v_runs", about: "runs with the names of their scenario and study",
      query: """
        SELECT r.id AS run, s.command, c.name AS scenario, r.arm, r.seed, r.replication,
          r.fidelity, r.status, r.verdict, r.simulated_ns / 1e9 AS simulated_seconds,
          r.warmup_ns / 1e9 AS warmup_seconds, r.wall_seconds,
          r.invocations_represented, r.events_executed, r.digest, s.program_version
        FROM runs r JOIN studies s ON s.id = r.study JOIN scenarios c ON c.id = r.scenario
        """)
  ]
}
