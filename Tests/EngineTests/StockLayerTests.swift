import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// An interpreter that has Keras 3, named by `GRAFT_PYTHON`.
private let python = ProcessInfo.processInfo.environment["GRAFT_PYTHON"].flatMap {
  FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
}

/// Every kind of layer, written by Graft and opened by stock Keras.
@Suite struct StockLayerTests {
  /// Samples that have every kind, and all operations between layers.
  private static func samples() throws -> [(golden: LayerGoldenTests.Case, graph: Graph)] {
    var met: Set<String> = []
    var result: [(LayerGoldenTests.Case, Graph)] = []
    for golden in LayerGoldenTests.cases {
      let graph = try KerasJSON.graph(from: golden.config.text)
      let kinds = Set(graph.layerNames.compactMap { name in graph[layer: name].map { type(of: $0).kind } })
      guard golden.name.hasPrefix("operator") || !kinds.isSubset(of: met) else { continue }
      met.formUnion(kinds)
      result.append((golden, graph))
    }
    return result
  }

  /// Has stock Keras open files and compute, all in one process; says of each file what went wrong, or nothing.
  private static let script = """
    import json, sys, numpy, keras
    result = {}
    for file in json.load(open(sys.argv[1])):
        try:
            inputs = [numpy.load(path) for path in file["inputs"]]
            outputs = keras.models.load_model(file["model"])(inputs if len(inputs) > 1 else inputs[0], training=False)
            outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            result[file["model"]] = [numpy.asarray(y, numpy.float64).ravel().tolist() for y in outputs]
        except Exception as error:
            result[file["model"]] = f"{type(error).__name__}: {error}"[:500]
    json.dump(result, open(sys.argv[2], "w"))
    """

  private struct File: Encodable {
    let model: String
    let inputs: [String]
  }

  /// What came of one file: numbers, or why there are none.
  private enum Answer: Decodable {
    case outputs([[Double]])
    case failure(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      do {
        self = .outputs(try container.decode([[Double]].self))
      } catch {
        self = .failure(try container.decode(String.self))
      }
    }
  }

  @Test(.enabled(if: python != nil)) func stockKerasComputesTheSameWithWhatIsWritten() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "graft-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var files: [File] = []
    var expected: [String: (name: String, outputs: [[Float]])] = [:]
    for (number, (golden, graph)) in try Self.samples().enumerated() {
      let weights = Weights.generated(for: graph)
      let inputs = golden.inputs.map {
        Tensor(generatedFor: $0.path, shape: Shape($0.shape), factor: 2, summand: -1)
      }
      let paths = inputs.indices.map { folder.appending(path: "\(number)-\($0).npy").path }
      for (input, path) in zip(inputs, paths) { try input.write(npy: path) }
      let outputs = try await EngineActor.run { () throws(any Error) in
        let bank = try ParameterBank(graph: graph, weights: weights)
        let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 2))
        for (port, input) in zip(plan.inputs, inputs) {
          input.withFloats { _ = port.values.update(fromContentsOf: $0) }
        }
        plan.forward()
        return plan.outputs.map { Array($0.values) }
      }
      for (format, ending) in [(KerasFormat.keras, "keras"), (.wholeModelH5, "h5")] {
        let path = folder.appending(path: "\(number).\(ending)").path
        try KerasFiles.write(graph, weights: weights, to: path, format: format)
        files.append(File(model: path, inputs: paths))
        expected[path] = ("\(golden.name).\(ending)", outputs)
      }
    }
    let answers = try Self.ask(files, in: folder)
    #expect(answers.count == files.count)
    for (path, (name, outputs)) in expected.sorted(by: { $0.value.name < $1.value.name }) {
      guard case .outputs(let theirs) = answers[path] else {
        Issue.record("\(name): \(String(describing: answers[path]))")
        continue
      }
      #expect(theirs.map(\.count) == outputs.map(\.count), "\(name)")
      for (ours, theirs) in zip(outputs, theirs) {
        let largest = theirs.map(abs).max() ?? 0
        let worst = zip(ours, theirs).map { abs(Double($0) - $1) }.max() ?? .infinity
        // Rounding differs between two orders of summation.
        #expect(worst <= 1e-4 * largest, "\(name): \(worst) of \(largest)")
      }
    }
  }

  private static func ask(_ files: [File], in folder: URL) throws -> [String: Answer] {
    let answer = folder.appending(path: "answer.json")
    let list = folder.appending(path: "files.json")
    try JSONEncoder().encode(files).write(to: list)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = ["-c", script, list.path, answer.path]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"]) { $1 }
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try JSONDecoder().decode([String: Answer].self, from: Data(contentsOf: answer))
  }
}
