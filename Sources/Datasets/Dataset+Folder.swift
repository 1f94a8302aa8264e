extension Dataset {
  /// Reads a folder of class folders: every picture below `root/cat`, at any depth, is of the class `cat`.
  ///
  /// Where the folders are named `train` and `val` (or `valid`, `validation`) or `test`, the class folders are inside
  /// of these and the split is theirs. Hidden files are passed over; other files that are no pictures by their names
  /// are counted in ``notes``. Pictures are not opened.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/notFound`` where the folder is missing or a file, and with
  ///   ``DatasetError/Code/layout`` where it is empty, has fewer than two classes, or a class without pictures.
  public static func folder(at path: String) throws(DatasetError) -> Dataset {
    let root = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let status = FileStatus(root) else { throw DatasetError(.notFound, root, "the folder does not exist") }
    guard status.kind == .folder else {
      throw DatasetError(.notFound, root, "expected a folder of class folders, found a file")
    }
    let top = try Listing(folder: root)
    if top.folders.isEmpty {
      let pictureCount = top.files.count { PictureFolder.isPicture(named: $0) }
      let found = top.files.isEmpty ? "an empty folder" : "no folders, and \(pictureCount) pictures outside of any"
      throw DatasetError(.layout, root, "expected a folder for each class with its pictures inside, found \(found)")
    }
    let parts = top.folders.map { SplitPart(found: $0) }
    guard parts.contains(.training), !parts.contains(nil), parts.count > 1 else {
      return try classFolders(root: root, parts: [("", nil)])
    }
    return try classFolders(root: root, parts: zip(top.folders, parts).map { ($0 + "/", $1) })
  }

  /// Reads the class folders in each of some folders.
  private static func classFolders(
    root: String, parts: [(prefix: String, part: SplitPart?)]
  ) throws(DatasetError) -> Dataset {
    var found: [(path: String, byteCount: Int?, name: String, part: SplitPart?)] = []
    var ignored: [String] = []
    var trained: Set<String> = []
    for (prefix, part) in parts {
      let listing = try Listing(folder: root + "/" + prefix)
      ignored += listing.files.map { prefix + $0 }
      for name in listing.folders {
        let folder = try PictureFolder(root: root, prefix: prefix + name)
        ignored += folder.ignored
        if folder.pictures.isEmpty {
          throw DatasetError(
            .layout, "\(root)/\(prefix)\(name)",
            "the class folder has no pictures (\(extensionList)); add some or remove the folder")
        }
        if part == nil || part == .training { trained.insert(name) }
        found += folder.pictures.map { ($0.path, $0.byteCount, name, part) }
      }
    }
    if let stranger = found.first(where: { !trained.contains($0.name) }) {
      throw DatasetError(
        .layout, "\(root)/\(stranger.path)", "class \"\(stranger.name)\" has no folder among the training pictures")
    }
    let task = LabelSet(name: "class", found: trained)
    if task.classes.count < 2 {
      let names = task.classes.map { "\"\($0)\"" }.joined()
      throw DatasetError(
        .layout, root,
        "expected at least two class folders, found \(task.classes.count == 1 ? "one, \(names)" : "none")")
    }
    let labels = task.labels
    let samples = found.map { picture in
      Sample(path: picture.path, labels: [labels[picture.name]], part: picture.part, byteCount: picture.byteCount)
    }
    return Dataset(
      root: root, tasks: [task], samples: samples.sorted { $0.path.precedesInBytes($1.path) },
      notes: ignoredNote(ignored).map { [$0] } ?? [])
  }

  private static var extensionList: String { PictureFolder.extensions.sorted().joined(separator: ", ") }

  private static func ignoredNote(_ paths: [String]) -> String? {
    guard let first = paths.first else { return nil }
    return paths.count == 1
      ? "1 file is no picture by its name and was ignored: \(first)"
      : "\(paths.count) files are no pictures by their names and were ignored, \(first) among them"
  }
}

/// The visible folders and files of one folder, each by the bytes of their names.
private struct Listing {
  var folders: [String] = []
  var files: [String] = []

  init(folder: String) throws(DatasetError) {
    for name in try PictureFolder.entries(of: folder) {
      if FileStatus(folder + "/" + name)?.kind == .folder { folders.append(name) } else { files.append(name) }
    }
  }
}
