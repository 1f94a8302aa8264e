import ArgumentParser
import Foundation
import Graft

/// `graft apply`: runs a file's network as it is stored on raw numbers.
struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Run a file's network as it is stored on an array of numbers.",
    discussion: """
      Nothing is decoded, resized or scaled: the numbers go in as they are. The first axis of the input counts samples.

      Example:
        graft apply model.h5 --input images.npy --output features.npy --layer top_activation
      """)

  @Argument(help: "A whole-model .h5 or .keras file, or the name of a pretrained network.")
  var model: String

  @Option(help: ArgumentHelp("The numbers that go in, [N, ...].", valueName: "x.npy"))
  var input: String

  @Option(help: ArgumentHelp("Where the numbers that come out go, [N, ...].", valueName: "y.npy"))
  var output: String

  @Option(help: "Write what comes out of this layer instead of the network's output.")
  var layer: String?

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @OptionGroup var trust: TrustOption

  @Option(help: "How many threads compute; 0 leaves it to the system.")
  var threads = 0

  func validate() throws {
    try requireName("<model>", model)
    try requireName("--input", input)
    try requireName("--output", output)
    try requireName("--layer", layer)
    try requireRange("threads", threads, 0...4096)
  }

  func run() async throws {
    let numbers = try Tensor(npy: input)
    let path: String
    let mode: ReadingMode
    switch try PretrainedFolders().resolve(model) {
    case .pretrained(let entry): (path, mode) = (entry.path, .inProcess)
    case .file(let file): (path, mode) = (file, trust.mode)
    }
    let size =
      numbers.shape.rank == 4 && numbers.shape[1] > 0 && numbers.shape[2] > 0
      ? Size2D(numbers.shape[1], numbers.shape[2]) : nil
    var file = try KerasFiles.read(path, inputSize: size, options: loading.options, mode: mode)
    Console.note(file.report)
    let missing = file.report.missing + file.report.mismatched.map(\.path)
    let fresh = Weights.initial(for: file.graph, layers: Array(Set(missing.map(\.layer))), seed: 1)
    for path in missing { file.weights[path] = fresh[path] }
    let graph = try file.graph.answering(layer, file: path)
    guard let port = graph.inputs.first, graph.inputs.count == 1 else {
      throw CommandFailure("\(path): expected a network with one input, found \(graph.inputs.count)")
    }
    let shape = graph.nodes[port].outputShape
    guard numbers.shape.rank == shape.rank + 1, numbers.shape[0] > 0,
      Array(numbers.shape.dimensions.dropFirst()) == shape.dimensions
    else {
      let expected = (["N"] + shape.dimensions.map(String.init)).joined(separator: ", ")
      throw CommandFailure("\(input): expected numbers of [\(expected)] for \(path), found \(numbers.shape)")
    }
    let weights = file.weights
    let threads = threads
    let result = try await EngineActor.run { () throws in
      EngineThreads.choose(threads)
      return try graph.applied(to: numbers, weights: weights)
    }
    try result.write(npy: output)
  }
}

extension Graph {
  /// The part of the network that ends in one layer, or the whole where none is named and it has one output.
  fileprivate func answering(_ layer: String?, file: String) throws -> Graph {
    guard let layer else {
      guard outputs.count == 1 else {
        let names = outputs.map { nodes[$0].layer }.joined(separator: ", ")
        throw CommandFailure("\(file): has \(outputs.count) outputs; choose one with --layer: \(names)")
      }
      return self
    }
    guard let node = nodes.lastIndex(where: { $0.layer == layer }) else {
      let near = layerNames.nearest(to: layer)
      throw CommandFailure(
        "\(file): there is no layer \(layer)"
          + (near.isEmpty ? "" : "; the nearest are \(near.joined(separator: ", "))"))
    }
    return cut(at: [node])
  }

  /// The outputs for all samples of an input.
  @EngineActor fileprivate func applied(to input: Tensor, weights: Weights) throws -> Tensor {
    let count = input.shape[0]
    let parameters = try ParameterBank(graph: self, weights: weights)
    let plan = try Plan(self, parameters: parameters, options: PlanOptions(batchSize: min(4, count)))
    let single = input.converted(to: .f32)
    let (source, target) = (plan.inputs[0], plan.outputs[0])
    let (inputLength, outputLength) = (source.shape.elementCount, target.shape.elementCount)
    var result = Tensor(zeros: target.shape.batched(count))
    single.withFloats { numbers in
      result.withMutableFloats { written in
        for start in stride(from: 0, to: count, by: plan.batchSize) {
          let part = min(plan.batchSize, count - start)
          _ = source.values.update(fromContentsOf: numbers[start * inputLength..<(start + part) * inputLength])
          source.values[(part * inputLength)...].update(repeating: 0)
          plan.forward()
          _ = UnsafeMutableBufferPointer(rebasing: written[(start * outputLength)...]).update(
            fromContentsOf: target.values[..<(part * outputLength)])
        }
      }
    }
    return result
  }
}
