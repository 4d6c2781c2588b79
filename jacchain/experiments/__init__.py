"""One file for each claim of the article, and the runner that measures them."""
