import CKernels
import Graphs
import Tensors

/// What a row of numbers is divided by, and what is taken off before.
enum RowStatistics {
  /// y = (x − a·μ) / √(factor·Σ(x − b·μ)² + epsilon), where a says `removesMean` and b `isAboutMean`.
  case deviation(removesMean: Bool, isAboutMean: Bool, factor: Float, epsilon: Float)
  /// y = x / √max(Σx², least)
  case length(least: Float)

  /// The same for rows of so many numbers.
  func rows(_ rows: Int, _ columns: Int) -> graft_rows {
    switch self {
    case .deviation(let removesMean, let isAboutMean, let factor, let epsilon):
      graft_rows(
        rows: rows, columns: columns, removes_mean: removesMean, about_mean: isAboutMean, factor: factor,
        epsilon: epsilon, least: 0)
    case .length(let least):
      graft_rows(
        rows: rows, columns: columns, removes_mean: false, about_mean: false, factor: 1, epsilon: 0, least: least)
    }
  }
}

/// Brings every row of so many numbers to a common scale: y = γ·(x − a·μ)/s + β, with statistics of the row.
@EngineActor final class RowNormalizationOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// How many of the last numbers of a sample make a row.
  let columnCount: Int
  let statistics: RowStatistics
  let gamma: ParameterPath?
  let beta: ParameterPath?

  /// The mean of each row and what it was multiplied with, for the way back.
  private var moments: (mean: Buffer, inverse: Buffer)?

  init(
    name: String, input: Program.ValueID, columnCount: Int, statistics: RowStatistics, gamma: ParameterPath?,
    beta: ParameterPath?
  ) {
    self.name = name
    inputs = [input]
    self.columnCount = columnCount
    self.statistics = statistics
    self.gamma = gamma
    self.beta = beta
  }

  var parameters: [ParameterPath] { [gamma, beta].compactMap(\.self) }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(x.shape, .channelsLast)
    let rows = rows(of: x, emitter)
    let mean = emitter.buffer(floatCount: rows.rows)
    let inverse = emitter.buffer(floatCount: rows.rows)
    let (scale, shift) = (gamma.map(emitter.master), beta.map(emitter.master))
    let (source, target) = (x.buffer, y.buffer)
    emitter.step(name, "normalize_rows", touching: [source, target, mean, inverse]) {
      graft_normalize_rows(
        target.floats, source.floats, scale?.floats, shift?.floats, mean.floats, inverse.floats, rows)
    }
    emitter.set(output, y)
    moments = (mean, inverse)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let moments else { return }
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let rows = rows(of: x, emitter)
    let (dy, source, mean, inverse) = (gradient.buffer, x.buffer, moments.mean, moments.inverse)
    if emitter.trains(gamma) || emitter.trains(beta) {
      let (first, second) = (emitter.buffer(floatCount: columnCount), emitter.buffer(floatCount: columnCount))
      let scratch = emitter.buffer(floatCount: graft_row_parameters_scratch(rows))
      emitter.step(
        name, "row_parameters", touching: [dy, source, mean, inverse, first, second, scratch]
      ) {
        graft_row_parameters_gradient(
          second.floats, first.floats, dy.floats, source.floats, mean.floats, inverse.floats, rows, scratch.floats)
      }
      emitter.writeGradient(of: gamma, from: second, name: name)
      emitter.writeGradient(of: beta, from: first, name: name)
    }
    guard emitter.needsGradient(inputs[0]) else { return }
    let target = emitter.writable(gradient)
    let (dx, scale) = (target.buffer, gamma.map(emitter.master))
    emitter.step(name, "normalize_rows_gradient", touching: [dy, dx, source, mean, inverse]) {
      graft_normalize_rows_gradient(
        dx.floats, dy.floats, source.floats, scale?.floats, mean.floats, inverse.floats, rows)
    }
    try emitter.pass(target, to: inputs[0])
  }

  private func rows(of x: Emitter.Activation, _ emitter: Emitter) -> graft_rows {
    statistics.rows(emitter.count(x) / max(1, columnCount), columnCount)
  }
}
