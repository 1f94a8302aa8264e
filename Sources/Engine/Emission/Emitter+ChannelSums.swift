import CKernels
import Graphs
import Tensors

extension Buffer {
  /// The content as double-precision numbers.
  var doubles: UnsafeMutablePointer<Double> { address.assumingMemoryBound(to: Double.self) }
}

/// Where a gradient comes through a function that cuts s·x + t to bounds, told by x alone: nothing that the function has
/// put out is read again.
struct ChannelMask {
  let scale: Buffer
  let shift: Buffer
  let low: Float
  let high: Float

  /// The mask of a function with bounds; nil where everything comes through.
  init?(_ activation: ActivationFunction, scale: Buffer, shift: Buffer) {
    guard activation != .linear, let bounds = activation.bounds else { return nil }
    self.scale = scale
    self.shift = shift
    (low, high) = bounds
  }

  var buffers: [Buffer] { [scale, shift] }

  var kernel: graft_mask { graft_mask(scale: scale.floats, shift: shift.floats, low: low, high: high) }
}

extension Emitter {
  /// Adds a step that makes Σ g and Σ g·(x − centre) for each channel, as double-precision numbers; g and x are of one type.
  ///
  /// - Parameter mask: Where the gradient comes through; everywhere if nil.
  func channelSums(
    _ gradient: Activation, centred x: Activation, around centre: Buffer, mask: ChannelMask? = nil, name: String
  ) -> (first: Buffer, second: Buffer) {
    let view = view(gradient)
    let size = view.blocks * view.width
    let (first, second) = (buffer(floatCount: size * 2), buffer(floatCount: size * 2))
    let scratch = buffer(floatCount: graft_channel_sums_scratch(view))
    // The vector of centres is as long as there are channels; the last block may be longer.
    let padded = buffer(floatCount: size)
    let channels = min(size, centre.byteCount / 4)
    let (a, b, type) = (gradient.buffer, x.buffer, gradient.type.kernel)
    step(
      name, "channel_sums", touching: [a, b, centre, first, second, scratch, padded] + (mask?.buffers ?? [])
    ) {
      for c in 0..<channels { padded.floats[c] = centre.floats[c] }
      for c in channels..<size { padded.floats[c] = 0 }
      if let mask {
        return graft_masked_channel_sums(
          a.address, b.address, view, padded.floats, mask.kernel, first.doubles, second.doubles, scratch.floats, type)
      }
      graft_channel_sums(
        a.address, b.address, view, nil, padded.floats, first.doubles, second.doubles, scratch.floats, type)
    }
    return (first, second)
  }

  /// Adds a step that sums a gradient over samples and pixels.
  func channelSum(of gradient: Activation, into target: Buffer, channels: Int, name: String) {
    let view = view(gradient)
    let sums = buffer(floatCount: view.blocks * view.width * 2)
    let scratch = buffer(floatCount: graft_channel_sums_scratch(view))
    let (source, type) = (gradient.buffer, gradient.type.kernel)
    step(name, "channel_sums", touching: [source, target, sums, scratch]) {
      graft_channel_sums(source.address, nil, view, nil, nil, sums.doubles, nil, scratch.floats, type)
      for c in 0..<channels { target.floats[c] = Float(sums.doubles[c]) }
    }
  }

  /// Adds a step that puts double-precision sums into the gradient of a parameter, where it trains.
  func writeGradient(of path: ParameterPath?, fromDoubles sums: Buffer, name: String) {
    guard let place = gradient(of: path) else { return }
    let (target, run) = (gradientBuffer, run)
    step(name, "unfold", touching: [sums, target]) {
      let keeps = place.isWritten || run.isAccumulating
      let sum = target.floats + place.offset
      for c in 0..<place.count { sum[c] = keeps ? sum[c] + Float(sums.doubles[c]) : Float(sums.doubles[c]) }
    }
  }
}
