import Engine
import Freezing
import Graphs

/// Measures the gradients of stages, for choices that depend on them.
///
/// Nothing is allocated when a step is noted.
@EngineActor
package struct StageGradients {
  /// The parameters of a stage that have gradients.
  private struct Members {
    let stage: String
    var gradients: [UnsafeMutableBufferPointer<Float>] = []
    var weights: [UnsafeMutableBufferPointer<Float>] = []
  }

  private let members: [Members]
  private var sums: [Double]
  private var noteCount = 0

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
    sums = Array(repeating: 0, count: self.members.count)
  }

  /// The norms of the present gradients and weights.
  package var norms: [StageNorms] {
    members.map { stage in
      StageNorms(stage: stage.stage, gradient: Self.norm(stage.gradients), weights: Self.norm(stage.weights))
    }
  }

  /// Takes note of the gradients of a step, before they are clipped.
  package mutating func note() {
    for index in members.indices { sums[index] += Self.norm(members[index].gradients) }
    noteCount += 1
  }

  /// The mean norms of the gradients noted since this was last asked for.
  package mutating func takeMeans() -> [(stage: String, gradient: Double)] {
    let result = zip(members, sums).map { (stage: $0.stage, gradient: $1 / Double(max(noteCount, 1))) }
    for index in sums.indices { sums[index] = 0 }
    noteCount = 0
    return result
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
