"""Who runs: the long-lived processes, their adapters, the embedded stack and the command line."""
