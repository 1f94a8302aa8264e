import HDF5Files
import Tensors

/// An array of numbers in a file: still there, or brought over by a reader.
struct StoredArray {
  /// Where the array lies in the file.
  let path: String
  /// The extents of the array.
  let shape: Shape
  /// What the elements are; nil if they are no numbers.
  let elementType: ElementType?
  private let values: Values

  private enum Values {
    case dataset(HDF5Dataset)
    case tensor(Tensor?)
  }

  /// An array that is read when it is asked for.
  init(_ dataset: HDF5Dataset) {
    path = dataset.path
    shape = dataset.shape
    elementType = dataset.elementType
    values = .dataset(dataset)
  }

  /// An array that a reader described, with its numbers if it was asked for them.
  init(path: String, shape: Shape, elementType: ElementType?, tensor: Tensor?) {
    self.path = path
    self.shape = shape
    self.elementType = elementType
    values = .tensor(tensor)
  }

  /// The numbers.
  ///
  /// - Throws: ``WeightError``.
  func read() throws(WeightError) -> Tensor {
    switch values {
    case .dataset(let dataset): return try readingHDF5 { () throws(HDF5Error) in try dataset.read() }
    case .tensor(let tensor?): return tensor
    case .tensor(nil):
      throw WeightError(.damaged, object: path, detail: "holds no numbers")
    }
  }

  /// Reads the numbers to where they shall lie.
  ///
  /// - Throws: ``WeightError``.
  func read(into bytes: UnsafeMutableRawBufferPointer) throws(WeightError) {
    switch values {
    case .dataset(let dataset): try readingHDF5 { () throws(HDF5Error) in try dataset.read(into: bytes) }
    case .tensor: try read().withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }
}
