import Foundation

/// A weight file that keras.applications publishes, as a manifest lists it.
public struct OfficialWeights: Hashable, Sendable, Codable {
  /// The name of its family: `resnet50`.
  public var family: String
  /// The name under which it is published.
  public var file: String
  /// Whether it has the classifier for the 1000 classes of ImageNet.
  public var includeTop: Bool
  /// The published MD5 of its bytes, if that is what was published.
  public var md5: String?
  /// The published SHA-256 of its bytes, if that is what was published.
  public var sha256: String?

  /// A published file.
  public init(family: String, file: String, includeTop: Bool, md5: String? = nil, sha256: String? = nil) {
    self.family = family
    self.file = file
    self.includeTop = includeTop
    self.md5 = md5
    self.sha256 = sha256
  }

  /// Whether there is anything to compare a file's bytes with.
  var hasDigest: Bool { md5 != nil || sha256 != nil }

  /// How many bytes its numbers take; nil where nobody has counted them.
  private var byteCount: Int? {
    guard let counts = BackboneFamily.named(family)?.parameterCounts else { return nil }
    return 4 * (includeTop ? counts.whole : counts.trunk)
  }

  /// Whether a file of so many bytes may be this one: the numbers, and something for their names.
  func fits(byteCount size: Int) -> Bool {
    guard let byteCount else { return false }
    return size >= byteCount && size <= byteCount + byteCount / 20 + (4 << 20)
  }
}

/// An official weight file that lies in one of the folders, whatever it is called there.
public struct DownloadedWeights: Hashable, Sendable {
  /// What it is.
  public var official: OfficialWeights
  /// Where it is.
  public var path: String
  /// Whether its bytes are those that were published; false where only its name says what it is.
  public var isVerified: Bool
}

/// The digests of one file, each computed at most once.
struct FileDigests {
  let path: String
  private var found: [Bool: String] = [:]

  init(path: String) { self.path = path }

  /// Whether the file's bytes are those that were published.
  ///
  /// - Throws: `BackboneError.Code.damagedFile` where the file cannot be read.
  mutating func match(_ official: OfficialWeights) throws(BackboneError) -> Bool {
    if let md5 = official.md5 { return try digest(isMD5: true) == md5 }
    if let sha256 = official.sha256 { return try digest(isMD5: false) == sha256 }
    return false
  }

  private mutating func digest(isMD5: Bool) throws(BackboneError) -> String {
    if let known = found[isMD5] { return known }
    let digest = try hexDigest(isMD5 ? .md5 : .sha256, ofFile: path)
    found[isMD5] = digest
    return digest
  }
}
