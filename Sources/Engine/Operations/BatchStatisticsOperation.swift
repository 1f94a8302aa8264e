import CKernels
import Graphs
import Tensors

/// Batch normalisation by the statistics of the batch, which the stored ones follow.
///
/// With x̂ = (x − μ)/√(σ² + ε) and n samples and pixels: dβ = Σ dy, dγ = Σ dy·x̂ and
/// dx = γ/√(σ² + ε) · (dy − dβ/n − x̂·dγ/n).
@EngineActor final class BatchStatisticsOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let normalization: FrozenNormalization
  let momentum: Float
  /// Applied last; only what `bounds` knows.
  var activation: ActivationFunction = .linear

  /// Vectors by channel that the way back needs.
  private var vectors: Vectors?

  private struct Vectors {
    let mean: Buffer
    let inverse: Buffer
    /// Where the gradient comes through the activation; everywhere if nil.
    let mask: ChannelMask?
  }

  init(name: String, input: Program.ValueID, normalization: FrozenNormalization, momentum: Float) {
    self.name = name
    inputs = [input]
    self.normalization = normalization
    self.momentum = momentum
  }

  var parameters: [ParameterPath] { normalization.parameters }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.stored(inputs[0])
    let y = emitter.activation(x.shape, x.layout, x.type)
    let type = x.type.kernel
    let view = emitter.view(x)
    let (size, channels) = (view.blocks * view.width, x.shape[-1])
    let (mean, inverse) = (emitter.buffer(floatCount: size), emitter.buffer(floatCount: size))
    let (scale, shift) = (emitter.buffer(floatCount: size), emitter.buffer(floatCount: size))
    let sums = emitter.buffer(floatCount: size * 4)
    let scratch = emitter.buffer(floatCount: graft_channel_sums_scratch(view))
    let (source, target) = (x.buffer, y.buffer)
    let bounds = activation.bounds ?? (-.infinity, .infinity)
    let (bank, normalization, momentum) = (emitter.parameters, normalization, momentum)
    let isFirst = !emitter.isRecomputing
    emitter.step(
      name, "batch_statistics", touching: [source, target, mean, inverse, scale, shift, sums, scratch]
    ) {
      let count = Double(view.samples * view.pixels)
      let second = sums.doubles + size
      graft_channel_moments(source.address, view, sums.doubles, second, scratch.floats, type)
      let gamma = normalization.gamma.map { bank.values(at: $0) }
      let beta = normalization.beta.map { bank.values(at: $0) }
      let (means, variances) = (bank.values(at: normalization.mean), bank.values(at: normalization.variance))
      for c in 0..<size {
        mean.floats[c] = Float(sums.doubles[c])
        let variance = Float(second[c] / count)
        inverse.floats[c] = 1 / (variance + normalization.epsilon).squareRoot()
        scale.floats[c] = c < channels ? (gamma?[c] ?? 1) * inverse.floats[c] : 0
        shift.floats[c] = c < channels ? (beta?[c] ?? 0) - mean.floats[c] * scale.floats[c] : 0
        guard isFirst, c < channels else { continue }
        means[c] = means[c] * momentum + mean.floats[c] * (1 - momentum)
        variances[c] = variances[c] * momentum + variance * (1 - momentum)
      }
      graft_channel_affine(
        target.address, source.address, view, scale.floats, shift.floats, bounds.low, bounds.high, type)
      if isFirst { bank.changed([normalization.mean, normalization.variance]) }
    }
    emitter.set(output, y)
    vectors = Vectors(
      mean: mean, inverse: inverse, mask: ChannelMask(activation, scale: scale, shift: shift))
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let vectors else { return }
    let x = emitter.stored(inputs[0])
    let mask = vectors.mask
    let sums = emitter.channelSums(gradient, centred: x, around: vectors.mean, mask: mask, name: name)
    let view = emitter.view(x)
    let (size, channels) = (view.blocks * view.width, x.shape[-1])
    let (target, run, inverse, mean) = (emitter.gradientBuffer, emitter.run, vectors.inverse, vectors.mean)
    if let place = emitter.gradient(of: normalization.gamma) {
      emitter.step(name, "unfold", touching: [sums.second, inverse, target]) {
        let keeps = place.isWritten || run.isAccumulating
        let sum = target.floats + place.offset
        for c in 0..<channels {
          let value = Float(sums.second.doubles[c]) * inverse.floats[c]
          sum[c] = keeps ? sum[c] + value : value
        }
      }
    }
    emitter.writeGradient(of: normalization.beta, fromDoubles: sums.first, name: name)
    guard emitter.needsGradient(inputs[0]) else { return }
    let out = emitter.writable(gradient)
    let (dy, dx, source, type) = (gradient.buffer, out.buffer, x.buffer, x.type.kernel)
    let factors = emitter.buffer(floatCount: size * 3)
    let gamma = normalization.gamma.map(emitter.master)
    emitter.step(
      name, "channel_combine",
      touching: [dy, dx, source, factors, sums.first, sums.second, inverse, mean] + (mask?.buffers ?? [])
    ) {
      let count = Float(view.samples * view.pixels)
      let (p, q, r) = (factors.floats, factors.floats + size, factors.floats + 2 * size)
      for c in 0..<size {
        p[c] = c < channels ? (gamma?.floats[c] ?? 1) * inverse.floats[c] : 0
        q[c] = -p[c] * inverse.floats[c] * inverse.floats[c] * Float(sums.second.doubles[c]) / count
        r[c] = -p[c] * Float(sums.first.doubles[c]) / count - q[c] * mean.floats[c]
      }
      if let mask {
        return graft_masked_channel_combine(
          dx.address, dy.address, source.address, view, mask.kernel, p, q, r, type)
      }
      graft_channel_combine(dx.address, dy.address, source.address, view, p, q, r, type)
    }
    try emitter.pass(out, to: inputs[0])
  }
}
