"""Tables in, verdicts out: intervals, exponents, rivals, the time model and the rules that judge."""
