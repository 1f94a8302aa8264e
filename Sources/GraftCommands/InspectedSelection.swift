import Graft

/// What a selection picks in the network of a file.
struct InspectedSelection: Encodable {
  /// A parameter that would train.
  struct Parameter: Encodable {
    let name: String
    let shape: [Int]
    let count: Int
    let layer: String

    private enum CodingKeys: String, CodingKey {
      case name
      case shape
      case count
    }
  }

  /// The selection as it is written.
  let selection: String
  /// The parameters in the order of the network.
  let parameters: [Parameter]
  /// How many numbers they are together.
  let count: Int

  /// Resolves a selection.
  ///
  /// - Throws: `ScheduleError` where it picks nothing.
  init(_ selection: ParameterSelection, in graph: Graph, headLayers: Set<String>) throws(ScheduleError) {
    self.selection = "\(selection)"
    let paths = try selection.resolve(in: graph, headLayers: headLayers)
    parameters = graph.parameters.filter { paths.contains($0.path) }.map { path, parameter in
      Parameter(
        name: path.description, shape: parameter.shape.dimensions, count: parameter.shape.elementCount,
        layer: path.layer)
    }
    count = parameters.reduce(0) { $0 + $1.count }
  }

  /// How much it is, in a few words.
  var summary: String {
    "\(count.grouped) numbers in \(parameters.count) parameter\(parameters.count == 1 ? "" : "s")"
  }

  /// A line for each parameter, and the total.
  var lines: [String] {
    var table = TextTable([("selected", .left), ("shape", .left), ("numbers", .right)])
    for parameter in parameters {
      let shape = "[\(parameter.shape.map(String.init).joined(separator: ", "))]"
      table.add([parameter.name, shape, parameter.count.grouped])
    }
    table.add(["total", "", count.grouped])
    return table.lines
  }
}
