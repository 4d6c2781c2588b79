"""The article's claims and the studies beside them, each in a file of its own."""
