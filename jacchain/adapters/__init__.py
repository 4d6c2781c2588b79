"""Networks of ours carried out by other people's frameworks."""
