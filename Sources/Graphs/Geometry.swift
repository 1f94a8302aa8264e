/// A height and a width in pixels.
public struct Size2D: Hashable, Sendable, CustomStringConvertible {
  /// Along the second axis of `[N, H, W, C]`.
  public var height: Int
  /// Along the third axis of `[N, H, W, C]`.
  public var width: Int

  /// A size of the given height and width.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// A square.
  public init(_ side: Int) { self.init(side, side) }

  /// `3x3`, height first.
  public var description: String { "\(height)x\(width)" }
}

/// Rows and columns at the borders of an image.
public struct Insets2D: Hashable, Sendable {
  /// Rows above.
  public var top: Int
  /// Rows below.
  public var bottom: Int
  /// Columns before.
  public var left: Int
  /// Columns after.
  public var right: Int

  /// Insets named one by one.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  /// The same on every side.
  public init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }
}

/// How a window treats the border of an image.
public enum Padding: String, Hashable, Sendable {
  /// Windows stay inside the image.
  case valid
  /// Zeros are laid around the image so that the output has ⌈H / stride⌉ rows; an odd row goes to the end.
  case same
}

/// A window that slides over an image: what convolution and pooling share.
package struct Window: Hashable, Sendable {
  package var size: Size2D
  package var strides: Size2D
  package var dilation: Size2D = Size2D(1)
  package var padding: Padding

  package init(size: Size2D, strides: Size2D, dilation: Size2D = Size2D(1), padding: Padding) {
    self.size = size
    self.strides = strides
    self.dilation = dilation
    self.padding = padding
  }

  /// Rows and columns of the output; nil where the window does not fit into the image once.
  package func outputSize(for input: Size2D) -> Size2D? {
    func extent(_ input: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> Int {
      switch padding {
      case .same: (input + stride - 1) / stride
      case .valid: (input - ((size - 1) * dilation + 1) + stride) / stride
      }
    }
    let output = Size2D(
      extent(input.height, size.height, strides.height, dilation.height),
      extent(input.width, size.width, strides.width, dilation.width))
    return output.height > 0 && output.width > 0 ? output : nil
  }

  /// The rows and columns that padding adds.
  package func insets(for input: Size2D) -> Insets2D {
    guard padding == .same, let output = outputSize(for: input) else { return Insets2D() }
    func total(_ input: Int, _ output: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> Int {
      max(0, (output - 1) * stride + (size - 1) * dilation + 1 - input)
    }
    let rows = total(input.height, output.height, size.height, strides.height, dilation.height)
    let columns = total(input.width, output.width, size.width, strides.width, dilation.width)
    return Insets2D(top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2)
  }

  /// Why the options cannot be meant, or nil.
  package var defect: String? {
    for (name, value) in [("window", size), ("strides", strides), ("dilation", dilation)]
    where value.height < 1 || value.width < 1 {
      return "\(name) must be at least 1x1, but is \(value)"
    }
    // What stays below this cannot overflow when it is multiplied with an extent.
    for (name, value) in [("window", size), ("strides", strides), ("dilation", dilation)]
    where value.height > 1 << 12 || value.width > 1 << 12 {
      return "\(name) must be at most 4096x4096, but is \(value)"
    }
    return nil
  }
}
