import Engine
import Graphs
import HDF5Files
import Tensors

/// What a run needs to go on from the end of a phase: the weights, and what the optimizer remembers.
///
/// In the file, `weights/LAYER/VARIABLE` are the parameters; `optimizer/LAYER/VARIABLE` has some of `velocity`,
/// `first_moment`, `second_moment`, `mean_square`, `increment` and `sign_moment`, and an attribute `steps`; the root's attributes count phases, epochs, steps and
/// passes.
package struct Checkpoint: Hashable, Sendable {
  /// What the optimizer remembers of one parameter.
  package struct Moments: Hashable, Sendable {
    /// How many steps the first and second moment have taken.
    package var stepCount = 0
    /// SGD's velocity.
    package var velocity: Tensor?
    /// The mean of gradients of Adam and LAMB.
    package var firstMoment: Tensor?
    /// The mean of squared gradients of Adam and LAMB.
    package var secondMoment: Tensor?
    /// RMSprop's mean of squared gradients.
    package var meanSquare: Tensor?
    /// What RMSprop with momentum subtracted last.
    package var increment: Tensor?
    /// Lion's mean of gradients.
    package var signMoment: Tensor?
  }

  /// How many phases are done.
  package var phaseCount: Int
  /// Epochs of all phases so far.
  package var epochCount: Int
  /// Optimizer steps so far.
  package var stepCount: Int
  /// Forward passes so far, which number the dropout masks.
  package var passCount: Int
  /// The lowest validation loss so far.
  package var bestLoss: Double
  /// The parameters.
  package var weights: Weights
  /// The optimizer's memory, by parameter.
  package var moments: [ParameterPath: Moments]
}

extension Checkpoint {
  /// A copy of where a run stands.
  @EngineActor package init(_ state: Trainer.State) {
    phaseCount = state.phaseCount
    epochCount = state.epochCount
    stepCount = state.stepCount
    passCount = Int(state.passCount)
    bestLoss = state.bestLoss
    weights = state.parameters.snapshot()
    moments = state.optimizer.moments
  }

  /// Writes the checkpoint, whole or not at all.
  package func write(to path: String) throws {
    try HDF5File.write(to: path) { root in
      let attributes = root.attributes
      try attributes.set(.string("graft checkpoint"), named: "format")
      try attributes.set(.integer(1), named: "version")
      try attributes.set(.integer(phaseCount), named: "phases")
      try attributes.set(.integer(epochCount), named: "epochs")
      try attributes.set(.integer(stepCount), named: "steps")
      try attributes.set(.integer(passCount), named: "passes")
      try attributes.set(.number(bestLoss), named: "best_validation_loss")
      for (path, tensor) in weights.tensors.sorted(by: { $0.key < $1.key }) {
        try root.write(tensor, named: "weights/\(path)")
      }
      for (path, kept) in moments.sorted(by: { $0.key < $1.key }) {
        let group = try root.createGroup("optimizer/\(path)")
        try group.attributes.set(.integer(kept.stepCount), named: "steps")
        for (name, keyPath) in momentNames {
          if let tensor = kept[keyPath: keyPath] { try group.write(tensor, named: name) }
        }
      }
    }
  }

  /// Reads the checkpoint of a network.
  ///
  /// - Throws: `HDF5Error`, and ``TrainingError`` with code `unfitCheckpoint` where the file is no checkpoint, or that of
  ///   another network.
  package init(readingFrom path: String, graph: Graph) throws {
    let root = try HDF5File(readingFrom: path).root
    func unfit(_ detail: String) -> TrainingError { TrainingError(.unfitCheckpoint, subject: path, detail: detail) }
    let attributes = root.attributes
    guard try attributes["format"]?.string == "graft checkpoint" else {
      throw unfit("expected a checkpoint, found another HDF5 file")
    }
    func count(_ name: String) throws -> Int {
      guard let value = try attributes[name]?.integer, value >= 0 else { throw unfit("has no count of \(name)") }
      return value
    }
    guard try count("version") == 1 else { throw unfit("was written by a newer version") }
    phaseCount = try count("phases")
    epochCount = try count("epochs")
    stepCount = try count("steps")
    passCount = try count("passes")
    bestLoss = try attributes["best_validation_loss"]?.number ?? .infinity
    weights = Weights()
    moments = [:]
    for (parameterPath, parameter) in graph.parameters {
      let tensor = try root.dataset("weights/\(parameterPath)").read()
      guard tensor.shape == parameter.shape, tensor.elementType == .f32 else {
        throw unfit("expected \(parameterPath) as f32\(parameter.shape), found \(tensor)")
      }
      weights[parameterPath] = tensor
      guard try root.kind(of: "optimizer/\(parameterPath)") == .group else { continue }
      let group = try root.group("optimizer/\(parameterPath)")
      var kept = Moments()
      kept.stepCount = try group.attributes["steps"]?.integer ?? 0
      for (name, keyPath) in momentNames where try group.kind(of: name) == .dataset {
        let tensor = try group.dataset(name).read()
        guard tensor.shape == parameter.shape, tensor.elementType == .f32 else {
          throw unfit("expected the \(name) of \(parameterPath) as f32\(parameter.shape), found \(tensor)")
        }
        kept[keyPath: keyPath] = tensor
      }
      moments[parameterPath] = kept
    }
  }
}

private let momentNames: [(String, WritableKeyPath<Checkpoint.Moments, Tensor?> & Sendable)] = [
  ("velocity", \.velocity), ("first_moment", \.firstMoment), ("second_moment", \.secondMoment),
  ("mean_square", \.meanSquare), ("increment", \.increment), ("sign_moment", \.signMoment),
]
