"""Do the verdicts keep what they promise? Experiments with a known truth, judged by the code that judges real ones."""
