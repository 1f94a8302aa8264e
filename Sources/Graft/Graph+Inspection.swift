import KerasFormats

extension KerasFormat {
  /// Whether files of this kind say what the network is.
  package var holdsNetwork: Bool { self == .wholeModelH5 || self == .keras }
}
