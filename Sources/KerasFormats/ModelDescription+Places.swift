import Graphs

extension ModelDescription {
  /// Puts the places of an axis that were picked one by one and stacked again along it into one slice.
  ///
  /// So Keras turns the channels of a picture round: `stack([x[..., i] for i in (2, 1, 0)], axis=-1)`.
  mutating func joinPickedPlaces() {
    for position in layers.indices {
      guard case .layer(let value) = layers[position].content, let stack = value as? Stack,
        let picks = layers[position].calls.first, picks.count > 1, layers[position].calls.count == 1,
        let joined = joined(picks, along: stack.axis)
      else { continue }
      layers[position].content = .layer(joined.slicing)
      layers[position].calls = [[joined.source]]
      dropIdle(picks)
    }
  }

  /// The slice that picks what the given layers pick of one tensor, one after the other.
  private func joined(
    _ picks: [TensorReference], along axis: Int
  ) -> (slicing: Slicing, source: TensorReference)? {
    var places: [Int] = []
    var sources: Set<TensorReference> = []
    for pick in picks {
      guard case .layer(let value) = layers[pick.layer].content, let slicing = value as? Slicing,
        slicing.places.count == 1, case .one(let place)? = slicing.places[axis], layers[pick.layer].calls.count == 1,
        layers[pick.layer].calls[0].count == 1
      else { return nil }
      places.append(place)
      sources.insert(layers[pick.layer].calls[0][0])
    }
    guard let source = sources.first, sources.count == 1, let slice = OperatorNode.slice(of: places) else { return nil }
    let range = Slicing.Places.range(start: slice[0].integer, stop: slice[1].integer, step: slice[2].integer ?? 1)
    return (Slicing([axis: range]), source)
  }

  /// Applies layers no more whose results nobody needs.
  private mutating func dropIdle(_ references: [TensorReference]) {
    let used = Set(layers.flatMap { $0.calls.joined() }).union(outputs)
    for reference in references where !used.contains(reference) { layers[reference.layer].calls = [] }
  }
}
