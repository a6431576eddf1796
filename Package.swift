// swift-tools-version: 6.2
// Headroom: a deterministic simulator and capacity planner for a large serverless platform.
// Targets are layers; the direction of their imports is checked by scripts/check-imports.

import PackageDescription

/// Layer, and what it may import; ARCHITECTURE.md holds the same table.
let package = Package(
  name: "headroom",
  products: [
    .executable(name: "headroom", targets: ["headroom"]),
    .library(name: "ControlPlane", targets: ["ControlPlane"]),
    .library(name: "Policies", targets: ["Policies"]),
    .library(name: "Workload", targets: ["Workload"]),
    .library(name: "HeadroomSimulation", targets: ["Scenario", "Simulation"]),
    .library(
      name: "HeadroomEngine",
      targets: ["Primitives", "SimulationKernel", "ControlPlane", "Platform"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "Primitives"),
    .target(name: "CPrefetch"),
    .target(name: "SimulationKernel", dependencies: ["Primitives", "CPrefetch"]),
    .target(name: "ControlPlane", dependencies: ["Primitives"]),
    .target(name: "Policies", dependencies: ["ControlPlane"]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CGSL", pkgConfig: "gsl", providers: [.apt(["libgsl-dev"])]),
    .target(name: "Workload", dependencies: ["SimulationKernel", "CZlib"]),
    .target(
      name: "Platform",
      dependencies: [
        "SimulationKernel", "ControlPlane", "Policies", "Workload",
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(name: "Scenario", dependencies: ["Primitives", "Yams"]),
    .target(
      name: "ResultStore",
      dependencies: [
        "Primitives", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .target(name: "Statistics", dependencies: ["Primitives", "CGSL"]),
    .target(name: "Simulation", dependencies: ["Scenario", "Platform", "ResultStore"]),
    .target(name: "Planning", dependencies: ["Simulation", "Statistics"]),
    .target(name: "Reporting", dependencies: ["ResultStore", "Statistics"]),
    .executableTarget(
      name: "headroom",
      dependencies: [
        "Planning", "Reporting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "SimulationKernelTests", dependencies: ["SimulationKernel"]),
    .testTarget(
      name: "ControlPlaneTests", dependencies: ["ControlPlane", "Policies", "Statistics"],
      resources: [.copy("Vectors")]),
    .testTarget(name: "WorkloadTests", dependencies: ["Workload", "CZlib"]),
    .testTarget(name: "PlatformTests", dependencies: ["Platform"]),
    .testTarget(name: "ScenarioTests", dependencies: ["Scenario"]),
    .testTarget(
      name: "ResultStoreTests",
      dependencies: [
        "ResultStore", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"]),
    .testTarget(
      name: "HeadroomTests", dependencies: ["Planning", "Reporting"],
      exclude: ["Golden"], resources: [.copy("Reference")]),
  ],
  swiftLanguageModes: [.v6]
)
