import CDNNL
import CKernels
import Graphs
import Tensors

/// How a batch of activations lies in memory.
///
/// Every layout is a case of `[samples][blocks][pixels][width]`, where the channels are cut into blocks of `width`:
/// channels-last is one block of all channels, channels-first has blocks of one.
enum ActivationLayout: Hashable {
  /// `[N, H, W, C]` for images, and the only layout of everything else.
  case channelsLast
  /// `[N, C, H, W]`.
  case channelsFirst
  /// `[N, C/b, H, W, b]`, the last block filled up with zeros.
  case blocked(Int)

  static let all: [ActivationLayout] = [.channelsLast, .blocked(8), .blocked(16), .channelsFirst]

  /// How many numbers one block of channels has.
  func blockWidth(channels: Int) -> Int {
    switch self {
    case .channelsLast: channels
    case .channelsFirst: 1
    case .blocked(let width): width
    }
  }

  /// How many channels take memory.
  func paddedChannels(_ channels: Int) -> Int {
    let width = max(1, blockWidth(channels: channels))
    return (channels + width - 1) / width * width
  }

  /// The array as the kernels see it; anything that is no image is a row of pixels of channels.
  func view(of shape: Shape, batch: Int) -> graft_view {
    let channels = shape.rank == 0 ? 1 : shape[-1]
    let pixels = shape.dimensions.dropLast().reduce(1, *)
    let width = max(1, blockWidth(channels: channels))
    return graft_view(
      samples: batch, blocks: paddedChannels(channels) / width, pixels: pixels, width: width)
  }

  /// How many numbers the array has, padding included.
  func elementCount(of shape: Shape, batch: Int) -> Int {
    let view = view(of: shape, batch: batch)
    return view.samples * view.blocks * view.pixels * view.width
  }

  /// The array as oneDNN sees it: `[N, C, H, W]` for images, `[N·…, C]` for everything else.
  func descriptor(
    of shape: Shape, batch: Int, type: NumberType = .f32
  ) throws(EngineError) -> MemoryDescriptor {
    guard shape.rank == 3 else {
      let channels = shape.rank == 0 ? 1 : shape[-1]
      let rows = shape.dimensions.dropLast().reduce(batch, *)
      return try MemoryDescriptor(dense: [rows, channels], type)
    }
    let dimensions = [batch, shape[2], shape[0], shape[1]]
    return switch self {
    case .channelsLast: try MemoryDescriptor(dimensions, dnnl_nhwc, type)
    case .channelsFirst: try MemoryDescriptor(dimensions, dnnl_nchw, type)
    case .blocked(8): try MemoryDescriptor(dimensions, dnnl_nChw8c, type)
    case .blocked: try MemoryDescriptor(dimensions, dnnl_nChw16c, type)
    }
  }

  /// The layout that a primitive chose, or nil where it is none that the kernels know.
  static func matching(
    _ descriptor: MemoryDescriptor, shape: Shape, batch: Int, type: NumberType, preferring first: ActivationLayout
  ) throws(EngineError) -> ActivationLayout? {
    // Where an axis has extent 1 several layouts are the same array; the one that is there already costs nothing.
    for layout in [first] + all
    where try layout.descriptor(of: shape, batch: batch, type: type) == descriptor { return layout }
    return nil
  }
}
