"""Tables in, verdicts out: intervals, exponents, rivals, the rules of judging."""
