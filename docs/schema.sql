CREATE TABLE scenarios (  -- a scenario as the user wrote it, and as it was after overrides and defaults
  id INTEGER PRIMARY KEY NOT NULL,  -- number of the scenario in this file
  name TEXT NOT NULL,  -- name given in the scenario
  file TEXT NOT NULL,  -- the file it was read from, as named on the command line
  text TEXT NOT NULL,  -- the scenario as written (YAML)
  resolved TEXT NOT NULL  -- every field with its value after overrides and defaults (JSON)
) STRICT;

CREATE TABLE assumptions (  -- a value that the answer rests on, and where it comes from
  scenario INTEGER NOT NULL REFERENCES scenarios,  -- the scenario
  path TEXT NOT NULL,  -- the field
  value TEXT NOT NULL,  -- its value
  origin TEXT NOT NULL CHECK (origin IN ('published', 'measured', 'assumed', 'scenario')),  -- published, measured, assumed, or written in the scenario
  source TEXT NOT NULL,  -- the publication or measurement; empty for an assumption
  PRIMARY KEY (scenario, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE studies (  -- one command that simulated: a single run, or the many runs of size, compare, rehearse or sweep
  id INTEGER PRIMARY KEY NOT NULL,  -- number of the study in this file
  command TEXT NOT NULL,  -- run, size, rehearse, compare, sweep or swarm
  arguments TEXT NOT NULL,  -- arguments that reproduce the study (a JSON list)
  program_version TEXT NOT NULL,  -- version of Headroom
  machine TEXT NOT NULL,  -- processor, cores, memory and operating system (JSON)
  started_at TEXT,  -- wall-clock time of the start, ISO 8601 in UTC
  wall_seconds REAL,  -- how long the command took
  status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'interrupted', 'failed')),  -- whether it came to its end
  verdict TEXT CHECK (verdict IN ('met', 'missed', 'undecided'))  -- the answer, where the command gives one
) STRICT;

CREATE TABLE runs (  -- one simulated world, from its start to its end
  id INTEGER PRIMARY KEY NOT NULL,  -- number of the run in this file
  study INTEGER NOT NULL REFERENCES studies,  -- the study that it belongs to
  scenario INTEGER NOT NULL REFERENCES scenarios,  -- the scenario that it simulates
  arm TEXT NOT NULL,  -- what it is within its study: base, candidate, calm, fault, a pool size, or empty
  seed TEXT NOT NULL,  -- seed, in decimal; text because it may exceed a signed integer
  replication INTEGER NOT NULL,  -- number of the replication, from 0
  fidelity TEXT NOT NULL,  -- request, flow or auto; request also where flow has a form for no lane
  digest TEXT NOT NULL,  -- digest of all recorded events, in hexadecimal; equal digests mean equal runs
  status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'interrupted', 'failed')),  -- whether the run came to its end
  wall_seconds REAL,  -- how long it took
  simulated_ns INTEGER NOT NULL,  -- simulated time, warm-up included
  warmup_ns INTEGER NOT NULL,  -- the time at the start that is simulated and not judged
  series_step_ns INTEGER NOT NULL,  -- length of the interval that a row of the series covers
  events_executed INTEGER NOT NULL,  -- events that were simulated one by one
  invocations_represented INTEGER NOT NULL,  -- requests and messages that the run stands for, at either fidelity
  verdict TEXT CHECK (verdict IN ('met', 'missed', 'undecided'))  -- the verdict over all objectives
) STRICT;

