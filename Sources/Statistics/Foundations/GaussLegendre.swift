import CGSL

/// Nodes and weights of Gauss-Legendre quadrature on [-1, 1], in rising order of the nodes.
struct GaussLegendre {
  let nodes: [Double]
  let weights: [Double]

  init(count: Int) throws(StatisticsError) {
    GSL.prepare()
    guard count > 0, let table = gsl_integration_glfixed_table_alloc(count) else {
      throw .outOfRange(name: "count", value: Double(count), allowed: "[1, inf)")
    }
    defer { gsl_integration_glfixed_table_free(table) }
    var points: [(node: Double, weight: Double)] = []
    points.reserveCapacity(count)
    for index in 0..<count {
      var (node, weight) = (0.0, 0.0)
      let status = gsl_integration_glfixed_point(-1, 1, index, &node, &weight, table)
      try GSL.requireSuccess("Gauss-Legendre nodes", status)
      points.append((node, weight))
    }
    points.sort { $0.node < $1.node }
    nodes = points.map(\.node)
    weights = points.map(\.weight)
  }
}
