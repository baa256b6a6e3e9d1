"""CuPy launches of the kernels that evaluate gate and experts."""
