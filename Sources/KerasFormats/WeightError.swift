import Graphs
import HDF5Files

/// Why a Keras file could not be read, fitted or written.
public struct WeightError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// No file is there.
    case missingFile
    /// The path names a folder or a device.
    case notAFile
    /// The system does not let us read or write here.
    case noPermission
    /// The file is neither an HDF5 file nor a zip archive of Keras.
    case unknownFormat
    /// The file contradicts itself or ends too early.
    case damaged
    /// The file claims more than it can hold, or more than is read here.
    case tooLarge
    /// The file holds weights but no network.
    case noArchitecture
    /// The description of the network does not say what it has to.
    case invalidArchitecture
    /// A layer is of a kind that is not known, or has an option that is not.
    case unsupportedLayer
    /// Weights are missing, left over, or of other shapes.
    case unfitWeights
    /// The network has something that Keras 3 has no words for.
    case inexpressible
    /// The file could not be written.
    case writeFailed
    /// The process that read the file crashed, or took more time or memory than it may.
    case readerStopped
    /// The program that reads files apart from this one is not there or cannot run.
    case readerMissing
  }

  /// The kind of failure.
  public var code: Code
  /// The file, as its user named it; empty where a description was given without a file.
  public var file: String
  /// The layer, member or object inside the file, if one is to blame.
  public var object: String?
  /// What was expected and what was found: a clause that goes on from the name.
  public var detail: String

  /// A failure of the given kind.
  public init(_ code: Code, file: String = "", object: String? = nil, detail: String) {
    self.code = code
    self.file = file
    self.object = object
    self.detail = detail
  }

  /// The same failure, said of a file unless it names one already.
  func inFile(_ name: String) -> WeightError {
    var error = self
    if error.file.isEmpty { error.file = name }
    return error
  }
}

extension WeightError: CustomStringConvertible {
  /// One sentence that names the file, the object and what is wrong.
  public var description: String {
    let subject = [file, object?.clipped ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
    return (subject.isEmpty ? detail : "\(subject) \(detail)").withVisibleControlCharacters
  }
}

extension WeightError {
  /// A failure of the HDF5 reader or writer.
  init(_ error: HDF5Error) {
    let code: Code =
      switch error.code {
      case .missingFile: .missingFile
      case .notAFile: .notAFile
      case .noPermission: .noPermission
      case .notHDF5: .unknownFormat
      case .tooLarge, .notBacked: .tooLarge
      case .writeFailed, .invalidName: .writeFailed
      case .readerStopped: .readerStopped
      case .readerMissing: .readerMissing
      default: .damaged
      }
    self.init(code, file: error.file, object: error.object, detail: error.detail)
  }

  /// A failure to put layers together.
  init(_ error: GraphError) {
    self.init(.invalidArchitecture, object: "layer \(error.subject)", detail: "does not fit: \(error.detail)")
  }
}

extension String {
  /// The text without its middle, where it is longer than a sentence should be.
  fileprivate var clipped: String { utf8.count <= 300 ? self : "\(prefix(160))…\(suffix(80))" }
}

extension String {
  /// The text with control characters, by which a hostile file could confuse a terminal, spelled as escapes; those that
  /// turn the direction of writing are among them.
  package var withVisibleControlCharacters: String {
    func confuses(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
    }
    guard unicodeScalars.contains(where: confuses) else { return self }
    return unicodeScalars.reduce(into: "") { $0 += confuses($1) ? $1.escaped(asASCII: true) : String($1) }
  }
}

/// Runs a body of the HDF5 library and turns its errors into those of this module.
func readingHDF5<Result>(_ body: () throws(HDF5Error) -> Result) throws(WeightError) -> Result {
  do throws(HDF5Error) {
    return try body()
  } catch {
    throw WeightError(error)
  }
}
