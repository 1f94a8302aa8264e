// The whole library under one name: whoever imports Graft can type everything that is public below.
@_exported import Backbones
@_exported import Datasets
@_exported import Engine
@_exported import Freezing
@_exported import Graphs
@_exported import KerasFormats
@_exported import Models
@_exported import Reports
@_exported import Tasks
@_exported import Tensors
@_exported import Training
