import CHDF5
import Foundation

/// Ways to fall, by which the tests see who is blamed.
enum Fall: String {
  /// Code of this program writes where nothing is.
  case own
  /// libhdf5 does.
  case library
  /// The C library does, because libhdf5 asked for it.
  case servant
  /// This program never comes to an end.
  case spin

  /// Falls.
  func run() -> Attempt.Outcome {
    let nothing = UnsafeMutableRawPointer(bitPattern: 8)
    switch self {
    case .own: nothing?.storeBytes(of: 1, as: Int.self)
    case .library:
      var size: hsize_t = 4
      let space = H5Screate_simple(1, &size, nil)
      H5Sget_simple_extent_dims(space, nothing?.assumingMemoryBound(to: hsize_t.self), nil)
    case .servant:
      let type = H5Tcreate(H5T_OPAQUE, 4)
      H5Tset_tag(type, nothing?.assumingMemoryBound(to: CChar.self))
    case .spin:
      var now = timespec()
      while clock_gettime(CLOCK_MONOTONIC, &now) == 0 {}
    }
    return .read
  }
}
