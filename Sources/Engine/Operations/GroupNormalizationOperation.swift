import CKernels
import Graphs
import Tensors

/// Brings every group of channels of a sample to a common mean and deviation: y = γ·(x − μ)/√(σ² + ε) + β.
///
/// With x̂ = (x − μ)/√(σ² + ε), g = γ·dy and means over the pixels and channels of a group: dβ = Σ dy, dγ = Σ dy·x̂ and
/// dx = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε).
@EngineActor final class GroupNormalizationOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let groupCount: Int
  let epsilon: Float
  let gamma: ParameterPath?
  let beta: ParameterPath?

  /// Mean and inverse deviation for each channel of each sample, for the way back.
  private var moments: (mean: Buffer, inverse: Buffer)?

  init(
    name: String, input: Program.ValueID, groupCount: Int, epsilon: Float, gamma: ParameterPath?, beta: ParameterPath?
  ) {
    self.name = name
    inputs = [input]
    self.groupCount = groupCount
    self.epsilon = epsilon
    self.gamma = gamma
    self.beta = beta
  }

  var parameters: [ParameterPath] { [gamma, beta].compactMap(\.self) }

  /// The channels of every group, and how many numbers it has.
  private struct Groups {
    let samples: Int
    let channels: Int
    /// How many channels take memory.
    let padded: Int
    let width: Int
    let size: Float

    /// Puts the mean over each group in place of the sums over its channels, with zeros behind the last channel.
    func average(_ sums: UnsafeMutablePointer<Float>) {
      for sample in 0..<samples {
        let row = sums + sample * padded
        for start in stride(from: 0, to: channels, by: width) {
          var sum = 0.0
          for c in start..<start + width { sum += Double(row[c]) }
          let mean = Float(sum) / size
          for c in start..<start + width { row[c] = mean }
        }
        for c in channels..<padded { row[c] = 0 }
      }
    }
  }

  private func groups(_ emitter: Emitter, _ x: Emitter.Activation) -> Groups {
    let view = emitter.view(x)
    let channels = x.shape[-1]
    let width = channels / groupCount
    return Groups(
      samples: view.samples, channels: channels, padded: view.blocks * view.width, width: width,
      size: Float(view.pixels * width))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: emitter.stored(inputs[0]).layout)
    let y = emitter.activation(x.shape, x.layout)
    let (view, groups, epsilon) = (emitter.view(x), groups(emitter, x), epsilon)
    let count = groups.samples * groups.padded
    let (mean, inverse) = (emitter.buffer(floatCount: count), emitter.buffer(floatCount: count))
    let (scale, shift) = (emitter.buffer(floatCount: count), emitter.buffer(floatCount: count))
    let (gammas, betas) = (gamma.map(emitter.master), beta.map(emitter.master))
    let (source, target) = (x.buffer, y.buffer)
    emitter.step(name, "group_statistics", touching: [source, target, mean, inverse, scale, shift]) {
      graft_pixel_sum(mean.floats, source.floats, view, false, graft_f32)
      groups.average(mean.floats)
      graft_sample_products(inverse.floats, nil, source.floats, mean.floats, view)
      groups.average(inverse.floats)
      for sample in 0..<groups.samples {
        let row = sample * groups.padded
        for c in 0..<groups.padded {
          guard c < groups.channels else {
            (scale.floats[row + c], shift.floats[row + c]) = (0, 0)
            continue
          }
          let r = 1 / (inverse.floats[row + c] + epsilon).squareRoot()
          inverse.floats[row + c] = r
          scale.floats[row + c] = r * (gammas?.floats[c] ?? 1)
          shift.floats[row + c] = (betas?.floats[c] ?? 0) - mean.floats[row + c] * scale.floats[row + c]
        }
      }
      graft_sample_combine(target.floats, nil, source.floats, view, scale.floats, scale.floats, shift.floats)
    }
    emitter.set(output, y)
    moments = (mean, inverse)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let moments else { return }
    let x = try emitter.activation(inputs[0], in: gradient.layout)
    let (view, groups) = (emitter.view(x), groups(emitter, x))
    let count = groups.samples * groups.padded
    let (first, second) = (emitter.buffer(floatCount: count), emitter.buffer(floatCount: count))
    let (mean, inverse, source, dy) = (moments.mean, moments.inverse, x.buffer, gradient.buffer)
    emitter.step(name, "group_sums", touching: [source, dy, mean, inverse, first, second]) {
      graft_pixel_sum(first.floats, dy.floats, view, false, graft_f32)
      graft_sample_products(second.floats, dy.floats, source.floats, mean.floats, view)
      for sample in 0..<groups.samples {
        let row = sample * groups.padded
        for c in 0..<groups.channels { second.floats[row + c] *= inverse.floats[row + c] }
      }
    }
    for (path, sums) in [(gamma, second), (beta, first)] where emitter.trains(path) {
      let total = emitter.buffer(floatCount: groups.channels)
      emitter.step(name, "group_parameters", touching: [sums, total]) {
        for c in 0..<groups.channels {
          var sum = 0.0
          for sample in 0..<groups.samples { sum += Double(sums.floats[sample * groups.padded + c]) }
          total.floats[c] = Float(sum)
        }
      }
      emitter.writeGradient(of: path, from: total, name: name)
    }
    guard emitter.needsGradient(inputs[0]) else { return }
    let target = emitter.writable(gradient)
    let (dx, gammas) = (target.buffer, gamma.map(emitter.master))
    let factors = emitter.buffer(floatCount: count * 3)
    emitter.step(name, "group_gradient", touching: [source, dy, dx, mean, inverse, first, second, factors]) {
      let (p, q, r) = (factors.floats, factors.floats + count, factors.floats + 2 * count)
      for sample in 0..<groups.samples {
        let row = sample * groups.padded
        for c in 0..<groups.channels {
          let factor = gammas?.floats[c] ?? 1
          first.floats[row + c] *= factor
          second.floats[row + c] *= factor
        }
      }
      groups.average(first.floats)
      groups.average(second.floats)
      for sample in 0..<groups.samples {
        let row = sample * groups.padded
        for c in 0..<groups.padded {
          let i = row + c
          guard c < groups.channels else {
            (p[i], q[i], r[i]) = (0, 0, 0)
            continue
          }
          let s = inverse.floats[i]
          p[i] = s * (gammas?.floats[c] ?? 1)
          q[i] = -s * s * second.floats[i]
          r[i] = -s * first.floats[i] - q[i] * mean.floats[i]
        }
      }
      graft_sample_combine(dx.floats, dy.floats, source.floats, view, p, q, r)
    }
    try emitter.pass(target, to: inputs[0])
  }
}
