import Tensors

/// Picks places along axes of a sample, as Python's `x[..., ::-1]` does.
///
/// ## Shapes
/// - input: any
/// - output: that of the input, but along a sliced axis as many places as the slice has, and no axis where one place alone
///   is picked
public struct Slicing: Layer {
  /// Keras's name of this kind.
  public static let kind = "GetItem"

  /// What is picked along one axis.
  public enum Places: Hashable, Sendable {
    /// Every place from `start` to before `stop`, by `step`, with Python's rules: nil means an end of the axis, and what is
    /// negative counts from behind.
    case range(start: Int? = nil, stop: Int? = nil, step: Int = 1)
    /// One place, whose axis goes.
    case one(Int)
  }

  /// What is picked, by the axis of one sample; a negative axis counts from behind.
  ///
  /// All of any other axis is kept.
  public var places: [Int: Places]

  /// A selection of places.
  public init(_ places: [Int: Places]) { self.places = places }

  /// An axis, the last one unless another is given, in the opposite order: the channels of red, green, blue become blue,
  /// green, red.
  public static func reversing(axis: Int = -1) -> Slicing { Slicing([axis: .range(step: -1)]) }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    let places = try resolved(rank: input.rank)
    var result: [Int] = []
    for axis in 0..<input.rank {
      switch places[axis] {
      case nil: result.append(input[axis])
      case .one(let place)?:
        guard (-input[axis]..<input[axis]).contains(place) else {
          throw Self.unfit("picks place \(place) of axis \(axis + 1), of which \(input) has \(input[axis])")
        }
      case .range(_, _, let step)?:
        guard step != 0 else { throw Self.invalid("has a slice with step 0") }
        let count = Self.progression(places[axis], in: input[axis]).count
        guard count > 0 else { throw Self.unfit("picks nothing of axis \(axis + 1) of \(input)") }
        result.append(count)
      }
    }
    return Shape(result)
  }

  /// The same by axes counted from the first, without those of which all is kept in order.
  package func resolved(rank: Int) throws(GraphError) -> [Int: Places] {
    var result: [Int: Places] = [:]
    for (axis, places) in places {
      let axis = axis < 0 ? axis + rank : axis
      guard (0..<rank).contains(axis), result[axis] == nil else {
        throw Self.unfit("picks along axes \(self.places.keys.sorted()), which samples with \(rank) axes do not have")
      }
      result[axis] = places
    }
    return result.filter { $0.value != .range(step: 1) }
  }

  /// The places along an axis of the given extent: the first one, the distance to the next, and how many there are.
  package static func progression(_ places: Places?, in extent: Int) -> (start: Int, step: Int, count: Int) {
    switch places {
    case nil: return (0, 1, extent)
    case .one(let place)?: return (place < 0 ? place + extent : place, 1, 1)
    case .range(let start, let stop, let step)?:
      // What lies outside of the axis is cut to its ends: for falling places these are the last one and the one before
      // the first.
      let ends = step > 0 ? 0...extent : -1...max(extent - 1, -1)
      func inside(_ place: Int?, _ fallback: Int) -> Int {
        guard let place else { return fallback }
        return min(max(place < 0 ? place + extent : place, ends.lowerBound), ends.upperBound)
      }
      let first = inside(start, step > 0 ? ends.lowerBound : ends.upperBound)
      let end = inside(stop, step > 0 ? ends.upperBound : ends.lowerBound)
      let step = min(max(step, -extent - 1), extent + 1)
      let distance = step > 0 ? end - first : first - end
      return (first, step, distance > 0 ? (distance - 1) / max(1, abs(step)) + 1 : 0)
    }
  }

  /// Whether the layer turns the channels of images of this shape round and does nothing else.
  package func reversesChannels(of input: Shape) -> Bool {
    guard input.rank == 3, let places = try? resolved(rank: 3), places.count == 1, let channels = places[2],
      case .range = channels
    else { return false }
    return Self.progression(channels, in: input[2]) == (input[2] - 1, -1, input[2])
  }
}
