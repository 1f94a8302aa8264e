import Foundation

/// The picture files below one folder, found by their extensions, links followed.
struct PictureFolder {
  /// The extensions that mark a picture; what is in the file decides later how it is decoded.
  static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "bmp"]

  /// The paths of the pictures with `prefix` before them, and the size of each file that can be looked at.
  private(set) var pictures: [(path: String, byteCount: Int?)] = []
  /// The paths of visible files that are no pictures by name.
  private(set) var ignored: [String] = []
  private var visited: Set<FileStatus.Identity> = []

  /// Collects the pictures below `root/prefix`, in folders of any depth.
  ///
  /// A folder is entered once, by whatever name comes first, so that links that lead back up end the way.
  init(root: String, prefix: String) throws(DatasetError) {
    try collect(root: root, folder: prefix)
  }

  /// The visible names in a folder, by their bytes.
  static func entries(of folder: String) throws(DatasetError) -> [String] {
    do {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      return names.filter { !$0.hasPrefix(".") }.sorted { $0.precedesInBytes($1) }
    } catch {
      throw DatasetError(.notFound, folder, "the folder cannot be read: \(reason(error))")
    }
  }

  /// Whether a file's name ends like a picture's.
  static func isPicture(named name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return extensions.contains(name[name.index(after: dot)...].lowercased())
  }

  private mutating func collect(root: String, folder: String) throws(DatasetError) {
    let path = root + "/" + folder
    if let status = FileStatus(path), !visited.insert(status.identity).inserted { return }
    for name in try PictureFolder.entries(of: path) {
      let entry = folder + "/" + name
      let status = FileStatus(root + "/" + entry)
      if status?.kind == .folder {
        try collect(root: root, folder: entry)
      } else if PictureFolder.isPicture(named: name) {
        pictures.append((entry, status?.byteCount))
      } else {
        ignored.append(entry)
      }
    }
  }
}

/// Why the file system refused, in its own words.
private func reason(_ error: any Error) -> String {
  let error = error as NSError
  if let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError, underlying.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(underlying.code)))
  }
  return error.localizedDescription
}
