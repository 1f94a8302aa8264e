import Backbones
import Foundation
import Graphs
import Tensors
import Testing

/// Every network in code against stock Keras: names, order and shapes of all layers, and how many numbers there are.
@Suite struct CatalogueTests {
  struct Row: Decodable, Sendable, CustomTestStringConvertible {
    let family: String
    let shape: [Int]
    let includeTop: Bool
    let layers: Int
    let parameters: Int
    let nonTrainable: Int
    let hash: String

    var testDescription: String { "\(family) at \(shape)\(includeTop ? " with its classifier" : "")" }

    static let all: [Row] = {
      struct File: Decodable { let networks: [Row] }
      let file = Golden.repository.appendingPathComponent("Tests/Goldens/catalogue.json")
      return (try? JSONDecoder().decode(File.self, from: Data(contentsOf: file)).networks) ?? []
    }()
  }

  @Test(arguments: Row.all)
  func aNetworkIsThatOfKeras(row: Row) throws {
    let family = try #require(BackboneFamily.named(row.family))
    let graph = try family.graph(
      size: Size2D(row.shape[0], row.shape[1]), classCount: row.includeTop ? 1000 : nil, channels: row.shape[2])
    #expect(family.name == row.family)
    #expect(graph.parameterCount == row.parameters)
    let statistics = graph.parameters.map(\.parameter).filter { !$0.isTrainable }
    #expect(statistics.reduce(0) { $0 + $1.shape.elementCount } == row.nonTrainable)
    #expect(graph.nodes.count == row.layers)
    let lines = description(of: graph)
    if let folder = ProcessInfo.processInfo.environment["GRAFT_CATALOGUE_LINES"] {
      let name = "\(folder)/\(row.family)-\(row.shape[2])-\(row.includeTop ? "True" : "False").txt"
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: name))
    }
    #expect(hash(lines.joined(separator: "\n")) == row.hash)
    if let counts = family.parameterCounts, row.shape[2] == 3 {
      #expect((row.includeTop ? counts.whole : counts.trunk) == row.parameters)
    }
  }

  @Test func everyFamilyIsInTheTable() {
    #expect(Set(BackboneFamily.all.map(\.name)).isSubset(of: Set(Row.all.map(\.family))))
    #expect(BackboneFamily.all.allSatisfy { $0.parameterCounts != nil })
  }

  /// A line for each layer with its output's shape, then a line for each weight with its own.
  private func description(of graph: Graph) -> [String] {
    graph.nodes.map { "\($0.layer) \(list($0.outputShape))" }
      + graph.parameters.map { "\($0.path) \(list($0.parameter.shape))" }
  }

  private func list(_ shape: Shape) -> String {
    "[\(shape.dimensions.map(String.init).joined(separator: ", "))]"
  }

  /// FNV-1a, 64 bits.
  private func hash(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
