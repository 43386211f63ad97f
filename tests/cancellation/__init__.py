"""Every await of the public API, cancelled at each place where it can be."""
