import Digests
import Engine
import Foundation

/// Features that earlier runs have computed, in a folder: a file for each frozen network, found by its key.
///
/// A file is whole or not there: it is written beside its place and renamed, and a hash of all its bytes ends it. One that
/// is damaged counts as not there. The files that were used longest ago give way when the folder outgrows its limit.
package struct FeatureLibrary: Hashable, Sendable {
  /// The folder, which is made when something is first kept.
  package let folder: String
  /// The most bytes that all files may take together.
  package let byteLimit: Int

  /// A library in a folder.
  package init(folder: String, byteLimit: Int = 1 << 30) {
    self.folder = folder
    self.byteLimit = byteLimit
  }

  /// The folder for all runs of a user: `graft/features` among the system's caches; nil where there is none.
  package static var usualFolder: String? {
    FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first?
      .appendingPathComponent("graft/features").path
  }

  /// What is kept of a network; nil where that is nothing, or of another form.
  @EngineActor func shelf(of network: NetworkKey, forms: [FeatureStore.Form]) -> FeatureShelf? {
    let path = path(of: network)
    guard let shelf = FeatureShelf(readingFrom: path, forms: forms) else { return nil }
    // The time of the last change tells when it was last of use.
    utimes(path, nil)
    return shelf
  }

  /// Keeps rows of features, in place of what was kept of this network before, and makes room for them.
  ///
  /// Nothing is kept where it would take more than half of all room, or where the folder cannot be written to: a library
  /// that is of no use is no reason to fail.
  @EngineActor func keep(_ rows: [(key: PictureKey, row: Int)], in stores: [FeatureStore], of network: NetworkKey) {
    let path = path(of: network)
    removeLeftovers()
    let byteCount = FeatureShelf.byteCount(rowCount: rows.count, forms: stores.map(\.form))
    guard byteCount <= byteLimit / 2, makeRoom(for: byteCount, sparing: path) else { return }
    FeatureShelf.write(rows, in: stores, to: path)
  }

  @EngineActor private func path(of network: NetworkKey) -> String { "\(folder)/\(network.text).features" }

  /// Removes what processes left that were killed while they wrote.
  ///
  /// This process writes nothing now, so that what bears its number is of another that had it before.
  private func removeLeftovers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard let writer = FeatureShelf.writer(ofPart: name) else { continue }
      if writer == getpid() || (kill(writer, 0) != 0 && errno == ESRCH) { unlink("\(folder)/\(name)") }
    }
  }

  /// Removes the files that were used longest ago until there is room; what others are writing takes room too.
  private func makeRoom(for byteCount: Int, sparing path: String) -> Bool {
    let manager = FileManager.default
    do {
      try manager.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      var files: [(path: String, size: Int, date: Date)] = []
      var total = byteCount
      for name in try manager.contentsOfDirectory(atPath: folder) {
        let isPart = FeatureShelf.writer(ofPart: name) != nil
        let file = "\(folder)/\(name)"
        guard isPart || name.hasSuffix(".features"), file != path,
          let facts = try? manager.attributesOfItem(atPath: file)
        else { continue }
        let size = (facts[.size] as? NSNumber)?.intValue ?? 0
        total += size
        if !isPart { files.append((file, size, facts[.modificationDate] as? Date ?? .distantPast)) }
      }
      for file in files.sorted(by: { $0.date < $1.date }) where total > byteLimit {
        try manager.removeItem(atPath: file.path)
        total -= file.size
      }
      return total <= byteLimit
    } catch {
      return false
    }
  }
}

/// The features of many pictures behind one frozen network, mapped from a file.
///
/// The file: eight bytes of magic; the numbers of rows, of stores, and for each store its row length and whether it is
/// rounded, as 64-bit numbers; the key of each row; the rows of each store; SHA-256 of all that.
///
/// Unchecked: the bytes are mapped for reading and never change.
final class FeatureShelf: @unchecked Sendable {
  private let bytes: UnsafeMutableRawBufferPointer
  private let rows: [PictureKey: Int]
  /// Where the rows of each store begin.
  private let starts: [Int]
  private let forms: [FeatureStore.Form]

  private static let magic: [UInt8] = Array("GRAFTFE1".utf8)
  private static let digestByteCount = 32

