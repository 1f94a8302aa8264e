import CDNNL
import Foundation

/// How long one step of a plan takes.
public struct StepProfile: Sendable {
  /// The layer that it works for.
  public let name: String
  /// What does the work, such as `jit:avx2`.
  public let implementation: String
  /// Whether it belongs to the backward pass.
  public let isBackward: Bool
  /// The median over the timed runs.
  public let milliseconds: Double
  /// Multiplications and additions, where the step is a convolution or a matrix product.
  public let operationCount: Int
}

extension Plan {
  /// Multiplications and additions of all convolutions and matrix products, forward and backward.
  public var operationCount: Int { lanes.lanes.reduce(0) { $0 + $1.operationCount } }

  /// Runs the plan some times and measures every step, all lanes at the same one.
  ///
  /// - Parameter repeats: the number of timed runs after one that is not.
  public func profile(repeats: Int = 5) -> [StepProfile] {
    forward()
    backward()
    let steps = lanes.first.steps
    var times = Array(repeating: [Double](), count: steps.count)
    for _ in 0..<max(1, repeats) {
      for index in steps.indices {
        let start = DispatchTime.now().uptimeNanoseconds
        lanes.run(index..<index + 1)
        times[index].append(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-6)
      }
    }
    return steps.enumerated().map { index, step in
      StepProfile(
        name: step.name, implementation: step.implementation, isBackward: index >= forwardCount,
        milliseconds: times[index].sorted()[times[index].count / 2],
        operationCount: step.operationCount * lanes.lanes.count)
    }
  }
}
