import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// Small files of every Keras against what the Keras that wrote them predicts: see scripts/make-keras-fixtures.
@Suite struct KerasFixtureTests {
  static let folder = Goldens.folder.deletingLastPathComponent().appending(path: "Fixtures/keras")

  struct Golden: Decodable {
    let inputs: [[Int]]
    let outputs: [[Double]]
  }

  /// What a Keras of this generation predicted with a file's network.
  private static func golden(of file: String) throws -> Golden {
    let stem = String(file.prefix { $0 != "." })
    let data = try Data(contentsOf: folder.appending(path: "golden-\(stem.suffix(1)).json"))
    let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try JSONDecoder().decode(
      Golden.self, from: JSONSerialization.data(withJSONObject: try #require(all[stem])))
  }

  @Test(arguments: [
    "plain-1.h5", "branches-th-1.h5", "branches-tf-1.h5", "strided-1.h5", "merged-1.h5", "enlarged-th-1.h5",
    "enlarged-tf-1.h5", "plain-2.h5", "residual-2.h5", "shared-2.h5", "operations-2.h5", "operations-3.h5",
    "operations-3.keras",
    "nested-2.h5", "nested-2.keras", "plain-3.h5", "plain-3.keras", "residual-3.h5", "residual-3.keras", "shared-3.h5",
    "shared-3.keras", "nested-3.h5", "nested-3.keras", "first-3.h5", "first-3.keras",
  ])
  func everyFileComputesWhatItsKerasComputed(file: String) async throws {
    let golden = try Self.golden(of: file)
    let image = golden.inputs[0]
    let size = image.count == 4 ? Size2D(image[1], image[2]) : nil
    let model = try KerasFiles.read(Self.folder.appending(path: file).path, inputSize: size)
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: model.graph, weights: model.weights)
      let plan = try Plan(model.graph, parameters: bank, options: PlanOptions(batchSize: 1))
      for (index, input) in plan.inputs.enumerated() {
        Tensor(generatedFor: "input/\(index)", shape: [input.values.count], factor: 2, summand: -1).withFloats {
          _ = input.values.update(fromContentsOf: $0)
        }
      }
      plan.forward()
      #expect(plan.outputs.count == golden.outputs.count)
      for (output, expected) in zip(plan.outputs, golden.outputs) {
        let largest = expected.map(abs).max() ?? 0
        let worst = zip(output.values, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(output.values.count == expected.count)
        // Rounding differs between two orders of summation.
        #expect(worst <= 1e-4 * largest, "\(worst) of \(largest)")
      }
    }
  }
}
