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

  /// Brings pictures one list after the other, each list as one tensor.
  ///
  /// Equal requests bring equal bits, whatever stands around them and however many threads decode.
  ///
  /// ## Shapes
  /// - a list of n requests: `[n, H, W, 3]`, RGB from 0 to 255, as `f32` or `u8`
  func pictures(_ lists: [[PictureRequest]]) -> AsyncThrowingStream<Tensor, any Error>
}
