import Foundation

extension PretrainedFolders {
  /// The official weight files of keras.applications that lie in the folders, recognised by their published hashes or,
  /// where none was published, by their names.
  ///
  /// Only files that are as large as an official one are read.
  public func downloads() -> [DownloadedWeights] {
    let described = Set(entries.map { "\($0.folder)/\($0.model.file)" })
    return candidates().filter { !described.contains($0) }.compactMap { path in
      try? download(at: path, among: official)
    }
  }

  /// The best file of a family: without its classifier if there is one, which is smaller.
  ///
  /// - Throws: `BackboneError.Code.damagedFile` where a file has an official name and other bytes than were published.
  func download(of family: BackboneFamily) throws(BackboneError) -> DownloadedWeights? {
    let wanted = official.filter { BackboneFamily.named($0.family)?.name == family.name }
    if wanted.isEmpty { return nil }
    var found: [DownloadedWeights] = []
    for path in candidates() {
      if let download = try download(at: path, among: wanted) { found.append(download) }
    }
    return found.first { !$0.official.includeTop } ?? found.first
  }

  /// The official files that a family can be had as, in one sentence; nil for a family that Keras has not.
  func advice(for family: BackboneFamily) -> String? {
    guard let call = family.kerasCall else { return nil }
    let wanted = official.filter { BackboneFamily.named($0.family)?.name == family.name }
    guard let file = wanted.first(where: { !$0.includeTop })?.file else { return nil }
    let withoutTop = call.replacingOccurrences(of: "()", with: "(include_top=False)")
      .replacingOccurrences(of: "alpha", with: "include_top=False, alpha")
    return "in Python, \(withoutTop) fetches \(file) into the folder .keras/models of your home, where it is found"
  }

  /// The files that may hold weights, in the order of the folders.
  private func candidates() -> [String] {
    searched.flatMap { folder in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.sorted().filter { $0.hasSuffix(".h5") || $0.hasSuffix(".hdf5") || $0.hasSuffix(".keras") }
        .map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
    }
  }

  /// What an official file is, told by its bytes where a hash was published and by its name otherwise.
  private func download(at path: String, among official: [OfficialWeights]) throws(BackboneError) -> DownloadedWeights?
  {
    let name = (path as NSString).lastPathComponent
    guard let size = byteCount(ofFile: path), size > 0 else { return nil }
    var digests = FileDigests(path: path)
    if let named = official.first(where: { $0.file == name }) {
      guard named.hasDigest else { return DownloadedWeights(official: named, path: path, isVerified: false) }
      guard try digests.match(named) else {
        throw BackboneError(
          .damagedFile, subject: path,
          detail:
            "has the name of \(named.family)'s official weights and other bytes than were published; fetch it again")
      }
      return DownloadedWeights(official: named, path: path, isVerified: true)
    }
    for other in official where other.hasDigest && other.fits(byteCount: size) {
      if try digests.match(other) { return DownloadedWeights(official: other, path: path, isVerified: true) }
    }
    return nil
  }
}
