"""Where the accuracy pass runs: on this machine, on Dask workers, on Ray workers."""
