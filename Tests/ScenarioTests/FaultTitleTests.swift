import Testing

@testable import Scenario

/// What reports call a fault: by its target or its name, and where it has none, by what happens.
@Suite struct FaultTitleTests {
  @Test(arguments: [
    ("{at: 1m, slow: kubernetes, factor: 10}", "kubernetes 10 times as slow"),
    ("{at: 1m, cut: zone-a, from: control-plane}", "zone-a cut off from control-plane"),
    ("{at: 1m, surge: all, factor: 2}", "2 times the traffic of all"),
    ("{at: 1m, drop: zone-a, share: 5%}", "5 % of the messages of zone-a lost"),
    ("{name: mine, at: 1m, surge: all, factor: 2}", "mine"),
    ("{name: mine, at: 1m, stop: etcd}", "a stop of etcd"),
    ("{at: 1m, lose: zone-a}", "the loss of zone-a"),
    ("{at: 1m, lose: node-0 of zone-a}", "the loss of node-0 of zone-a"),
    ("{at: 1m, crash: worker-manager-0}", "a crash of worker-manager-0"),
    ("{at: 1m, crash: gateway-0 of zone-a}", "a crash of gateway-0 of zone-a"),
  ])
  func aFaultIsCalledByWhatHappens(fault: String, title: String) throws {
    let text = """
      headroom: 1
      name: titles
      duration: 10m
      cluster: {zones: [{name: zone-a, nodes: {count: 1, cpu: 8, memory: 8GiB}}]}
      runtimes: {go: {init: 1ms}}
      shapes: {small: {cpu: 1, memory: 1GiB}}
      services: [{name: a, runtime: go, shape: small, service_time: 1ms,
        arrivals: {process: poisson, rate: 1/s}}]
      faults: [\(fault)]
      """
    let result = ScenarioReader().read(text, file: "titles", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    #expect(document.faults.map(\.title) == [title])
  }
}
