import CDNNL
import CKernels

/// A depthwise kernel as oneDNN's depthwise convolutions keep it: blocks of channels, each a small image of its own.
///
/// Between Keras's table, a row for each pixel of the window, and these blocks lie copies of short rows. oneDNN's own
/// reorder falls back to its reference loop for this pair of layouts, which is slower by three orders of magnitude.
struct DepthwiseBlocks: Equatable {
  private let width: Int
  private let rows: Int
  private let columns: Int
  /// The copies from table to blocks of all whole blocks, and of the last where it is not full.
  private let parts: [RowCopy]

  static func == (left: DepthwiseBlocks, right: DepthwiseBlocks) -> Bool {
    (left.width, left.rows, left.columns) == (right.width, right.rows, right.columns)
  }

  /// Nil where the kernel is not depthwise or the layout is another one.
  init?(
    _ kernel: ConvolutionOperation.Kernel, _ layout: MemoryDescriptor, _ type: NumberType = .f32
  ) throws(EngineError) {
    guard kernel.dimensions.count == 5, kernel.dimensions[1] == 1, kernel.dimensions[2] == 1 else { return nil }
    if try MemoryDescriptor(kernel.dimensions, dnnl_Goihw8g, type) == layout {
      self.init(width: 8, kernel)
    } else if try MemoryDescriptor(kernel.dimensions, dnnl_Goihw16g, type) == layout {
      self.init(width: 16, kernel)
    } else {
      return nil
    }
  }

  /// Nil where the kernel is not depthwise or the activations that it meets are not in blocks.
  init?(_ kernel: ConvolutionOperation.Kernel, width layout: ActivationLayout) {
    guard kernel.dimensions.count == 5, kernel.dimensions[1] == 1, kernel.dimensions[2] == 1,
      case .blocked(let width) = layout
    else { return nil }
    self.init(width: width, kernel)
  }

  private init(width: Int, _ kernel: ConvolutionOperation.Kernel) {
    self.width = width
    (rows, columns) = (kernel.rows, kernel.columns)
    let whole = columns / width
    let full = RowCopy(
      counts: (whole, rows), row: width, source: (0, width, columns), target: (0, rows * width, width))
    let last = RowCopy(
      counts: (1, rows), row: columns % width, source: (whole * width, 0, columns),
      target: (whole * rows * width, 0, width))
    parts = (whole > 0 ? [full] : []) + (last.row > 0 ? [last] : [])
  }

  /// How many numbers the blocks have.
  var elementCount: Int { (columns + width - 1) / width * width * rows }

  /// From the table to blocks; what fills up the last block is zero.
  func pack(_ table: UnsafePointer<Float>, to blocks: UnsafeMutablePointer<Float>) {
    if columns % width != 0 { graft_fill(blocks, 0, (columns + width - 1) / width * width * rows) }
    for part in parts { part.run(from: table, to: blocks) }
  }

  /// From blocks to the table.
  func unpack(_ blocks: UnsafePointer<Float>, to table: UnsafeMutablePointer<Float>) {
    for part in parts { part.reversed.run(from: blocks, to: table) }
  }
}
