"""Tables in, verdicts out: intervals, exponents, rivals, the time model, the rules of judging."""
