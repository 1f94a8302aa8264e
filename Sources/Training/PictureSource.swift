import Tensors

/// One picture as the network shall see it.
package struct PictureRequest: Hashable, Sendable {
  /// What is done to a picture after it has been brought to the network's size.
  package enum Treatment: Hashable, Sendable {
    /// Nothing.
    case plain
    /// Left and right change sides.
    case mirrored
    /// Whatever the run's augmentation draws for the sample in this epoch.
    case augmented(epoch: Int)
  }

  /// The number of the sample in the data set.
  package var sample: Int
  /// What is done to it.
  package var treatment: Treatment

  /// A picture with what is done to it.
  package init(_ sample: Int, _ treatment: Treatment = .plain) {
    self.sample = sample
    self.treatment = treatment
  }
}

/// Where pictures come from: files that are decoded ahead of their use, or memory.
package protocol PictureSource: Sendable {
  /// The shape of every picture, `[H, W, 3]`.
  var pictureShape: Shape { get }

  /// Begins to bring pictures in the given order.
  ///
  /// Equal requests bring equal bits, whatever stands around them and however many threads decode.
  func pictures(_ requests: [PictureRequest]) -> any PictureSequence
}

/// Pictures on their way, one after the other.
package protocol PictureSequence: AnyObject {
  /// Writes the next picture, RGB from 0 to 255.
  ///
  /// ## Shapes
  /// - output: `[H, W, 3]`
  ///
  /// - Throws: The source's own error, naming the picture that cannot be read.
  func next(into output: UnsafeMutableBufferPointer<Float>) throws
}
