import Engine
import Freezing
import Graphs

/// Measures the gradients of stages, for choices that depend on them.
///
/// What is summed over steps belongs to whoever asks, so that a checkpoint can keep it; nothing is allocated for a step.
@EngineActor
package struct StageGradients {
  /// The parameters of a stage that have gradients.
  private struct Members {
    let stage: String
    var gradients: [UnsafeMutableBufferPointer<Float>] = []
    var weights: [UnsafeMutableBufferPointer<Float>] = []
  }

  private let members: [Members]

  /// Measures those stages that have anything in training, from input to output.
  package init(_ stages: [Stage], gradients: GradientBuffer, parameters: ParameterBank) {
    var byLayer: [String: Int] = [:]
    var members: [Members] = []
    for stage in stages {
      for layer in stage.layers { byLayer[layer] = members.count }
      members.append(Members(stage: stage.name))
    }
    for (path, range) in gradients.ranges {
      guard let index = byLayer[path.layer] else { continue }
      members[index].gradients.append(UnsafeMutableBufferPointer(rebasing: gradients.values[range]))
      members[index].weights.append(parameters.values(at: path))
    }
    self.members = members.filter { !$0.gradients.isEmpty }
  }

  /// The norms of the present gradients and weights.
  package var norms: [StageNorms] {
    members.map { stage in
      StageNorms(stage: stage.stage, gradient: Self.norm(stage.gradients), weights: Self.norm(stage.weights))
    }
  }

  /// The names of the stages that are measured, from input to output.
  package var stages: [String] { members.map(\.stage) }

  /// Sums over no steps yet.
  package var zeros: [Double] { Array(repeating: 0, count: members.count) }

  /// Adds the norms of the gradients of a step, before they are clipped.
  package func add(to sums: inout [Double]) {
    for index in members.indices { sums[index] += Self.norm(members[index].gradients) }
  }

  private static func norm(_ parts: [UnsafeMutableBufferPointer<Float>]) -> Double {
    var sum = 0.0
    for part in parts {
      let norm = ParameterArithmetic.norm(part)
      sum += norm * norm
    }
    return sum.squareRoot()
  }
}
