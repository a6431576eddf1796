// swift-tools-version: 6.2
// Benchmarks are a package of their own, so that building Headroom never builds them. Run them with
// scripts/bench. Another one is a target in a folder of its own, added to `benchmarks`, a table of
// budgets in scripts/bench, and its thresholds.

import PackageDescription

/// Folder, and the products that it measures.
let benchmarks: [(name: String, products: [String], references: [String])] = [
  ("KernelBenchmarks", ["HeadroomEngine"], ["BenchmarkSupport", "BinaryHeapReference"]),
  (
    "PlatformBenchmarks", ["HeadroomEngine", "HeadroomSimulation"],
    ["BenchmarkSupport", "AllocationCounter"]
  ),
]

let package = Package(
  name: "headroom-benchmarks",
  dependencies: [
    .package(name: "headroom", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    // What others would use: the C++ library's binary heap, measured in the same run.
    .target(name: "BinaryHeapReference", path: "BinaryHeapReference"),
    .target(name: "AllocationCounter", path: "AllocationCounter"),
    .target(name: "BenchmarkSupport", path: "BenchmarkSupport"),
  ]
    + benchmarks.map { benchmark in
      .executableTarget(
        name: benchmark.name,
        dependencies: [.product(name: "Benchmark", package: "benchmark")]
          + benchmark.products.map { .product(name: $0, package: "headroom") }
          + benchmark.references.map { .target(name: $0) },
        path: benchmark.name,
        plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    },
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
