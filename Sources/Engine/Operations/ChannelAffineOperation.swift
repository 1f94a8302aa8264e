import CKernels
import Graphs
import Tensors

/// y = s·x + t with one s and t for each channel, cut to bounds: normalisation by fixed statistics, and rescaling.
@EngineActor final class ChannelAffineOperation: Operation {
  /// Where s and t come from.
  enum Source {
    /// Batch normalisation with frozen statistics.
    case normalization(FrozenNormalization)
    /// Measured mean and variance, as `Normalization` has them: s = 1 / max(√variance, 1e-7), t = −s·mean; the opposite
    /// where it inverts.
    case statistics(mean: ParameterPath, variance: ParameterPath, inverts: Bool)
    /// A factor for each channel that may train, and no shift.
    case factors(ParameterPath)
    /// Numbers of the layer itself, one for each channel.
    case constants(scale: [Float], shift: [Float])
  }

  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let source: Source
  /// Applied last; only what `bounds` knows.
  var activation: ActivationFunction = .linear

  private var vectors: (scale: Buffer, shift: Buffer, zero: Buffer)?

  init(name: String, input: Program.ValueID, source: Source) {
    self.name = name
    inputs = [input]
    self.source = source
  }

  var parameters: [ParameterPath] {
    switch source {
    case .normalization(let normalization): normalization.parameters
    case .statistics(let mean, let variance, _): [mean, variance]
    case .factors(let gamma): [gamma]
    case .constants: []
    }
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.stored(inputs[0])
    let y = emitter.activation(x.shape, x.layout, x.type)
    let view = wide(emitter.view(x), x)
    let size = view.blocks * view.width
    // A second time round the vectors are there.
    let channels = x.shape.rank == 0 ? 1 : x.shape[-1]
    // Wide rows repeat the channels; those that only fill up a block stay zero.
    let (scale, shift, _) =
      vectors
      ?? packVectors(emitter, channels: channels, repeats: x.layout == .channelsLast ? size / channels : 1, size: size)
    let bounds = activation.bounds ?? (-.infinity, .infinity)
    let (source, target, type) = (x.buffer, y.buffer, x.type.kernel)
    emitter.step(name, "channel_affine", touching: [source, target]) {
      graft_channel_affine(
        target.address, source.address, view, scale.floats, shift.floats, bounds.low, bounds.high, type)
    }
    emitter.set(output, y)
  }

  /// Rows of pixels instead of pixels, where channels-last has few channels: the same loop over longer rows.
  private func wide(_ view: graft_view, _ x: Emitter.Activation) -> graft_view {
    guard x.layout == .channelsLast, x.shape.rank == 3, x.shape[2] < 16 else { return view }
    return graft_view(samples: 1, blocks: 1, pixels: view.samples * x.shape[0], width: x.shape[1] * x.shape[2])
  }

  /// Factors and summands for each number of a row of so many pixels, channels last.
  func packRow(_ emitter: Emitter, channels: Int, pixels: Int) -> (scale: Buffer, shift: Buffer) {
    let row = packVectors(emitter, channels: channels, repeats: pixels, size: channels * pixels)
    return (row.scale, row.shift)
  }

  private func packVectors(
    _ emitter: Emitter, channels: Int, repeats: Int, size: Int
  ) -> (scale: Buffer, shift: Buffer, zero: Buffer) {
    let scale = emitter.packed(floatCount: size)
    let shift = emitter.packed(floatCount: size)
    let zero = emitter.packed(floatCount: size)
    vectors = (scale, shift, zero)
    let bank = emitter.parameters
    let source = source
    emitter.pack(parameters) {
      var s = Array(repeating: Float(1), count: channels)
      var t = Array(repeating: Float(0), count: channels)
      switch source {
      case .constants(let scale, let shift): (s, t) = (scale, shift)
      case .factors(let gamma): for (c, value) in bank.values(at: gamma).enumerated() { s[c] = value }
      case .normalization(let normalization):
        s.withUnsafeMutableBufferPointer { values in
          if let base = values.baseAddress { normalization.writeScale(from: bank, to: base) }
        }
        let means = bank.values(at: normalization.mean)
        let betas = normalization.beta.map { bank.values(at: $0) }
        for c in 0..<channels { t[c] = (betas?[c] ?? 0) - s[c] * means[c] }
      case .statistics(let mean, let variance, let inverts):
        let (means, variances) = (bank.values(at: mean), bank.values(at: variance))
        for c in 0..<channels {
          let deviation = max(variances[c].squareRoot(), 1e-7)
          (s[c], t[c]) = inverts ? (deviation, means[c]) : (1 / deviation, -means[c] / deviation)
        }
      }
      for copy in 0..<repeats {
        for c in 0..<channels {
          scale.floats[copy * channels + c] = s[c]
          shift.floats[copy * channels + c] = t[c]
        }
      }
      for c in channels * repeats..<size {
        scale.floats[c] = 0
        shift.floats[c] = 0
      }
      graft_fill(zero.floats, 0, size)
    }
    return (scale, shift, zero)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let vectors else { return }
    let mask = ChannelMask(activation, scale: vectors.scale, shift: vectors.shift)
    let x = emitter.stored(inputs[0])
    if case .normalization(let normalization) = source {
      emitParameterGradients(emitter, normalization, gradient, x, mask)
    }
    if case .factors(let gamma) = source, emitter.trains(gamma) {
      let sums = emitter.channelSums(gradient, centred: x, around: vectors.zero, mask: mask, name: name)
      emitter.writeGradient(of: gamma, fromDoubles: sums.second, name: name)
    }
    guard emitter.needsGradient(inputs[0]) else { return }
    let target = emitter.writable(gradient)
    let view = wide(emitter.view(x), x)
    let (dy, dx, input, scale, zero) = (gradient.buffer, target.buffer, x.buffer, vectors.scale, vectors.zero)
    let type = gradient.type.kernel
    emitter.step(name, "channel_affine", touching: mask == nil ? [dy, dx] : [dy, dx, input]) {
      if let mask {
        return graft_masked_channel_combine(
          dx.address, dy.address, input.address, view, mask.kernel, scale.floats, zero.floats, zero.floats, type)
      }
      graft_channel_affine(dx.address, dy.address, view, scale.floats, zero.floats, -.infinity, .infinity, type)
    }
    try emitter.pass(target, to: inputs[0])
  }

  private func emitParameterGradients(
    _ emitter: Emitter, _ normalization: FrozenNormalization, _ gradient: Emitter.Activation, _ x: Emitter.Activation,
    _ mask: ChannelMask?
  ) {
    guard emitter.trains(normalization.gamma) || emitter.trains(normalization.beta) else { return }
    let sums = emitter.channelSums(
      gradient, centred: x, around: emitter.master(normalization.mean), mask: mask, name: name)
    let (channels, epsilon, run) = (x.shape[-1], normalization.epsilon, emitter.run)
    let target = emitter.gradientBuffer
    let variance = emitter.master(normalization.variance)
    if let place = emitter.gradient(of: normalization.gamma) {
      emitter.step(name, "unfold", touching: [sums.second, target]) {
        let keeps = place.isWritten || run.isAccumulating
        let sum = target.floats + place.offset
        for c in 0..<channels {
          let value = Float(sums.second.doubles[c]) / (variance.floats[c] + epsilon).squareRoot()
          sum[c] = keeps ? sum[c] + value : value
        }
      }
    }
    emitter.writeGradient(of: normalization.beta, fromDoubles: sums.first, name: name)
  }
}
