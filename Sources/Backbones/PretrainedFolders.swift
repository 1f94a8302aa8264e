import Foundation

/// The folders in which pretrained weights are looked for, and what their manifests describe.
public struct PretrainedFolders: Sendable {
  /// A weight file with what its manifest says about it.
  public struct Entry: Hashable, Sendable {
    /// What the manifest says.
    public var model: PretrainedModel
    /// The folder of the manifest.
    public var folder: String

    /// The path of the weight file.
    public var path: String { "\(folder)/\(model.file)" }
    /// The path of the file with a class name a line, if there is one.
    public var classNamesPath: String? { model.classNamesFile.map { "\(folder)/\($0)" } }
    /// The family in code; nil for one that only the file itself knows.
    public var family: BackboneFamily? { .named(model.family) }
  }

  /// A weight file that was asked for.
  public enum Resolution: Hashable, Sendable {
    /// A file of a manifest.
    case pretrained(Entry)
    /// A file by its path.
    case file(String)
  }

  /// The folders in the order in which they are searched, whether they exist or not.
  public let searched: [String]
  /// What was found; of equal names the first.
  public let entries: [Entry]
  /// Weight files that keras.applications publishes, as the manifests list them.
  public let official: [OfficialWeights]

  /// Reads the manifests of the given folders.
  ///
  /// - Throws: `BackboneError.Code.unreadableManifest`.
  public init(searching folders: [String]) throws(BackboneError) {
    searched = folders
    var entries: [Entry] = []
    var official: [OfficialWeights] = []
    for folder in folders {
      guard let manifest = try PretrainedManifest(folder: folder) else { continue }
      for model in manifest.models where !entries.contains(where: { $0.model.name == model.name }) {
        entries.append(Entry(model: model, folder: folder))
      }
      for file in manifest.official ?? [] where !official.contains(file) { official.append(file) }
    }
    self.entries = entries
    self.official = official
  }

  /// Reads the manifests of the usual folders: that of the environment variable `GRAFT_PRETRAINED`, `pretrained` in the
  /// current folder, `pretrained` beside the program and in the folders above it, and where Keras keeps what it fetches.
  ///
  /// - Throws: `BackboneError.Code.unreadableManifest`.
  public init() throws(BackboneError) {
    try self.init(
      searching: Self.usualFolders(
        environment: ProcessInfo.processInfo.environment, current: FileManager.default.currentDirectoryPath,
        program: Bundle.main.executablePath))
  }

  /// The folders to search, each once.
  package static func usualFolders(environment: [String: String], current: String, program: String?) -> [String] {
    var folders: [String] = []
    func add(_ folder: String) {
      if !folders.contains(folder) { folders.append(folder) }
    }
    if let given = environment["GRAFT_PRETRAINED"], !given.isEmpty { add(given) }
    add(current == "/" ? "/pretrained" : "\(current)/pretrained")
    if let program {
      var url = URL(fileURLWithPath: program).resolvingSymlinksInPath().deletingLastPathComponent()
      while url.path != "/" {
        add("\(url.path)/pretrained")
        url = url.deletingLastPathComponent()
      }
    }
    if let home = environment["KERAS_HOME"] ?? environment["HOME"].map({ "\($0)/.keras" }), !home.isEmpty {
      add("\(home)/models")
    }
    return folders
  }
}

// MARK: - Finding

extension PretrainedFolders {
  /// The weight file of a name: that of a manifest's model, of a family or of one of its aliases, or a path.
  ///
  /// - Throws: `BackboneError.Code.unknownName` with one sentence about where it was looked for and what there is.
  public func resolve(_ name: String) throws(BackboneError) -> Resolution {
    let wanted = BackboneFamily.comparable(name)
    let family = BackboneFamily.named(name)
    let entry =
      entries.first { $0.model.name == name }
      ?? entries.first { BackboneFamily.comparable($0.model.name) == wanted }
      ?? entries.first { $0.family.map { $0.name == family?.name } ?? false }
    if let entry {
      guard FileManager.default.fileExists(atPath: entry.path) else {
        throw BackboneError(
          .unknownName, subject: "backbone \(name)", detail: "its manifest names \(entry.path), which is not there")
      }
      return .pretrained(entry)
    }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
    if let family, !exists || isFolder.boolValue, let download = try download(of: family) {
      return .file(download.path)
    }
    if exists {
      guard !isFolder.boolValue else {
        throw BackboneError(.unknownName, subject: "backbone \(name)", detail: "expected a weight file, found a folder")
      }
      return .file(name)
    }
    guard let family else {
      // Nobody calls a network so: it is a path.
      if name.contains("/") || [".h5", ".hdf5", ".keras", ".json"].contains(where: name.lowercased().hasSuffix) {
        throw BackboneError(.unknownName, subject: name, detail: "does not exist")
      }
      throw BackboneError(
        .unknownName, subject: "backbone \(name)", detail: "is neither a file nor a pretrained model; \(found)")
    }
    let advice = advice(for: family).map { "; \($0)" } ?? ""
    throw BackboneError(
      .unknownName, subject: "backbone \(name)", detail: "is a family without a file here; \(found)\(advice)")
  }

  /// Where was looked, and what is there.
  private var found: String {
    let existing = searched.filter { FileManager.default.fileExists(atPath: $0) }
    let places = (existing.isEmpty ? Array(searched.prefix(2)) : existing).joined(separator: ", ")
    let names = entries.isEmpty ? "no models" : entries.map(\.model.name).joined(separator: ", ")
    return "looked in \(places) and found \(names)"
  }
}
