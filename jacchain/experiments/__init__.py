"""What claims are made of: cells to measure, sizes, parts to judge, figures and tables as data."""
