import Engine
import Freezing
import Graphs
import Tensors

/// The mean of weights over the steps of a phase, which is evaluated and kept in place of the weights that train.
@EngineActor
package final class AveragedWeights {
  /// How many steps the means have taken.
  package private(set) var stepCount: Int

  private let average: Schedule.Average
  private let parameters: ParameterBank
  private let paths: [ParameterPath]
  private let live: [UnsafeMutableBufferPointer<Float>]
  private let means: [FloatBuffer]

  /// Means that begin at the present weights.
  ///
  /// - Parameter paths: What trains, and the statistics that follow it.
  package init(_ average: Schedule.Average, of paths: some Sequence<ParameterPath>, parameters: ParameterBank) {
    self.average = average
    self.parameters = parameters
    self.paths = paths.sorted()
    live = self.paths.map(parameters.values)
    means = live.map { values in
      let mean = FloatBuffer(count: values.count)
      _ = mean.values.update(fromContentsOf: values)
      return mean
    }
    stepCount = 0
  }

  /// Takes in the weights after a step.
  package func note() {
    stepCount += 1
    let share = Float(1 - average.decay(atStep: stepCount))
    for (weights, mean) in zip(live, means) { ParameterArithmetic.average(mean.values, with: weights, share: share) }
  }

  /// Puts the means where the weights are and the weights where the means were: once to evaluate, once more to go on.
  package func exchange() {
    for (weights, mean) in zip(live, means) {
      for index in weights.indices { swap(&weights[index], &mean.values[index]) }
    }
    parameters.changed(paths)
  }

  /// A copy of the means, for a checkpoint.
  package var weights: Weights {
    var result = Weights()
    for (path, mean) in zip(paths, means) {
      guard let shape = parameters.shape(of: path) else { continue }
      result[path] = Tensor(shape: shape, elementType: .f32) {
        $0.copyMemory(from: UnsafeRawBufferPointer(mean.values))
      }
    }
    return result
  }

  /// Goes on from the means of a checkpoint; what it does not have stays.
  package func restore(_ weights: Weights, stepCount: Int) {
    self.stepCount = stepCount
    for (path, mean) in zip(paths, means) {
      weights[path]?.withFloats { _ = mean.values.update(fromContentsOf: $0) }
    }
  }
}
