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
  /// The extents of what it makes for the whole batch, channels before rows and columns; empty where there is no such thing.
  public let dimensions: [Int]
  /// oneDNN's names of the layouts of what it reads and makes.
  public let layout: String
  /// The bytes of everything that it reads and writes.
  public let byteCount: Int
  /// What its primitive alone takes, where `primitiveLimitMilliseconds` has measured it.
  public let limitMilliseconds: Double?
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
    let count = lanes.first.steps.count
    let steps = lanes.first.steps + lanes.first.jointSteps
    var times = Array(repeating: [Double](), count: steps.count)
    for _ in 0..<max(1, repeats) {
      for index in steps.indices {
        let start = DispatchTime.now().uptimeNanoseconds
        if index < count { lanes.run(index..<index + 1) } else { steps[index].run() }
        times[index].append(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-6)
      }
    }
    return steps.enumerated().map { index, step in
      StepProfile(
        name: step.name, implementation: step.implementation, isBackward: index >= forwardCount,
        milliseconds: times[index].sorted()[times[index].count / 2],
        operationCount: step.operationCount * lanes.lanes.count,
        dimensions: dimensions(of: step), layout: step.facts.layout,
        byteCount: step.facts.byteCount * lanes.lanes.count,
        limitMilliseconds: limitMilliseconds(of: step.facts.workloads))
    }
  }

  /// What convolutions and matrix products take alone for a whole batch; nil where there are none or they were not measured.
  private func limitMilliseconds(of workloads: [Workload]) -> Double? {
    let known = workloads.compactMap { limits[$0] }
    return known.isEmpty || known.count < workloads.count ? nil : known.reduce(0, +) * Double(batchSize)
  }

  /// The extents of what the steps of all lanes make; the gradient of a kernel is one for all.
  private func dimensions(of step: Step) -> [Int] {
    var dimensions = step.facts.dimensions
    if let first = dimensions.first, step.facts.workloads.first?.kind != .parameterGradient {
      dimensions[0] = first * lanes.lanes.count
    }
    return dimensions
  }
}
