import CKernels
import Graphs

/// From the gradients of a kernel and bias that a normalisation is folded into to those of the parameters.
extension ConvolutionOperation {
  /// Turns the gradients of the folded kernel and bias into those of the parameters.
  ///
  /// With W' = s·W and b' = s·(b − μ) + β: dW = s·dW', db = s·db', dβ = db', and
  /// dγ = (Σ dW'·W + db'·(b − μ)) / √(σ² + ε).
  func unfold(_ emitter: Emitter, kernelGradient: Buffer?, biasGradient: Buffer) {
    let target = emitter.gradientBuffer
    let (rows, columns, run, scale) = (kernel.rows, kernel.columns, emitter.run, scale)
    if let kernelGradient, let gamma = emitter.gradient(of: normalization?.gamma), let normalization {
      let dots = emitter.buffer(floatCount: columns)
      let (weights, mean, own) = (
        emitter.master(kernel.path), emitter.master(normalization.mean), bias.map(emitter.master)
      )
      let variance = emitter.master(normalization.variance)
      let epsilon = normalization.epsilon
      emitter.step(name, "unfold", touching: [kernelGradient, biasGradient, dots, target]) {
        graft_column_dots(dots.floats, kernelGradient.floats, weights.floats, rows, columns)
        let sum = target.floats + gamma.offset
        let keeps = gamma.isWritten || run.isAccumulating
        for c in 0..<columns {
          let shifted = biasGradient.floats[c] * ((own?.floats[c] ?? 0) - mean.floats[c])
          let value = (dots.floats[c] + shifted) / (variance.floats[c] + epsilon).squareRoot()
          sum[c] = keeps ? sum[c] + value : value
        }
      }
    }
    if let kernelGradient, let place = emitter.gradient(of: kernel.path) {
      emitter.step(name, "unfold", touching: [kernelGradient, target]) {
        graft_scale_columns_into(
          target.floats + place.offset, kernelGradient.floats, scale?.floats, rows, columns,
          place.isWritten || run.isAccumulating)
      }
    }
    unfoldBias(emitter, biasGradient)
  }

  private func unfoldBias(_ emitter: Emitter, _ biasGradient: Buffer) {
    let (target, columns, run) = (emitter.gradientBuffer, kernel.columns, emitter.run)
    for (path, factor) in [(bias, scale), (normalization?.beta, nil)] {
      guard let place = emitter.gradient(of: path) else { continue }
      emitter.step(name, "unfold", touching: [biasGradient, target]) {
        graft_scale_columns_into(
          target.floats + place.offset, biasGradient.floats, factor?.floats, 1, columns,
          place.isWritten || run.isAccumulating)
      }
    }
  }

  /// The same where the gradient of the folded kernel lies in the place of the kernel's own, when all parts of a batch have
  /// been added up: what is linear in it is done once.
  func unfoldAtLast(_ emitter: Emitter, _ biasGradient: Buffer) {
    unfoldBias(emitter, biasGradient)
    guard let normalization, let scale, let range = emitter.gradientRanges[kernel.path] else { return }
    let offset = range.lowerBound
    let target = emitter.gradientBuffer
    let (rows, columns, run) = (kernel.rows, kernel.columns, emitter.run)
    guard let gamma = emitter.gradient(of: normalization.gamma) else {
      return emitter.finish(
        Finish(ranges: [], ownRange: range) { last in
          graft_unfold(target.floats + offset, last.map { $0 + offset }, nil, scale.floats, nil, rows, columns)
        })
    }
    let (weights, mean, own) = (
      emitter.master(kernel.path), emitter.master(normalization.mean), bias.map(emitter.master)
    )
    let variance = emitter.master(normalization.variance)
    let epsilon = normalization.epsilon
    emitter.step(name, "unfold", touching: [biasGradient, target]) {
      let sum = target.floats + gamma.offset
      for c in 0..<columns {
        let shifted = biasGradient.floats[c] * ((own?.floats[c] ?? 0) - mean.floats[c])
        let value = shifted / (variance.floats[c] + epsilon).squareRoot()
        sum[c] = run.isAccumulating ? sum[c] + value : value
      }
    }
    let dots = emitter.buffer(floatCount: columns, isPersistent: true)
    emitter.finish(
      Finish(ranges: [gamma.offset..<gamma.offset + columns], ownRange: range) { last in
        graft_unfold(
          target.floats + offset, last.map { $0 + offset }, weights.floats, scale.floats, dots.floats, rows, columns)
        let sum = target.floats + gamma.offset
        for c in 0..<columns { sum[c] += dots.floats[c] / (variance.floats[c] + epsilon).squareRoot() }
      })
  }
}