CREATE TABLE trace_files (  -- a workload file that a run has read
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  path TEXT NOT NULL,  -- the file, relative to the directory of data
  hash TEXT NOT NULL,  -- of its bytes: XXH3-64 over the XXH3-64 hashes of its blocks of 1 MiB, in hexadecimal
  bytes INTEGER NOT NULL,  -- its size
  PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE regions (  -- a region of the simulated world; none where the scenario has one cluster
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  region TEXT NOT NULL,  -- its name
  digest TEXT NOT NULL,  -- digest of all events of its clusters, in hexadecimal; equal where nothing happened to it
  PRIMARY KEY (run, region)
) STRICT, WITHOUT ROWID;

CREATE TABLE zones (  -- a zone of the simulated world
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  zone TEXT NOT NULL,  -- name, unique in the run
  cluster TEXT NOT NULL,  -- the cluster that it is part of
  nodes INTEGER NOT NULL,  -- machines at the start
  cpu_cores REAL NOT NULL,  -- their cores
  memory_mib REAL NOT NULL,  -- their memory
  PRIMARY KEY (run, zone)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (  -- tenants of the scenario's list, after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  tenant TEXT NOT NULL,  -- its name
  quota_cores REAL,  -- cores that it may hold; empty: without bound
  reserve REAL NOT NULL,  -- share of its quota that shared machines keep free for it
  weight REAL NOT NULL,  -- its share where room is short, against those of others
  services INTEGER NOT NULL,  -- its services
  arrivals INTEGER NOT NULL,  -- invocations that came
  completed INTEGER NOT NULL,  -- those that were answered
  refused INTEGER NOT NULL,  -- those that were turned away
  failed INTEGER NOT NULL,  -- neither answered nor refused, and there no more
  held_core_hours REAL NOT NULL,  -- cores of its pods, virtual ones too, over time
  mean_held_cores REAL NOT NULL,  -- their mean
  peak_held_cores REAL NOT NULL,  -- the most at a time
  pods_refused INTEGER NOT NULL,  -- pods that its quota had no room for
  pods_waited INTEGER NOT NULL,  -- pods that waited for room on a machine, and got it or gave up
  wait_mean_ns INTEGER,  -- mean time that these waited
  wait_max_ns INTEGER,  -- the longest
  pods_gave_up INTEGER NOT NULL,  -- those that got no room in time
  PRIMARY KEY (run, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE services (  -- a service and its totals after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  service INTEGER NOT NULL,  -- number of the service in the run, from 0
  name TEXT NOT NULL,  -- name of the service
  kind TEXT NOT NULL,  -- function, native or worker
  trigger TEXT NOT NULL,  -- what calls a function: api_gateway, object_storage, queue, timer; empty: nothing is said
  protocol TEXT NOT NULL,  -- of a native service: http, thrift or grpc
  class TEXT NOT NULL,  -- online, offline, timer or other
  tenant TEXT NOT NULL,  -- who owns it
  importance INTEGER NOT NULL,  -- from 0, the most important, to 7
  runtime TEXT NOT NULL,  -- runtime of its code
  shape TEXT NOT NULL,  -- size of its pods
  zones TEXT NOT NULL,  -- names of its zones, separated by commas
  arrivals INTEGER NOT NULL,  -- invocations that came
  completed INTEGER NOT NULL,  -- invocations that were answered
  refused INTEGER NOT NULL,  -- turned away by a limit, a full queue or for want of an instance
  limited_rate INTEGER NOT NULL,  -- those of the refused that came faster than its limit allows
  limited_concurrency INTEGER NOT NULL,  -- those that found as many under way as its limit allows
  shed INTEGER NOT NULL,  -- those whose gateway had too much to do
  downstream_calls INTEGER NOT NULL,  -- calls of its instances to its downstream
  downstream_refused INTEGER NOT NULL,  -- those that this refused, since they were too many
  failed INTEGER NOT NULL,  -- neither answered nor refused, and there no more: timed out, or cut off
  timed_out INTEGER NOT NULL,  -- those of the failed that the caller gave up
  retries INTEGER NOT NULL,  -- attempts of clients beyond the first of each request
  left INTEGER NOT NULL,  -- attempts that their clients left before an answer
  late INTEGER NOT NULL,  -- attempts that were answered after that
  given_up INTEGER NOT NULL,  -- requests whose clients tried no more
  redelivered INTEGER NOT NULL,  -- messages delivered again, and invocations made again, after an attempt that failed
  repeated INTEGER NOT NULL,  -- messages and events answered once more, beyond the first time
  cold_starts INTEGER NOT NULL,  -- invocations that waited for an instance to be made
  cold_starts_pool INTEGER NOT NULL,  -- those that waited for a warm pod's
  cold_starts_fallback INTEGER NOT NULL,  -- those that waited for a pod to be created
  cold_starts_virtual INTEGER NOT NULL,  -- those that waited for a pod on a virtual node
  cold_starts_isolate INTEGER NOT NULL,  -- those that waited for an isolate in a worker process that was there
  key_reads INTEGER NOT NULL,  -- reads of keys, of a worker
  key_hits INTEGER NOT NULL,  -- those that the cache of the host served
  stale_reads INTEGER NOT NULL,  -- those of a version that was old
  latency_mean_ns INTEGER,  -- mean time from arrival to answer, exact
  latency_p50_ns INTEGER,  -- its median; medians and percentiles of services are known to half an octave only
  latency_p99_ns INTEGER,  -- its 99th percentile
  latency_max_ns INTEGER,  -- the longest
  start_mean_ns INTEGER,  -- mean time that a cold start took
  start_p50_ns INTEGER,  -- its median
  start_p99_ns INTEGER,  -- its 99th percentile
  start_max_ns INTEGER,  -- the longest
  instance_seconds REAL NOT NULL,  -- time that instances existed, ready or draining
  idle_instance_seconds REAL NOT NULL,  -- the part of it without work
  peak_ready_instances INTEGER NOT NULL,  -- the most instances that were ready at once, at the end of any epoch
  PRIMARY KEY (run, service)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_groups (  -- the services that one entry of the scenario describes, after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  name TEXT NOT NULL,  -- name of the entry
  services INTEGER NOT NULL,  -- how many services it describes
  arrivals INTEGER NOT NULL,  -- invocations that came
  cold_starts INTEGER NOT NULL,  -- invocations that waited for an instance to be made
  published_column TEXT,  -- the column of the trace with the publishers' own cold starts
  published_invocations INTEGER,  -- invocations of what the run replays, where that is whole blocks of the trace
  published_cold_starts INTEGER,  -- the publishers' cold starts among them
  file_invocations INTEGER,  -- invocations of the whole trace
  file_cold_starts INTEGER,  -- the publishers' cold starts among these
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE series (  -- what happened in one interval, per zone, class and runtime; intervals without anything have no row
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  t_ns INTEGER NOT NULL,  -- start of the interval
  zone TEXT NOT NULL,  -- the zone
  class TEXT NOT NULL,  -- online, offline, timer or other
  runtime TEXT NOT NULL,  -- the runtime
  arrivals INTEGER NOT NULL,  -- invocations that came
  completed INTEGER NOT NULL,  -- invocations that were answered
  refused INTEGER NOT NULL,  -- turned away
  limited INTEGER NOT NULL,  -- those that a limit of their service turned away
  shed INTEGER NOT NULL,  -- those whose gateway had too much to do
  downstream_refused INTEGER NOT NULL,  -- calls that a downstream refused
  failed INTEGER NOT NULL,  -- neither answered nor refused, and there no more: timed out, or cut off
  timed_out INTEGER NOT NULL,  -- those of the failed that the caller gave up
  cold_starts INTEGER NOT NULL,  -- invocations that began to wait for an instance to be made
  in_flight INTEGER NOT NULL,  -- being executed at the interval's end
  waiting INTEGER NOT NULL,  -- waiting at the interval's end
  lag INTEGER NOT NULL,  -- messages not committed at the interval's end
  ready_instances INTEGER NOT NULL,  -- ready at the interval's end
  latency_mean_ns INTEGER,  -- mean latency of those answered in the interval
  latency_p50_ns INTEGER,  -- its median
  latency_p99_ns INTEGER,  -- its 99th percentile
  latency_max_ns INTEGER,  -- the longest
  PRIMARY KEY (run, t_ns, zone, class, runtime)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_minutes (  -- a minute of a service in a zone, for the busiest services and those that an objective names
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  service INTEGER NOT NULL,  -- the service
  t_ns INTEGER NOT NULL,  -- start of the minute
  zone TEXT NOT NULL,  -- the zone
  arrivals INTEGER NOT NULL,  -- invocations that came
  completed INTEGER NOT NULL,  -- invocations that were answered
  refused INTEGER NOT NULL,  -- turned away
  failed INTEGER NOT NULL,  -- neither answered nor refused, and there no more: timed out, or cut off
  timed_out INTEGER NOT NULL,  -- those of the failed that the caller gave up
  cold_starts INTEGER NOT NULL,  -- invocations that began to wait for an instance to be made
  in_flight INTEGER NOT NULL,  -- being executed at the minute's end
  waiting INTEGER NOT NULL,  -- waiting at the minute's end
  lag INTEGER NOT NULL,  -- messages not committed at the minute's end
  ready_instances INTEGER NOT NULL,  -- ready at the minute's end
  latency_mean_ns INTEGER,  -- mean latency of those answered in the minute
  latency_p50_ns INTEGER,  -- its median; it and the 99th are known to half an octave only
  latency_p99_ns INTEGER,  -- its 99th percentile
  latency_max_ns INTEGER,  -- the longest
  PRIMARY KEY (run, service, t_ns, zone)
) STRICT, WITHOUT ROWID;

CREATE TABLE topics (  -- the topic that a service consumes, all its zones together, after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  service INTEGER NOT NULL,  -- the service, whose consumers are the topic's group
  partitions INTEGER NOT NULL,  -- partitions of the topic
  produced INTEGER NOT NULL,  -- messages that came
  completed INTEGER NOT NULL,  -- messages that were answered
  redelivered INTEGER NOT NULL,  -- messages that were delivered again, after a failure or because their consumer had gone
  repeated INTEGER NOT NULL,  -- messages that were answered once more
  expired INTEGER NOT NULL,  -- messages that were deleted before they were answered
  dead_lettered INTEGER NOT NULL,  -- messages that had failed too often
  stale_route_failures INTEGER NOT NULL,  -- deliveries that were refused since a consumer's route named an instance that was gone
  lag INTEGER NOT NULL,  -- messages not committed at the end of the run
  peak_lag INTEGER NOT NULL,  -- the most of them at the end of an interval of the series
  peaked_ns INTEGER,  -- when that was; nothing: there were none
  caught_up_ns INTEGER,  -- the first end of an interval after the peak with no more than may be under way at once; nothing: not yet, or there never was more
  delay_mean_ns INTEGER,  -- mean time from production to answer, exact
  delay_p50_ns INTEGER,  -- its median, known to half an octave
  delay_p99_ns INTEGER,  -- its 99th percentile, likewise
  delay_max_ns INTEGER,  -- the longest
  PRIMARY KEY (run, service)
) STRICT, WITHOUT ROWID;

CREATE TABLE partitions (  -- the partitions of the busiest topics at the end of the run, warm-up included; those of lanes at flow fidelity are not told apart and have no rows
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  service INTEGER NOT NULL,  -- the service that consumes it
  zone TEXT NOT NULL,  -- the zone that it is in
  partition INTEGER NOT NULL,  -- its number in the zone, from 0
  consumer INTEGER NOT NULL,  -- who holds it, among the consumers that share the zone's partitions
  leader TEXT,  -- the broker that leads it; nothing: one of another zone
  produced INTEGER NOT NULL,  -- messages that came into it
  lag INTEGER NOT NULL,  -- messages not committed
  peak_lag INTEGER NOT NULL,  -- the most of them at any time
  PRIMARY KEY (run, service, zone, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE histograms (  -- the distribution of a measure after the warm-up, over the part of the world that the scope names
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  scope TEXT NOT NULL,  -- all, group (one zone, class and runtime), lane (a service in a zone: half octaves only), or objective (the requests that a term of an objective is about)
  measure TEXT NOT NULL,  -- latency, start_latency, wait, or another measure in nanoseconds
  zone TEXT,  -- the zone; NULL: all
  class TEXT,  -- the class; NULL: all
  runtime TEXT,  -- the runtime; NULL: all
  service INTEGER,  -- the service; NULL: all
  tenant TEXT,  -- the tenant of an objective; NULL: all
  count INTEGER NOT NULL,  -- values recorded
  mean_ns REAL,  -- their exact mean
  min_ns INTEGER,  -- the least
  max_ns INTEGER,  -- the greatest
  p50_ns INTEGER,  -- median
  p90_ns INTEGER,  -- 90th percentile
  p99_ns INTEGER,  -- 99th percentile
  p99_9_ns INTEGER,  -- 99.9th percentile
  data BLOB NOT NULL  -- the buckets, in the layout described below
) STRICT;

CREATE INDEX histograms_by_run_measure ON histograms (run, measure);

CREATE TABLE cold_starts (  -- invocations after the warm-up that waited for an instance to be made, by its path
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  zone TEXT NOT NULL,  -- the zone
  class TEXT NOT NULL,  -- online, offline, timer or other
  runtime TEXT NOT NULL,  -- the runtime
  path TEXT NOT NULL CHECK (path IN ('pool', 'fallback', 'virtual_node', 'isolate', 'all')),  -- how the instance was made
  count INTEGER NOT NULL,  -- invocations
  PRIMARY KEY (run, zone, class, runtime, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE starts (  -- how instances were made after the warm-up, and how long the parts of that took; many requests may wait for one start, and AutoScale starts instances that none waits for
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  runtime TEXT NOT NULL,  -- the runtime
  zone TEXT NOT NULL,  -- the zone
  path TEXT NOT NULL CHECK (path IN ('pool', 'fallback', 'virtual_node', 'isolate', 'all')),  -- how the instance was made
  component TEXT NOT NULL,  -- allocation, pod_creation, code, agent, initialisation, publication, messages (the way between components, and waiting for a turn) or total, which is the sum of the others
  count INTEGER NOT NULL,  -- instances
  mean_ns REAL,  -- mean time, exact
  p50_ns INTEGER,  -- median; it and the percentiles are known to half an octave only
  p90_ns INTEGER,  -- 90th percentile
  p99_ns INTEGER,  -- 99th percentile
  max_ns INTEGER  -- the longest
) STRICT;

CREATE INDEX starts_by_run ON starts (run);

CREATE TABLE pools (  -- a warm pool and what became of it after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  pool INTEGER NOT NULL,  -- number of the pool in the run, from 0
  runtime TEXT NOT NULL,  -- runtime of its pods
  shape TEXT NOT NULL,  -- their size
  zone TEXT NOT NULL,  -- where they are
  tenants TEXT NOT NULL,  -- those whose own machines they are on, with commas between; empty: shared machines
  peak_ready INTEGER NOT NULL,  -- the most ready pods of the same runtime, shape and zone at once, at the end of any epoch
  size INTEGER NOT NULL,  -- pods that the pool is meant to hold
  first_pass_peak INTEGER,  -- the peak that the size is a percentage of, from a first pass; NULL: it is no percentage
  rule TEXT NOT NULL,  -- lost or backorder: what a take from an empty pool does to the refill
  takes INTEGER NOT NULL,  -- pods asked for
  hits INTEGER NOT NULL,  -- pods given
  misses INTEGER NOT NULL,  -- takes that found the pool empty
  refills INTEGER NOT NULL,  -- pods that were added; with the rule lost, first_level + refills - hits - last_level is 0 but for pods on their way out of the pool at either end
  idle_pod_seconds REAL NOT NULL,  -- time that pods waited in the pool
  least_level INTEGER NOT NULL,  -- the fewest pods that the pool held at any time
  first_level INTEGER NOT NULL,  -- pods at the end of the warm-up
  last_level INTEGER NOT NULL,  -- pods at the end of the run
  PRIMARY KEY (run, pool)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_series (  -- the level of a pool at the end of an interval; intervals without change have no row
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  t_ns INTEGER NOT NULL,  -- start of the interval
  pool INTEGER NOT NULL,  -- the pool
  level INTEGER NOT NULL,  -- pods in the pool
  target INTEGER NOT NULL,  -- pods that it should hold
  outstanding INTEGER NOT NULL,  -- refills under way
  takes INTEGER NOT NULL,  -- pods asked for in the interval
  misses INTEGER NOT NULL,  -- takes that found the pool empty
  PRIMARY KEY (run, pool, t_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarms (  -- a time during which an alarm on a pool's level stood: until the pool was full, or had no owner any more; a run keeps the first 10,000
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  pool INTEGER NOT NULL,  -- the pool
  raised_ns INTEGER NOT NULL,  -- when it was raised
  cleared_ns INTEGER,  -- when it was cleared; NULL: it stood at the end
  level INTEGER NOT NULL,  -- the pool's level when it was raised
  threshold INTEGER NOT NULL  -- the level below which it is raised
) STRICT;

CREATE INDEX alarms_by_run ON alarms (run);

CREATE TABLE caches (  -- where code was found when an instance was made, after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  zone TEXT NOT NULL,  -- the zone
  level TEXT NOT NULL,  -- module, node, zone or origin: the worker process, the node's cache, the zone's, the store
  hits INTEGER NOT NULL,  -- loads that were served here
  bytes INTEGER NOT NULL,  -- bytes that these loads took
  PRIMARY KEY (run, zone, level)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (  -- a pool shard changed hands
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  t_ns INTEGER NOT NULL,  -- when the new holder took the token, or when it was lost without one
  shard INTEGER NOT NULL,  -- the shard
  from_holder TEXT,  -- the Worker Manager that held it; NULL: none
  to_holder TEXT,  -- the one that holds it now; NULL: none
  reason TEXT NOT NULL,  -- start (held when the run began), acquired, or expired
  gap_ns INTEGER  -- how long nobody held it
) STRICT;

CREATE INDEX leases_by_run ON leases (run);

CREATE TABLE zone_series (  -- what a zone's machines did in an interval
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  t_ns INTEGER NOT NULL,  -- start of the interval
  zone TEXT NOT NULL,  -- the zone
  cpu_used_cores REAL NOT NULL,  -- cores at work, mean over the interval
  cpu_allocated_cores REAL NOT NULL,  -- cores that pods have asked for, at the interval's end
  memory_allocated_mib REAL NOT NULL,  -- memory that pods have asked for, at the interval's end
  pods INTEGER NOT NULL,  -- pods on the zone's nodes, at the interval's end
  cpu_cores REAL NOT NULL,  -- cores of the machines that are there, at the interval's end
  PRIMARY KEY (run, zone, t_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE components (  -- the messages of a component of the platform, warm-up included
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  component TEXT NOT NULL,  -- gateway, dispatcher, worker-manager, etcd, kubernetes, host-agent and so on
  instance TEXT NOT NULL,  -- which one; a zone: its gateways together; all: those of the cluster
  messages_in INTEGER NOT NULL,  -- messages handled; of gateways, requests among them
  messages_out INTEGER NOT NULL,  -- messages sent
  retries INTEGER,  -- questions asked again because no answer came in time; NULL: not counted
  busy_ns INTEGER,  -- time spent handling them; NULL: that takes this component no time in the model
  PRIMARY KEY (run, component, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (  -- something that a person would want to know; a run keeps the first 2,000, and says how many it has left out
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  t_ns INTEGER NOT NULL,  -- when
  until_ns INTEGER,  -- the last of many that are told as one; NULL: there was one
  count INTEGER NOT NULL,  -- how many this row tells of
  severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error')),  -- how much it matters
  kind TEXT NOT NULL,  -- a word for the sort of event, as in pool_alarm_raised
  subject TEXT NOT NULL,  -- the component, service, pool or zone that it is about
  text TEXT NOT NULL  -- one sentence
) STRICT;

CREATE INDEX events_by_run_t_ns ON events (run, t_ns);

CREATE TABLE objectives (  -- the verdict on an objective, for one run or over all runs of an arm
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  run INTEGER REFERENCES runs,  -- the run; NULL: judged over the replications
  arm TEXT NOT NULL,  -- which arm of the study; empty where there is one
  ordinal INTEGER NOT NULL,  -- position in the scenario, from 0
  text TEXT NOT NULL,  -- the objective as written
  value REAL,  -- the measured value; with a duration the worst that lasted so long; NULL: none
  low REAL,  -- lower end of the 95 % interval
  high REAL,  -- upper end of the 95 % interval
  limit_value REAL NOT NULL,  -- the limit
  unit TEXT NOT NULL,  -- unit of value, interval and limit; empty for counts and ratios
  verdict TEXT NOT NULL CHECK (verdict IN ('met', 'missed', 'undecided')),  -- met, missed or undecided
  note TEXT NOT NULL  -- what a reader should know, as when and where it was broken
) STRICT;

CREATE INDEX objectives_by_study ON objectives (study);

CREATE TABLE capacity (  -- capacity by kind and what it cost, after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  kind TEXT NOT NULL,  -- machines, virtual_nodes, or warm_pods, which are a part of the machines and of their cost
  name TEXT NOT NULL,  -- the node pool; fixed for the machines of the zone itself
  zone TEXT NOT NULL,  -- the zone; empty for all
  units INTEGER NOT NULL,  -- machines or pods at the end
  most_units INTEGER NOT NULL,  -- the most there were at a time
  unit_hours REAL NOT NULL,  -- hours of machines or pods
  core_hours REAL NOT NULL,  -- hours of their cores
  cost REAL NOT NULL,  -- by the prices of the scenario
  cost_per_hour REAL,  -- mean
  machines_ordered INTEGER,  -- that the Cluster Autoscaler ordered
  machines_refused INTEGER,  -- of these, what the supply did not have
  PRIMARY KEY (run, kind, name, zone)
) STRICT, WITHOUT ROWID;

CREATE TABLE break_evens (  -- from which use on a machine is cheaper than virtual nodes
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  machines TEXT NOT NULL,  -- the node pool, or the zone of fixed machines
  shape TEXT NOT NULL,  -- of the pods
  pods_per_node INTEGER NOT NULL,  -- pods of the shape that fit one machine
  machine_pod_per_hour REAL NOT NULL,  -- price of a pod on a machine full of them
  virtual_pod_per_hour REAL NOT NULL,  -- price of a pod on a virtual node
  break_even_pods REAL NOT NULL,  -- pods, mean over the machine's hours, from which on the machine is cheaper
  break_even_use REAL NOT NULL,  -- the same as a share of pods_per_node; above 1 a machine never is
  PRIMARY KEY (run, machines, shape)
) STRICT, WITHOUT ROWID;

CREATE TABLE conservation (  -- the terms of a balance that must close: what came equals what left plus what is still there, warm-up included; each term has a counter of its own
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  scope TEXT NOT NULL,  -- all, a zone, or service@zone for a lane; one without requests has no rows
  quantity TEXT NOT NULL,  -- requests, pods, tokens of shards, node_cpu_milli, node_memory_mib, host_memory_bytes
  term TEXT NOT NULL,  -- for requests: arrivals, completed, refused, failed, expired, dead letters, waiting, in flight; a lane's terms that are 0 have no row
  side INTEGER NOT NULL,  -- +1 for what came, -1 for what became of it: the sum over terms of side times count is 0
  count INTEGER NOT NULL,  -- how many
  PRIMARY KEY (run, scope, quantity, term)
) STRICT, WITHOUT ROWID;

CREATE TABLE measures (  -- a single figure of a run after the warm-up
  run INTEGER NOT NULL REFERENCES runs,  -- the run
  name TEXT NOT NULL,  -- the measure, its unit at the end
  scope TEXT NOT NULL,  -- all, or the part of the world
  value REAL NOT NULL,  -- the figure
  PRIMARY KEY (run, name, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE size_candidates (  -- a pool size that was tried
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  percentage REAL NOT NULL,  -- warm-pool percentage
  pods INTEGER NOT NULL,  -- pods of all pools together
  cpu_cores REAL NOT NULL,  -- cores that they hold
  memory_mib REAL NOT NULL,  -- memory that they hold
  cost_per_hour REAL,  -- what they cost in the price table's currency; NULL: no prices
  seeds INTEGER NOT NULL,  -- replications
  verdict TEXT NOT NULL CHECK (verdict IN ('met', 'missed', 'undecided')),  -- whether the objectives are met with this size
  chosen INTEGER NOT NULL,  -- 1 for the smallest size that meets them
  PRIMARY KEY (study, percentage)
) STRICT, WITHOUT ROWID;

CREATE TABLE size_pools (  -- the pods that a percentage means, pool by pool
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  percentage REAL NOT NULL,  -- warm-pool percentage
  runtime TEXT NOT NULL,  -- the runtime
  shape TEXT NOT NULL,  -- size of the pods
  zone TEXT NOT NULL,  -- the zone
  tenants TEXT NOT NULL,  -- those whose own machines they are on, with commas between; empty: shared machines
  peak_ready INTEGER NOT NULL,  -- the most ready pods at once, from the first pass
  pods INTEGER NOT NULL,  -- the percentage of it, rounded half up
  PRIMARY KEY (study, percentage, runtime, shape, zone, tenants)
) STRICT, WITHOUT ROWID;

CREATE TABLE size_results (  -- what a pool size led to
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  percentage REAL NOT NULL,  -- warm-pool percentage
  runtime TEXT,  -- the runtime; NULL: all
  measure TEXT NOT NULL,  -- cold_starts, cold_starts_pool, cold_starts_fallback, pool_takes, pool_misses, p99 start or idle_pod_hours
  mean REAL NOT NULL,  -- mean over the replications
  low REAL,  -- lower end of the 95 % interval
  high REAL,  -- upper end of the 95 % interval
  unit TEXT NOT NULL,  -- unit of the three
  seeds INTEGER NOT NULL  -- replications
) STRICT;

CREATE INDEX size_results_by_study_percentage ON size_results (study, percentage);

CREATE TABLE losses (  -- a loss of a zone, cluster or region that rehearse tried with --matrix or --find-worst; its verdicts are the objectives whose arm is `loss` and its number
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  id INTEGER NOT NULL,  -- number of the loss, from 1, in the order of the report
  domain TEXT NOT NULL,  -- zone, cluster or region
  name TEXT NOT NULL,  -- which one
  strike_ns INTEGER NOT NULL,  -- when it was lost
  outage_ns INTEGER NOT NULL,  -- for how long
  judged_from_ns INTEGER NOT NULL,  -- where the time begins that is judged
  judged_until_ns INTEGER NOT NULL,  -- where it ends
  searched INTEGER NOT NULL,  -- 1: tried while the worst was looked for, in one replication at the search's fidelity
  verdict TEXT CHECK (verdict IN ('met', 'missed', 'undecided')),  -- met, missed or undecided; NULL: nothing is judged
  margin REAL,  -- of the objective nearest to its limit, over all replications; NULL: none tells anything
  least_margin REAL,  -- the least of any replication by itself
  replications INTEGER NOT NULL,  -- in how many it was tried
  PRIMARY KEY (study, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE loss_replications (  -- what a loss came to in one replication beside its calm twin, with its phases
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  loss INTEGER NOT NULL,  -- the number of the loss
  replication INTEGER NOT NULL,  -- the replication, from 0
  came INTEGER NOT NULL,  -- requests and messages of the whole run with the loss
  unanswered INTEGER NOT NULL,  -- of them, those without an answer
  calm_came INTEGER NOT NULL,  -- requests and messages of the calm twin
  calm_unanswered INTEGER NOT NULL,  -- of them, those without an answer
  seconds_to_detect REAL,  -- from the strike until noticed; NULL: never
  seconds_to_shift REAL,  -- from the strike until traffic had moved; NULL: never
  seconds_to_fault_over REAL,  -- from the strike until all that failed was there again; NULL: not within the run
  seconds_degraded REAL NOT NULL,  -- worse than the twin for so long
  seconds_to_recover REAL,  -- from the strike to the end of the last degraded interval; NULL: not within the run
  peak_utilisation REAL,  -- greatest use of processors of who takes over while it is lost; NULL: nobody, or unknown
  expected_utilisation REAL,  -- the same by the closed form, from the calm twin's use
  margin REAL,  -- the least margin of an objective; NULL: none tells anything
  stopped_by TEXT,  -- the condition that ended it early; NULL: none
  stopped_at_ns INTEGER,  -- when
  PRIMARY KEY (study, loss, replication)
) STRICT, WITHOUT ROWID;

CREATE TABLE loss_stretches (  -- a time in which a loss left a replication worse than its calm twin
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  loss INTEGER NOT NULL,  -- the number of the loss
  replication INTEGER NOT NULL,  -- the replication, from 0
  from_ns INTEGER NOT NULL,  -- where it begins
  until_ns INTEGER NOT NULL  -- where it ends
) STRICT;

CREATE INDEX loss_stretches_by_study_loss ON loss_stretches (study, loss);

CREATE TABLE comparisons (  -- base against candidate, paired by seed
  study INTEGER NOT NULL REFERENCES studies,  -- the study
  scenario INTEGER NOT NULL REFERENCES scenarios,  -- the scenario
  measure TEXT NOT NULL,  -- the measure
  unit TEXT NOT NULL,  -- its unit
  base REAL,  -- mean of the base
  candidate REAL,  -- mean of the candidate
  difference REAL,  -- mean of candidate minus base
  low REAL,  -- lower end of the 95 % interval of the difference
  high REAL,  -- upper end of the 95 % interval of the difference
  tolerance REAL NOT NULL,  -- a difference below it does not matter
  seeds INTEGER NOT NULL,  -- pairs
  verdict TEXT NOT NULL CHECK (verdict IN ('better', 'worse', 'same', 'undecided')),  -- better, worse, same or undecided
  note TEXT NOT NULL  -- what a reader should know
) STRICT;

CREATE INDEX comparisons_by_study ON comparisons (study);

CREATE VIEW v_runs AS  -- runs with the names of their scenario and study
SELECT r.id AS run, s.command, c.name AS scenario, r.arm, r.seed, r.replication,
  r.fidelity, r.status, r.verdict, r.simulated_ns / 1e9 AS simulated_seconds,
  r.warmup_ns / 1e9 AS warmup_seconds, r.wall_seconds,
  r.invocations_represented, r.events_executed, r.digest, s.program_version
FROM runs r JOIN studies s ON s.id = r.study JOIN scenarios c ON c.id = r.scenario;

CREATE VIEW v_objectives AS  -- verdicts on objectives, those that need attention first
SELECT study, run, nullif(arm, '') AS arm, verdict, text AS objective, value, low, high,
  limit_value AS "limit", unit, note
FROM objectives
ORDER BY CASE verdict WHEN 'missed' THEN 0 WHEN 'undecided' THEN 1 ELSE 2 END,
  study, run, ordinal;

CREATE VIEW v_conservation AS  -- balances of what came and what became of it; open must be 0
SELECT run, scope, quantity, sum(CASE WHEN side > 0 THEN count ELSE 0 END) AS came,
  sum(CASE WHEN side < 0 THEN count ELSE 0 END) AS accounted_for,
  sum(side * count) AS open
FROM conservation GROUP BY run, scope, quantity;

CREATE VIEW v_costs AS  -- what capacity cost, the dearest first
SELECT run, kind, name, zone, round(cost_per_hour, 4) AS cost_per_hour,
  round(cost, 4) AS cost, round(unit_hours, 3) AS unit_hours,
  round(core_hours, 3) AS core_hours, most_units, machines_ordered, machines_refused
FROM capacity ORDER BY run, cost DESC, kind, name, zone;

CREATE VIEW v_tenants AS  -- tenants with what they held, and what their pods waited for
SELECT run, tenant, services, arrivals,
  round(100.0 * completed / nullif(arrivals, 0), 3) AS completed_percent, quota_cores,
  round(mean_held_cores, 3) AS mean_held_cores, peak_held_cores,
  round(100.0 * peak_held_cores / nullif(quota_cores, 0), 1) AS peak_percent_of_quota,
  round(held_core_hours, 3) AS held_core_hours, pods_refused, pods_waited, pods_gave_up,
  round(wait_mean_ns / 1e9, 3) AS wait_mean_seconds, wait_max_ns / 1e9 AS wait_max_seconds
FROM tenants;

CREATE VIEW v_break_evens AS  -- from which use on a machine is cheaper than virtual nodes, by shape
SELECT run, machines, shape, pods_per_node, machine_pod_per_hour, virtual_pod_per_hour,
  round(break_even_pods, 2) AS break_even_pods,
  round(100 * break_even_use, 1) AS break_even_percent
FROM break_evens;

CREATE VIEW v_assumptions AS  -- values that an answer rests on and nobody has measured or published
SELECT c.name AS scenario, a.path, a.value, a.origin
FROM assumptions a JOIN scenarios c ON c.id = a.scenario WHERE a.origin = 'assumed';

CREATE VIEW v_latency AS  -- distributions of measures, in milliseconds
SELECT run, measure, scope, zone, class, runtime, service, tenant, count,
  round(mean_ns / 1e6, 3) AS mean_ms, round(p50_ns / 1e6, 3) AS p50_ms,
  round(p90_ns / 1e6, 3) AS p90_ms, round(p99_ns / 1e6, 3) AS p99_ms,
  round(p99_9_ns / 1e6, 3) AS p99_9_ms, round(max_ns / 1e6, 3) AS max_ms
FROM histograms;

CREATE VIEW v_timeline AS  -- what happened in each interval of a run, over all zones, classes and runtimes
SELECT t.run, CASE WHEN t.t_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', t.t_ns / 3600000000000,
      t.t_ns / 60000000000 % 60, t.t_ns % 60000000000 / 1e9) END AS at, t.t_ns / 1e9 AS t_seconds,
  sum(t.arrivals) * 1e9 / nullif(r.series_step_ns, 0) AS arrivals_per_second,
  sum(t.completed) AS completed, sum(t.refused) AS refused, sum(t.failed) AS failed,
  sum(t.timed_out) AS timed_out, sum(t.cold_starts) AS cold_starts,
  sum(t.in_flight) AS in_flight, sum(t.waiting) AS waiting, sum(t.lag) AS lag,
  sum(t.ready_instances) AS ready_instances,
  round(sum(t.latency_mean_ns * 1.0 * t.completed)
    / nullif(sum(CASE WHEN t.latency_mean_ns IS NULL THEN 0 ELSE t.completed END), 0) / 1e6,
    3) AS latency_mean_ms,
  round(max(t.latency_p99_ns) / 1e6, 3) AS worst_p99_ms
FROM series t JOIN runs r ON r.id = t.run GROUP BY t.run, t.t_ns;

CREATE VIEW v_services AS  -- services with their shares of trouble, the busiest first
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
FROM services ORDER BY run, arrivals DESC;

CREATE VIEW v_topics AS  -- topics and how far their consumers were behind, the worst first
SELECT t.run, s.name AS service, t.partitions, t.produced, t.completed, t.redelivered,
  t.repeated, t.expired, t.dead_lettered, t.stale_route_failures, t.lag, t.peak_lag,
  CASE WHEN t.peaked_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', t.peaked_ns / 3600000000000,
      t.peaked_ns / 60000000000 % 60, t.peaked_ns % 60000000000 / 1e9) END AS peak_at, CASE WHEN t.caught_up_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', t.caught_up_ns / 3600000000000,
      t.caught_up_ns / 60000000000 % 60, t.caught_up_ns % 60000000000 / 1e9) END AS caught_up_at,
  round(t.delay_mean_ns / 1e6, 3) AS delay_mean_ms,
  round(t.delay_p50_ns / 1e6, 3) AS delay_p50_ms,
  round(t.delay_p99_ns / 1e6, 3) AS delay_p99_ms,
  round(t.delay_max_ns / 1e6, 3) AS delay_max_ms
FROM topics t JOIN services s ON s.run = t.run AND s.service = t.service
ORDER BY t.run, t.peak_lag DESC, t.service;

CREATE VIEW v_partitions AS  -- partitions with their share of their topic's messages in a zone
SELECT p.run, s.name AS service, p.zone, p.partition, p.consumer, p.leader, p.produced,
  round(100.0 * p.produced
    / nullif(sum(p.produced) OVER (PARTITION BY p.run, p.service, p.zone), 0), 2)
    AS percent_of_zone, p.lag, p.peak_lag
FROM partitions p JOIN services s ON s.run = p.run AND s.service = p.service
ORDER BY p.run, p.service, p.zone, p.partition;

CREATE VIEW v_groups AS  -- cold starts of each entry of the scenario beside those of a trace's publishers
SELECT run, name, services, arrivals, cold_starts,
  round(100.0 * cold_starts / nullif(arrivals, 0), 4) AS cold_start_percent,
  published_column,
  round(100.0 * published_cold_starts / nullif(published_invocations, 0), 4)
    AS published_percent,
  round(100.0 * file_cold_starts / nullif(file_invocations, 0), 4)
    AS published_percent_of_file
FROM service_groups;

CREATE VIEW v_cold_starts AS  -- invocations that waited for an instance, by its path
SELECT run, runtime, zone, class,
  sum(CASE path WHEN 'pool' THEN count ELSE 0 END) AS pool,
  sum(CASE path WHEN 'fallback' THEN count ELSE 0 END) AS fallback,
  sum(CASE path WHEN 'virtual_node' THEN count ELSE 0 END) AS virtual_node,
  sum(CASE path WHEN 'isolate' THEN count ELSE 0 END) AS isolate,
  sum(count) AS cold_starts
FROM cold_starts GROUP BY run, runtime, zone, class;

CREATE VIEW v_starts AS  -- how instances were made and how long the parts took, in milliseconds
SELECT run, runtime, zone, path, component, count,
  round(mean_ns / 1e6, 3) AS mean_ms, round(p50_ns / 1e6, 3) AS p50_ms,
  round(p99_ns / 1e6, 3) AS p99_ms, round(max_ns / 1e6, 3) AS max_ms
FROM starts;

CREATE VIEW v_pools AS  -- warm pools with their misses and what they cost in idle pods
SELECT run, pool, runtime, shape, zone, tenants, size, first_pass_peak, peak_ready,
  round(100.0 * size / nullif(peak_ready, 0), 2) AS percent_of_peak, takes, misses,
  round(100.0 * misses / nullif(takes, 0), 4) AS miss_percent, refills, least_level,
  round(idle_pod_seconds / 3600, 2) AS idle_pod_hours, rule
FROM pools;

CREATE VIEW v_pool_timeline AS  -- levels of pools over time
SELECT s.run, CASE WHEN s.t_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', s.t_ns / 3600000000000,
      s.t_ns / 60000000000 % 60, s.t_ns % 60000000000 / 1e9) END AS at, s.t_ns / 1e9 AS t_seconds, s.pool, p.runtime,
  p.shape, p.zone, p.tenants, s.level, s.target, s.outstanding, s.takes, s.misses
FROM pool_series s JOIN pools p ON p.run = s.run AND p.pool = s.pool;

CREATE VIEW v_alarms AS  -- alarms on the levels of pools
SELECT a.run, CASE WHEN a.raised_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', a.raised_ns / 3600000000000,
      a.raised_ns / 60000000000 % 60, a.raised_ns % 60000000000 / 1e9) END AS raised, CASE WHEN a.cleared_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', a.cleared_ns / 3600000000000,
      a.cleared_ns / 60000000000 % 60, a.cleared_ns % 60000000000 / 1e9) END AS cleared,
  (a.cleared_ns - a.raised_ns) / 1e9 AS seconds, p.runtime, p.shape, p.zone, p.tenants,
  a.level, a.threshold
FROM alarms a JOIN pools p ON p.run = a.run AND p.pool = a.pool;

CREATE VIEW v_zones AS  -- how busy zones were over time
SELECT s.run, CASE WHEN s.t_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', s.t_ns / 3600000000000,
      s.t_ns / 60000000000 % 60, s.t_ns % 60000000000 / 1e9) END AS at, s.t_ns / 1e9 AS t_seconds, s.zone,
  s.cpu_used_cores, s.cpu_allocated_cores, s.cpu_cores,
  round(100 * s.cpu_used_cores / nullif(s.cpu_cores, 0), 2) AS utilisation_percent,
  round(100 * s.memory_allocated_mib / nullif(z.memory_mib, 0), 2)
    AS memory_allocated_percent, s.pods
FROM zone_series s LEFT JOIN zones z ON z.run = s.run AND z.zone = s.zone;

CREATE VIEW v_leases AS  -- pool shards that changed hands
SELECT run, CASE WHEN t_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', t_ns / 3600000000000,
      t_ns / 60000000000 % 60, t_ns % 60000000000 / 1e9) END AS at, t_ns / 1e9 AS t_seconds, shard, from_holder, to_holder,
  reason, gap_ns / 1e9 AS gap_seconds
FROM leases;

CREATE VIEW v_components AS  -- messages of the platform's components
SELECT c.run, c.component, c.instance, c.messages_in, c.messages_out, c.retries,
  round(c.busy_ns / 1e9, 3) AS busy_seconds,
  round(100.0 * c.busy_ns / nullif(r.simulated_ns, 0), 3) AS busy_percent
FROM components c JOIN runs r ON r.id = c.run;

CREATE VIEW v_events AS  -- what a person would want to know, in the order of time
SELECT run, CASE WHEN t_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', t_ns / 3600000000000,
      t_ns / 60000000000 % 60, t_ns % 60000000000 / 1e9) END AS at, severity, kind, subject, text
FROM events ORDER BY run, t_ns, rowid;

CREATE VIEW v_size AS  -- pool sizes that were tried, with what they led to
SELECT c.study, c.percentage, c.pods, c.cpu_cores, c.memory_mib, c.cost_per_hour, c.verdict,
  c.chosen, r.runtime, r.measure, r.mean, r.low, r.high, r.unit, r.seeds
FROM size_candidates c
LEFT JOIN size_results r ON r.study = c.study AND r.percentage = c.percentage;

CREATE VIEW v_losses AS  -- losses that rehearse tried by itself, with what each came to, the worst first
SELECT l.study, l.id AS loss, l.domain, l.name, CASE WHEN l.strike_ns IS NOT NULL THEN printf('%02d:%02d:%06.3f', l.strike_ns / 3600000000000,
      l.strike_ns / 60000000000 % 60, l.strike_ns % 60000000000 / 1e9) END AS at,
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
  sum(r.unanswered) DESC, l.id;

CREATE VIEW v_compare AS  -- base against candidate, changes first
SELECT c.study, s.name AS scenario, c.measure, c.unit, c.base, c.candidate, c.difference,
  c.low, c.high, c.tolerance, c.verdict, c.seeds, c.note
FROM comparisons c JOIN scenarios s ON s.id = c.scenario
ORDER BY CASE c.verdict WHEN 'worse' THEN 0 WHEN 'undecided' THEN 1 WHEN 'better' THEN 2
  ELSE 3 END, s.name, c.measure;
