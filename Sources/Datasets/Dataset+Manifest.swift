import Foundation

extension Dataset {
  /// Reads a CSV manifest: a column `path`, a column for each task, and optionally a column `split`.
  ///
  /// Paths are relative to the manifest's folder. An empty cell says that the label is missing; a sample without any
  /// label is left out and counted in ``notes``. The column `split`, where there is one, says `train`, `val` or `test`
  /// in every line. Pictures are not opened, but have to be there.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/notFound`` where the manifest or a picture is missing, and with
  ///   ``DatasetError/Code/manifest`` and the line where it breaks the rules.
  public static func manifest(at path: String) throws(DatasetError) -> Dataset {
    let bytes = try fileBytes(path, limit: 1 << 30, code: .notFound)
    let records = try CSVTable(bytes, name: path).records
    guard let header = records.first else {
      throw DatasetError(.manifest, path, "expected a first line with the columns' names, found an empty file")
    }
    let columns = try ManifestColumns(header, manifest: path)
    let rows = try records.dropFirst().map { record throws(DatasetError) in
      try ManifestRow(record, columns: columns, manifest: path)
    }
    if rows.isEmpty { throw DatasetError(.manifest, path, "expected a line for each picture, found none") }
    try requireDistinctPaths(rows, manifest: path)

    let tasks = try columns.tasks.enumerated().map { position, column throws(DatasetError) in
      let found = Set(rows.compactMap { $0.labels[position] })
      if found.count < 2 {
        let names = found.map { "one, \"\($0)\"" }.first ?? "none"
        throw DatasetError(
          .manifest, path, "expected at least two classes in column \"\(column.name)\", found \(names)")
      }
      return LabelSet(name: column.name, found: found)
    }
    return try assemble(rows, tasks: tasks, manifest: path)
  }

  private static func assemble(
    _ rows: [ManifestRow], tasks: [LabelSet], manifest: String
  ) throws(DatasetError) -> Dataset {
    let root = folder(of: manifest)
    let labels = tasks.map(\.labels)
    var samples: [Sample] = []
    var missing: [ManifestRow] = []
    var unlabelled: [ManifestRow] = []
    for row in rows {
      guard let status = FileStatus(row.path.hasPrefix("/") ? row.path : root + "/" + row.path), status.kind == .file
      else {
        missing.append(row)
        continue
      }
      if row.labels.allSatisfy({ $0 == nil }) {
        unlabelled.append(row)
        continue
      }
      let known = zip(row.labels, labels).map { label, numbers in label.flatMap { numbers[$0] } }
      samples.append(Sample(path: row.path, labels: known, part: row.part, byteCount: status.byteCount))
    }
    if let first = missing.first {
      let others = missing.count == 1 ? "" : " (and \(missing.count - 1) more of \(rows.count) are missing)"
      throw DatasetError(
        .notFound, "\(manifest), line \(first.line)",
        "there is no file \(first.path) in the manifest's folder \(root)\(others)")
    }
    var notes: [String] = []
    if let first = unlabelled.first {
      notes.append(
        unlabelled.count == 1
          ? "1 picture without any label was left out: line \(first.line)"
          : "\(unlabelled.count) pictures without any label were left out, line \(first.line) among them")
    }
    samples.sort { $0.path.precedesInBytes($1.path) }
    return Dataset(root: root, tasks: tasks, samples: samples, notes: notes)
  }

  private static func requireDistinctPaths(_ rows: [ManifestRow], manifest: String) throws(DatasetError) {
    var lines: [String: Int] = [:]
    for row in rows {
      if let first = lines.updateValue(row.line, forKey: row.path) {
        throw DatasetError(
          .manifest, "\(manifest), line \(row.line)",
          "\(row.path) stands in line \(first) already; a picture listed twice could be trained on and tested on")
      }
    }
  }

  private static func folder(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }
}

/// Which column holds what.
private struct ManifestColumns {
  var count: Int
  var path: Int
  var split: Int?
  var tasks: [(name: String, index: Int)] = []

  init(_ header: CSVTable.Record, manifest: String) throws(DatasetError) {
    let names = header.cells
    let subject = "\(manifest), line \(header.line)"
    for (index, name) in names.enumerated() {
      if name.isEmpty { throw DatasetError(.manifest, subject, "column \(index + 1) has no name") }
      try requireTrimmed(name, subject: subject)
      if names[..<index].contains(name) { throw DatasetError(.manifest, subject, "two columns are named \"\(name)\"") }
    }
    guard let path = names.firstIndex(of: "path") else {
      let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
      let hint = names.count == 1 && names[0].contains { $0 == ";" || $0 == "\t" } ? "; cells end with commas" : ""
      throw DatasetError(.manifest, subject, "expected a column \"path\", found \(list)\(hint)")
    }
    count = names.count
    self.path = path
    split = names.firstIndex(of: "split")
    for (index, name) in names.enumerated() where index != path && index != split { tasks.append((name, index)) }
    if tasks.isEmpty {
      throw DatasetError(.manifest, subject, "expected a column of labels for each task beside \"path\", found none")
    }
  }
}

/// One line of a manifest.
private struct ManifestRow {
  let line: Int
  let path: String
  let labels: [String?]
  let part: SplitPart?

  init(_ record: CSVTable.Record, columns: ManifestColumns, manifest: String) throws(DatasetError) {
    let subject = "\(manifest), line \(record.line)"
    line = record.line
    guard record.cells.count == columns.count else {
      throw DatasetError(
        .manifest, subject, "expected \(columns.count) cells as in the first line, found \(record.cells.count)")
    }
    path = record.cells[columns.path]
    if path.isEmpty { throw DatasetError(.manifest, subject, "the cell \"path\" is empty") }
    labels = try columns.tasks.map { column throws(DatasetError) in
      let label = record.cells[column.index]
      try requireTrimmed(label, subject: subject)
      return label.isEmpty ? nil : label
    }
    guard let split = columns.split else {
      part = nil
      return
    }
    part = SplitPart(found: record.cells[split])
    if part == nil {
      throw DatasetError(
        .manifest, subject, "expected \"train\", \"val\" or \"test\" as split, found \"\(record.cells[split])\"")
    }
  }
}

/// Spaces around a name belong to it by the rules of CSV, and would make two classes of one unseen.
private func requireTrimmed(_ name: String, subject: String) throws(DatasetError) {
  if name.first?.isWhitespace == true || name.last?.isWhitespace == true {
    throw DatasetError(.manifest, subject, "\"\(name)\" begins or ends with a space")
  }
}
