import HDF5Files
import Tensors
import Testing
