import Foundation

/// The file `manifest.json` of a folder `pretrained/`: which weight files lie there.
public struct PretrainedManifest: Hashable, Sendable, Codable {
  /// The only version so far.
  public static let version = 1

  /// The version of the manifest's form.
  public var version: Int
  /// The weight files.
  public var models: [PretrainedModel]
  /// Weight files that others publish, to be recognised where a user has fetched them.
  public var official: [OfficialWeights]?

  /// A manifest of the given files.
  public init(models: [PretrainedModel], official: [OfficialWeights]? = nil) {
    version = Self.version
    self.models = models
    self.official = official
  }

  /// Reads the manifest of a folder; nil where it has none.
  ///
  /// - Throws: `BackboneError.Code.unreadableManifest` naming the file and the key.
  public init?(folder: String) throws(BackboneError) {
    let path = folder.hasSuffix("/") ? "\(folder)manifest.json" : "\(folder)/manifest.json"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw BackboneError(.unreadableManifest, subject: path, detail: "cannot be read")
    }
    do {
      self = try JSONDecoder().decode(PretrainedManifest.self, from: data)
    } catch let error as BackboneError {
      throw BackboneError(.unreadableManifest, subject: path, detail: error.description)
    } catch let error as DecodingError {
      throw BackboneError(.unreadableManifest, subject: path, detail: error.clause)
    } catch {
      throw BackboneError(.unreadableManifest, subject: path, detail: "is no manifest")
    }
    guard version == Self.version else {
      throw BackboneError(
        .unreadableManifest, subject: path, detail: "expected version \(Self.version), found \(version)")
    }
  }
}

extension DecodingError {
  /// Where in the file and what is wrong, in one clause.
  fileprivate var clause: String {
    func place(_ context: Context, _ key: (any CodingKey)? = nil) -> String {
      let keys = context.codingPath + [key].compactMap { $0 }
      let names = keys.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return names.isEmpty ? "the whole" : names.joined(separator: ".")
    }
    func name(of type: Any.Type) -> String {
      switch type {
      case is String.Type: "text"
      case is Int.Type: "whole number"
      case is Bool.Type: "true or false"
      case is [Any].Type: "list"
      default: "object"
      }
    }
    return switch self {
    case .keyNotFound(let key, let context): "\(place(context, key)) is missing"
    case .valueNotFound(_, let context): "\(place(context)) has no value"
    case .typeMismatch(let type, let context): "\(place(context)) is no \(name(of: type))"
    case .dataCorrupted(let context) where context.codingPath.isEmpty: "is no JSON"
    case .dataCorrupted(let context): "\(place(context)): \(context.debugDescription)"
    @unknown default: "is no manifest"
    }
  }
}