  /// Maps and checks a file.
  init?(readingFrom path: String, forms: [FeatureStore.Form]) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size >= FeatureShelf.byteCount(rowCount: 0, forms: forms),
      let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { return nil }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: Int(status.st_size))
    self.forms = forms
    let all = UnsafeRawBufferPointer(bytes)
    let count = Int(clamping: all.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    guard count < bytes.count / PictureKey.byteCount,
      all.starts(with: FeatureShelf.header(rowCount: count, forms: forms)),
      FeatureShelf.byteCount(rowCount: count, forms: forms) == bytes.count
    else {
      (rows, starts) = ([:], [])
      return nil
    }
    let end = bytes.count - FeatureShelf.digestByteCount
    var digest = Digest()
    digest.update(UnsafeRawBufferPointer(rebasing: all[..<end]))
    guard all[end...].elementsEqual(digest.bytes) else {
      (rows, starts) = ([:], [])
      return nil
    }
    var place = FeatureShelf.header(rowCount: count, forms: forms).count
    var rows: [PictureKey: Int] = [:]
    rows.reserveCapacity(count)
    for row in 0..<count {
      rows[PictureKey(readingFrom: UnsafeRawBufferPointer(rebasing: all[place..<place + PictureKey.byteCount]))] = row
      place += PictureKey.byteCount
    }
    var starts: [Int] = []
    for form in forms {
      starts.append(place)
      place += count * form.byteCount
    }
    (self.rows, self.starts) = (rows, starts)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }

  /// Whether the features of a picture are here.
  func contains(_ key: PictureKey) -> Bool { rows[key] != nil }

  /// Puts the features of a picture into a row of every store; the picture must be here.
  func copy(_ key: PictureKey, to row: Int, of stores: [FeatureStore]) {
    guard let place = rows[key] else { preconditionFailure("only what is here is copied") }
    for (store, start) in zip(stores, starts) {
      let first = start + place * store.form.byteCount
      store.put(UnsafeRawBufferPointer(rebasing: bytes[first..<first + store.form.byteCount]), row: row)
    }
  }

  /// The bytes of a file with so many rows.
  static func byteCount(rowCount: Int, forms: [FeatureStore.Form]) -> Int {
    header(rowCount: rowCount, forms: forms).count
      + forms.reduce(rowCount * PictureKey.byteCount) { $0 + rowCount * $1.byteCount } + digestByteCount
  }

  private static func header(rowCount: Int, forms: [FeatureStore.Form]) -> [UInt8] {
    let numbers = [rowCount, forms.count] + forms.flatMap { [$0.rowLength, $0.isRounded ? 1 : 0] }
    return magic + numbers.flatMap { number in withUnsafeBytes(of: UInt64(number)) { Array($0) } }
  }

  private static let partSuffix = ".part"

  /// The process that writes a file of this name, which is not whole yet: `KEY.features.PROCESS.part`; nil for others.
  static func writer(ofPart name: String) -> pid_t? {
    guard name.hasSuffix(partSuffix) else { return nil }
    let parts = name.dropLast(partSuffix.count).split(separator: ".")
    guard parts.count > 2, parts[parts.count - 2] == "features", let writer = pid_t(parts[parts.count - 1]), writer > 0
    else { return nil }
    return writer
  }

  /// Writes a file, whole or not at all; what cannot be written is not there.
  static func write(_ rows: [(key: PictureKey, row: Int)], in stores: [FeatureStore], to path: String) {
    let beside = "\(path).\(getpid())\(partSuffix)"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    var digest = Digest()
    var failure: Int32 = 0
    func write(_ bytes: UnsafeRawBufferPointer) {
      digest.update(bytes)
      if failure == 0 { failure = bytes.writeAll(to: descriptor) }
    }
    let keys = header(rowCount: rows.count, forms: stores.map(\.form)) + rows.flatMap(\.key.bytes)
    keys.withUnsafeBytes(write)
    for store in stores { for row in rows { write(store.bytes(ofRow: row.row)) } }
    if failure == 0 { failure = digest.bytes.withUnsafeBytes { $0.writeAll(to: descriptor) } }
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure != 0 || rename(beside, path) != 0 { unlink(beside) }
  }
}
