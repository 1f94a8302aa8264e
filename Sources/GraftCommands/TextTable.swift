/// Columns of text under headings, each as wide as its longest cell.
struct TextTable {
  /// Where the cells of a column stand.
  enum Alignment {
    case left
    case right
  }

  private let headings: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table without rows.
  init(_ columns: [(heading: String, alignment: Alignment)]) {
    headings = columns.map(\.heading)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row of as many cells as there are columns.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count, "a row has a cell for each column")
    rows.append(cells)
  }

  /// The lines from the headings on, without spaces at their ends.
  var lines: [String] {
    let all = [headings] + rows
    let widths = headings.indices.map { column in all.reduce(0) { max($0, $1[column].count) } }
    return all.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .left ? row[column] + space : space + row[column]
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
