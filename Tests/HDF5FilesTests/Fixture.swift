import HDF5Files
import Tensors

/// The files that `scripts/make-hdf5-fixtures` wrote.
enum Fixture {
  /// The path of a committed file.
  static func path(_ name: String) -> String {
    let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return tests.joined(separator: "/") + "/Fixtures/hdf5/\(name).h5"
  }

  /// The root group of a committed file.
  static func root(_ name: String) throws(HDF5Error) -> HDF5Group {
    try HDF5File(readingFrom: path(name)).root
  }

  /// The numbers that the generator puts everywhere: 0, −1, 2, −3 …, or without signs.
  static func ramp(_ count: Int, signed: Bool = true) -> [Float] {
    (0..<count).map { signed && $0 % 2 == 1 ? -Float($0) : Float($0) }
  }
}

/// The error that `body` ends with, nil if it ends well.
func failure<Result>(_ body: () throws -> Result) -> HDF5Error? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? HDF5Error
  }
}
