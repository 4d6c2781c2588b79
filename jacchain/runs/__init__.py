"""From what is asked for to records, and from records to verdicts."""
