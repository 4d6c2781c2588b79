"""asv and pytest-benchmark beside our own engine: the cells that all measure, readers, figures."""
